package dispatch

import (
	"container/heap"
	"slices"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// PeerID names a connection of a worker; the caller chooses it and never uses it again for another connection.
type PeerID uint64

// PeerInfo is what a peer said of itself when it connected.
type PeerInfo struct {
	Name     string
	Slots    int
	Stranger bool // it knows only the bare forms of messages: it echoes no task ids and sends no heartbeats
}

// peer is a worker's connection.
type peer struct {
	id           PeerID
	name         string
	proof        string // wire.WorkerIdentity.Proof or PrincipalProof; empty: it proves nothing
	slots        int    // transforms at a time
	prefetch     int    // unsettled tasks that it may hold
	stranger     bool
	references   bool // it fetches images to which tasks refer
	draining     bool // it has announced that it takes no further tasks
	suspect      bool // one of its leases expired, and it gave no sign of life since
	awaitsEvents bool // a stranger whose results would not reach this run now
	held         map[taskid.ID]*Task
	answered     int    // results that the sink has of it
	lastGiven    uint64 // number of the task that it was given last: equal peers take turns
	index        int    // in the heap of available peers; −1: not in it
}

// unansweredMax is how many tasks a peer may hold that has answered none yet. Each answer allows one more, so that a
// peer that only takes tasks does not take a whole run.
const unansweredMax = 256

// canTake reports whether the peer can take a task. A suspect worker must first give a sign of life; a stranger
// gives none.
func (p *peer) canTake() bool {
	return !p.draining && !p.awaitsEvents && (!p.suspect || p.stranger) &&
		len(p.held) < min(p.prefetch, unansweredMax+p.answered)
}

// mayFollow reports whether the peer, now or later, can take t after others failed it.
func (p *peer) mayFollow(t *Task) bool {
	return !p.draining && !p.awaitsEvents && !p.suspect && !slices.Contains(t.holders, p) &&
		!slices.Contains(t.failedBy, p.family())
}

// family is what the names of all workers with one certificate begin with.
func (p *peer) family() string {
	family, _, _ := strings.Cut(p.name, "/")
	return family
}

// less orders peers: suspect ones last, then by tasks per slot, then by how long they have waited for a task.
func (p *peer) less(q *peer) bool {
	if p.suspect != q.suspect {
		return q.suspect
	}
	if a, b := len(p.held)*q.slots, len(q.held)*p.slots; a != b {
		return a < b
	}
	return p.lastGiven < q.lastGiven
}

// sent reports whether h is a heartbeat of p. The sink says which token the sender announced, so that a worker's name
// alone is not enough to speak for it.
func (p *peer) sent(h *wire.Heartbeat) bool {
	return !p.stranger && p.proof == h.Proof && (p.proof != "" || p.name == h.Worker)
}

// updateAvailability puts p where it belongs in the heap of available peers. It must follow each change of p.
func (d *Dispatcher) updateAvailability(p *peer) {
	switch {
	case p.canTake() && p.index < 0:
		heap.Push(&d.available, p)
	case p.canTake():
		heap.Fix(&d.available, p.index)
	case p.index >= 0:
		heap.Remove(&d.available, p.index)
	}
}

// Peers returns how many workers are connected.
func (d *Dispatcher) Peers() int { return len(d.peers) }

// AddPeer takes a worker's new connection, whose ZMTP identity may announce its name, slots and prefetch. proof is what
// its tickets are bound to; empty for one that proves nothing of itself.
func (d *Dispatcher) AddPeer(id PeerID, identity, proof string) PeerInfo {
	p := &peer{id: id, proof: proof, held: make(map[taskid.ID]*Task), index: -1}
	if w, ok := wire.ParseWorkerIdentity(identity); ok {
		p.name, p.slots, p.prefetch = w.Name, w.Slots, w.Prefetch
		p.references = w.References
	} else {
		p.name, p.slots, p.prefetch, p.stranger = identity, 1, d.cfg.StrangerPrefetch, true
		p.awaitsEvents = !d.eventsConnected && !d.cfg.WithoutSink
	}
	d.peers[id] = p
	d.slots += p.slots
	d.updateAvailability(p)
	return PeerInfo{Name: p.name, Slots: p.slots, Stranger: p.stranger}
}

// RemovePeer removes a worker whose connection ended, and requeues the tasks that it held. The last results of a worker
// that had announced its drain may still be in flight. RemovePeer returns such tasks, and the caller asks the sink
// about them.
func (d *Dispatcher) RemovePeer(id PeerID, now time.Time) (ask []taskid.ID) {
	p := d.peers[id]
	if p == nil {
		return nil
	}
	delete(d.peers, id)
	d.slots -= p.slots
	d.setSuspect(p, false)
	held := p.held
	p.held, p.prefetch = nil, 0
	d.updateAvailability(p)
	for _, t := range held {
		if d.loseHolder(t, p, now) {
			ask = append(ask, t.ID)
		}
	}
	return ask
}

// RecordHeartbeat extends the leases of the tasks that the worker lists, and gives a draining worker no further task.
// It returns the tasks that the worker no longer lists and whose result is unknown; the caller asks the sink about
// them.
func (d *Dispatcher) RecordHeartbeat(h *wire.Heartbeat, now time.Time) (ask []taskid.ID) {
	d.clearSuspect(func(p *peer) bool { return p.sent(h) })
	listed := make([]taskid.ID, 0, len(h.Held))
	for _, s := range h.Held {
		if id, err := taskid.Parse(s); err == nil {
			listed = append(listed, id)
		}
	}
	d.extendLeases(h, listed, now)
	ask = d.findOmitted(h, listed, now)
	if !h.Draining {
		return ask
	}
	for _, p := range d.peers {
		if p.sent(h) {
			p.draining = true
			d.updateAvailability(p)
			d.takeBack(p, h.Returned)
		}
	}
	return ask
}

// ReleaseWorker says that the sink has received the worker's result: the worker can take another task. The task stays
// leased until the result is committed, and need not be delivered again when the worker leaves. instance is the
// instance of the sink that has the result; empty: unknown.
func (d *Dispatcher) ReleaseWorker(id taskid.ID, worker, instance string, now time.Time) {
	d.clearSuspect(func(p *peer) bool { return !p.stranger && p.name == worker })
	t := d.tasks[id]
	if t == nil {
		return
	}
	for i, p := range t.holders {
		if p.name == worker {
			delete(p.held, id)
			p.answered++
			d.updateAvailability(p)
			t.holders = append(t.holders[:i], t.holders[i+1:]...)
			break
		}
	}
	if t.state == leased {
		t.resultAt = instance
		d.setDeadline(t, now.Add(d.cfg.Lease))
	}
}
