package dispatch

import (
	"container/heap"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Kind says why a delivery is made; the values are labels of a metric.
type Kind string

const (
	First       Kind = "first"
	Redelivery  Kind = "redelivery"
	Speculative Kind = "speculative" // to a second worker while the first still holds the task
)

// Delivery is one message that the caller is to send.
type Delivery struct {
	Task  *Task
	Peer  PeerID
	Proof string // wire.WorkerIdentity.Proof of the peer
	// References says that the peer fetches images to which tasks refer.
	References bool
	Message    []byte
	Size       int64 // to be given to ReleaseBytes once the message was sent or lost
	Kind       Kind
}

// Assign leases a ready task to the peer with the fewest tasks per slot; ok is false when no task is ready or no peer
// can take one.
func (d *Dispatcher) Assign(now time.Time) (delivery Delivery, ok bool) {
	for passed := 0; d.ready.len() > passed; {
		t := d.ready.first()
		if t.state != ready || d.tasks[t.ID] != t { // settled meanwhile
			d.ready.pop()
			d.dropMessage(t)
			continue
		}
		if len(d.available) == 0 || !d.mayBeSent(d.available[0]) {
			return Delivery{}, false
		}
		d.ready.pop()
		p, later := d.pickPeer(t)
		if later {
			d.ready.push(t)
			passed++
			continue
		}
		if p == nil { // only its holders can take a task: wait for one of them
			d.keepLeased(t, now)
			d.dropMessage(t)
			continue
		}
		message := t.message
		t.message = nil
		kind := d.lease(t, p, now)
		return Delivery{
			Task: t, Peer: p.id, Proof: p.proof, References: p.references, Message: message, Size: t.budgeted, Kind: kind,
		}, true
	}
	return Delivery{}, false
}

func (d *Dispatcher) dropMessage(t *Task) {
	d.bytesInFlight -= t.budgeted
	t.message = nil
}

// pickPeer returns the peer with the fewest tasks per slot among those that neither hold t nor have failed it. When all
// others have failed it, pickPeer returns one of those, or nil. later says that a peer that has not cannot take t now.
func (d *Dispatcher) pickPeer(t *Task) (p *peer, later bool) {
	if best := d.available[0]; len(t.failedBy) == 0 && !slices.Contains(t.holders, best) {
		return best, false
	}
	best := func(may func(*peer) bool) (best *peer) {
		for _, p := range d.available { // rare: after a failure, or a second delivery while the first still runs
			if (best == nil || p.less(best)) && may(p) && d.mayBeSent(p) {
				best = p
			}
		}
		return best
	}
	if p := best(func(p *peer) bool { return p.mayFollow(t) }); p != nil {
		return p, false
	}
	if len(t.failedBy) > 0 {
		for _, p := range d.peers {
			if p.mayFollow(t) {
				return nil, true
			}
		}
	}
	return best(func(p *peer) bool { return !slices.Contains(t.holders, p) }), false
}

// lease makes p a holder of t.
func (d *Dispatcher) lease(t *Task, p *peer, now time.Time) Kind {
	t.deliveries++
	t.resultAt, t.maybeResultAt, t.shortLease = "", "", false
	t.holders = append(t.holders, p)
	t.open = append(t.open, openDelivery{t.deliveries, p})
	p.held[t.ID] = t
	d.given++
	p.lastGiven = d.given
	d.updateAvailability(p)
	if p.stranger {
		d.awaitOutputs(t)
	}
	d.keepLeased(t, now)
	d.counts.Deliveries++
	switch {
	case len(t.holders) > 1:
		d.counts.Speculative++
		return Speculative
	case t.deliveries > 1:
		d.counts.Redeliveries++
		return Redelivery
	}
	return First
}

// keepLeased starts a new lease of t for the peers that hold it.
func (d *Dispatcher) keepLeased(t *Task, now time.Time) {
	t.sent = now
	d.setState(t, leased)
	d.setDeadline(t, now.Add(d.leaseOf(t)))
}

// leaseOf returns how long the holders of t may keep it without a sign of life.
func (d *Dispatcher) leaseOf(t *Task) time.Duration {
	for _, h := range t.holders {
		if h.stranger && !t.shortLease {
			return d.cfg.SilentLease
		}
	}
	return d.cfg.Lease
}

// extendLeases extends the leases of the tasks that a heartbeat lists, if its worker does hold them.
func (d *Dispatcher) extendLeases(h *wire.Heartbeat, ids []taskid.ID, now time.Time) {
	sent := func(p *peer) bool { return p.sent(h) || p.stranger && h.Proof == "" }
	for _, id := range ids {
		if t := d.tasks[id]; t != nil && t.state == leased && slices.ContainsFunc(t.holders, sent) {
			if at := now.Add(d.cfg.Lease); at.After(t.deadline) {
				d.setDeadline(t, at)
			}
		}
	}
}

// releaseHolders makes every holder of t available for another task.
func (d *Dispatcher) releaseHolders(t *Task) {
	for _, p := range t.holders {
		delete(p.held, t.ID)
		d.updateAvailability(p)
	}
	t.holders = t.holders[:0]
}

// setState moves t to another state.
func (d *Dispatcher) setState(t *Task, s state) {
	if t.state == leased {
		d.counts.Leased--
	}
	if s == leased {
		d.counts.Leased++
	}
	t.state = s
}

func (d *Dispatcher) setDeadline(t *Task, at time.Time) {
	t.deadline = at
	if t.deadlineIndex >= 0 {
		heap.Fix(&d.deadlines, t.deadlineIndex)
	} else {
		heap.Push(&d.deadlines, t)
	}
}

func (d *Dispatcher) clearDeadline(t *Task) {
	if t.deadlineIndex >= 0 {
		heap.Remove(&d.deadlines, t.deadlineIndex)
	}
}
