package ventilator

import (
	"container/heap"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// dispatcher decides which peer gets which task, and when again. It does no I/O, starts nothing and reads no clock, so
// that its rules can be tested exactly. What a task costs it does not grow with the number of pending or settled
// tasks, and only with the logarithm of the number of peers.
//
// It is not safe for concurrent use: the run's loop owns it.
type dispatcher struct {
	cfg *Config

	tasks map[taskid.ID]*task // all unsettled
	due   fifo[*task]         // to be read, new ones
	again fifo[*task]         // to be read before those: redeliveries
	ready fifo[*task]         // read, and waiting for a peer

	peers  map[zsock.PeerID]*peer
	room   peerHeap
	alarms alarmHeap
	named  map[string]*task // outputs that strangers' tasks are to make

	inflight int64 // bytes being read, ready, or not yet handed to a connection
	slots    int   // of all peers
	turn     uint64
	counts   wire.Run
	fed      bool        // no further task will be added
	draining bool        // what comes back is left for the next run
	hearing  bool        // strangers' words reach us
	doubts   int         // peers that are doubted
	onDead   func(*task) // told a task that is not delivered any more; settles it
}

func newDispatcher(cfg *Config) *dispatcher {
	return &dispatcher{
		cfg:   cfg,
		tasks: make(map[taskid.ID]*task),
		peers: make(map[zsock.PeerID]*peer),
		named: make(map[string]*task),
	}
}

// add takes a found image whose task is not settled. A second image with the same id (a file listed twice) is the same
// task, and found once.
func (d *dispatcher) add(im image, id taskid.ID, now time.Time) {
	if _, ok := d.tasks[id]; ok {
		return
	}
	t := &task{image: im, id: id, found: now, index: -1}
	d.tasks[id] = t
	d.due.push(t)
	d.counts.Found++
}

// finished reports whether nothing is left to do.
func (d *dispatcher) finished() bool { return d.fed && len(d.tasks) == 0 }

// readAhead bounds how many messages wait for a peer, however small they are. Beyond readAheadBytes only one for each slot
// does: what is sent soon after it was read is still in the processor's caches.
const (
	readAhead      = 1024
	readAheadBytes = 8 << 20
)

// nextRead returns a task to be read, or nil while none is due, the byte budget is used up or enough is read. One message
// may exceed the budget on its own, or the largest image could never be sent.
func (d *dispatcher) nextRead() *task {
	if d.ready.len() >= readAhead || d.inflight >= readAheadBytes && d.ready.len() >= d.slots {
		return nil
	}
	for _, q := range []*fifo[*task]{&d.again, &d.due} {
		for q.len() > 0 {
			t := q.items[q.head]
			if t.state != due || d.tasks[t.id] != t { // settled meanwhile
				q.pop()
				continue
			}
			if d.inflight > 0 && d.inflight+t.Size > d.cfg.MaxInflightBytes {
				return nil
			}
			q.pop()
			t.size = t.Size
			d.move(t, reading)
			d.inflight += t.size
			return t
		}
	}
	return nil
}

// wasRead takes a message from a reader.
func (d *dispatcher) wasRead(t *task, message []byte) {
	if d.tasks[t.id] != t || t.state != reading { // settled meanwhile
		d.inflight -= t.size
		return
	}
	t.message = message
	d.move(t, ready)
	d.ready.push(t)
}

// unreadable takes a reader's failure: the farm's fault, so the task is delivered again later.
func (d *dispatcher) unreadable(t *task, detail string, now time.Time) {
	d.inflight -= t.size
	switch {
	case d.tasks[t.id] != t || t.state != reading: // settled meanwhile
	case len(t.holders) > 0: // it was for a second worker; the first goes on
		d.lend(t, nil, now)
	default:
		t.deliveries++
		d.fail(t, detail, now)
	}
}

// move changes where t stands.
func (d *dispatcher) move(t *task, s state) {
	if t.state == leased {
		d.counts.Leased--
	}
	if s == leased {
		d.counts.Leased++
	}
	t.state = s
}

// delivery is one sending that the loop is to do.
type delivery struct {
	task    *task
	peer    *peer
	message []byte
}

// assign pairs a ready task with the emptiest peer, or returns ok false when there is none of either.
func (d *dispatcher) assign(now time.Time) (delivery, bool) {
	for d.ready.len() > 0 {
		t := d.ready.items[d.ready.head]
		if t.state != ready || d.tasks[t.id] != t {
			d.ready.pop()
			d.inflight -= t.size
			t.message = nil
			continue
		}
		if len(d.room) == 0 || !d.usable(d.room[0]) {
			return delivery{}, false
		}
		d.ready.pop()
		p := d.pick(t)
		if p == nil { // only peers that have it already: let its lease decide
			d.lend(t, nil, now)
			d.inflight -= t.size
			t.message = nil
			continue
		}
		message := t.message
		t.message = nil
		d.lend(t, p, now)
		return delivery{task: t, peer: p, message: message}, true
	}
	return delivery{}, false
}

// pick returns the emptiest peer that does not hold t.
func (d *dispatcher) pick(t *task) *peer {
	if best := d.room[0]; !slices.Contains(t.holders, best) {
		return best
	}
	var best *peer
	for _, p := range d.room { // a second delivery while the first still runs: rare
		if !slices.Contains(t.holders, p) && (best == nil || p.less(best)) && d.usable(p) {
			best = p
		}
	}
	return best
}

// lend leases t to p, or, when p is nil, leaves it to those that hold it already.
func (d *dispatcher) lend(t *task, p *peer, now time.Time) {
	t.sent = now
	d.move(t, leased)
	if p != nil {
		t.deliveries++
		t.answeredBy, t.suspect = "", ""
		t.holders = append(t.holders, p)
		p.held[t.id] = t
		d.turn++
		p.turn = d.turn
		d.replace(p)
		d.counts.Deliveries++
		switch {
		case len(t.holders) > 1:
			d.counts.Speculative++
		case t.deliveries > 1:
			d.counts.Redeliveries++
		}
		if p.stranger {
			d.awaitNames(t)
		}
	}
	d.alarm(t, now.Add(d.leaseOf(t)))
}

// leaseOf is how long those that hold t may keep it in silence.
func (d *dispatcher) leaseOf(t *task) time.Duration {
	for _, h := range t.holders {
		if h.stranger {
			return d.cfg.SilentLease
		}
	}
	return d.cfg.Lease
}

// handedOver gives a message's bytes back to the budget, once the connection has taken or lost them.
func (d *dispatcher) handedOver(t *task, size int64) { d.inflight -= size }

// replace puts p where it belongs in the heap of peers with room.
func (d *dispatcher) replace(p *peer) {
	switch {
	case p.hasRoom() && p.index < 0:
		heap.Push(&d.room, p)
	case p.hasRoom():
		heap.Fix(&d.room, p.index)
	case p.index >= 0:
		heap.Remove(&d.room, p.index)
	}
}

func (d *dispatcher) alarm(t *task, at time.Time) {
	t.wake = at
	if t.index >= 0 {
		heap.Fix(&d.alarms, t.index)
	} else {
		heap.Push(&d.alarms, t)
	}
}

func (d *dispatcher) silence(t *task) {
	if t.index >= 0 {
		heap.Remove(&d.alarms, t.index)
	}
}

// nextAlarm returns when ring must be called next; ok is false when nothing waits.
func (d *dispatcher) nextAlarm() (at time.Time, ok bool) {
	if len(d.alarms) == 0 {
		return time.Time{}, false
	}
	return d.alarms[0].wake, true
}

// ring lets time pass: leases end, backoffs end. A lease ends no sooner than its length after stuck, the last moment at which
// the sink did not answer or could not do its work: receipts and heartbeats come through it alone.
func (d *dispatcher) ring(now, stuck time.Time) (expired []*task) {
	for len(d.alarms) > 0 && !d.alarms[0].wake.After(now) {
		t := heap.Pop(&d.alarms).(*task)
		switch t.state {
		case resting:
			d.redeliver(t)
		case leased:
			if at := stuck.Add(d.leaseOf(t)); at.After(now) {
				d.alarm(t, at)
				continue
			}
			expired = append(expired, t)
			for _, p := range t.holders {
				d.doubt(p, true)
			}
			d.letGo(t)
			d.fail(t, "no receipt came within its lease", now)
		}
	}
	return expired
}

// prolong extends the leases of the tasks that a worker says it holds.
func (d *dispatcher) prolong(ids []taskid.ID, now time.Time) {
	for _, id := range ids {
		if t := d.tasks[id]; t != nil && t.state == leased {
			if at := now.Add(d.cfg.Lease); at.After(t.wake) {
				d.alarm(t, at)
			}
		}
	}
}

// redeliver puts t where it is read again, before new tasks.
func (d *dispatcher) redeliver(t *task) {
	if d.draining {
		d.giveUp(t)
		return
	}
	d.silence(t)
	d.move(t, due)
	d.again.push(t)
}

// letGo forgets who holds t.
func (d *dispatcher) letGo(t *task) {
	for _, p := range t.holders {
		delete(p.held, t.id)
		d.replace(p)
	}
	t.holders = t.holders[:0]
}

// snapshot returns the counts as they stand.
func (d *dispatcher) snapshot() wire.Run {
	run := d.counts
	run.Peers = len(d.peers)
	run.Pending = int64(len(d.tasks)) - run.Leased
	return run
}

// withhold keeps a task from being sent: what settles it is on its way to the sink.
func (d *dispatcher) withhold(t *task, now time.Time) {
	d.move(t, resting)
	d.alarm(t, now.Add(d.cfg.BackoffMax))
}

// drain gives up every task that is not leased, and later those that come back, and returns how many the first are. A
// leased task is waited for even when no peer holds it any more: then its result has come and is being committed. So is one
// that was about to be sent again while its first worker still holds it.
func (d *dispatcher) drain(now time.Time) int {
	dropped := 0
	for _, t := range d.tasks {
		switch {
		case t.state == leased:
		case len(t.holders) > 0:
			d.lend(t, nil, now)
		default:
			d.giveUp(t)
			dropped++
		}
	}
	d.fed, d.draining = true, true
	return dropped
}

// giveUp leaves t for the next run: this one has not found it.
func (d *dispatcher) giveUp(t *task) {
	delete(d.tasks, t.id)
	d.silence(t)
	for name := range t.missing {
		delete(d.named, name)
	}
	if t.state == leased {
		d.counts.Leased--
	}
	d.counts.Found--
}
