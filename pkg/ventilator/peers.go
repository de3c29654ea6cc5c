package ventilator

import (
	"time"

	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// peerUp takes a worker's new connection.
func (d *dispatcher) peerUp(id zsock.PeerID, identity string) *peer {
	p := &peer{id: id, held: make(map[taskid.ID]*task), index: -1}
	if w, ok := wire.ParseWorkerIdentity(identity); ok {
		p.name, p.slots, p.prefetch = w.Name, w.Slots, w.Prefetch
	} else {
		p.name, p.slots, p.prefetch, p.stranger = identity, 1, d.cfg.StrangerPrefetch, true
		p.muted = !d.hearing && d.cfg.Control != NoSink
	}
	d.peers[id] = p
	d.slots += p.slots
	d.replace(p)
	return p
}

// leftGrace is how long the receipts of a worker that announced its drain may still be on their way.
const leftGrace = 2 * time.Second

// peerDown takes the end of a worker's connection. What was on it goes back to the queue at once; only when the worker
// had announced its drain are its last receipts waited for, since it settled what it held: those tasks are returned, so
// that the sink can be asked about them.
func (d *dispatcher) peerDown(id zsock.PeerID, now time.Time) (ask []*task) {
	p := d.peers[id]
	if p == nil {
		return nil
	}
	delete(d.peers, id)
	d.slots -= p.slots
	d.doubt(p, false)
	held := p.held
	p.held, p.prefetch = nil, 0
	d.replace(p)
	for _, t := range held {
		for i, h := range t.holders {
			if h == p {
				t.holders = append(t.holders[:i], t.holders[i+1:]...)
				break
			}
		}
		t.drops++
		if len(t.holders) > 0 || t.state != leased {
			continue
		}
		if d.worn(t) {
			d.silence(t)
			d.fail(t, "the connection of its worker was lost, again and again", now)
			continue
		}
		if p.draining {
			d.alarm(t, now.Add(leftGrace))
			ask = append(ask, t)
			continue
		}
		d.redeliver(t)
	}
	return ask
}

// heard takes a heartbeat: leases are prolonged, and a draining worker is given nothing more. It returns tasks that the
// worker seems to have answered without anybody having heard of it.
func (d *dispatcher) heard(h *wire.Heartbeat, now time.Time) (gone []taskid.ID) {
	d.trust(h.Worker)
	ids := make([]taskid.ID, 0, len(h.Held))
	for _, s := range h.Held {
		if id, err := taskid.Parse(s); err == nil {
			ids = append(ids, id)
		}
	}
	d.prolong(ids, now)
	gone = d.suspects(h, ids, now)
	if !h.Draining {
		return gone
	}
	for _, p := range d.peers {
		if p.name == h.Worker && !p.stranger && !p.draining {
			p.draining = true
			d.replace(p)
		}
	}
	return gone
}

// speculate sends the oldest leased task again when nothing else is left to send and a peer is idle: the last stragglers
// decide when a run ends. It returns whether it did.
func (d *dispatcher) speculate(now time.Time) bool {
	if !d.fed || d.draining || d.cfg.SpeculateAge < 0 || d.due.len()+d.again.len()+d.ready.len() > 0 {
		return false
	}
	if len(d.room) == 0 || len(d.room[0].held) > 0 || !d.usable(d.room[0]) {
		return false
	}
	var oldest *task
	for _, t := range d.alarms { // only what is leased is left: as many as the workers hold
		if t.state == leased && len(t.holders) == 1 && (oldest == nil || t.sent.Before(oldest.sent)) {
			oldest = t
		}
	}
	if oldest == nil || now.Sub(oldest.sent) < d.cfg.SpeculateAge {
		return false
	}
	d.redeliver(oldest)
	return true
}

// awaitNames notes which outputs a task that went to a stranger is to make.
func (d *dispatcher) awaitNames(t *task) {
	if len(t.missing) > 0 {
		return
	}
	names := d.cfg.Recipe.OutputNames(t.Name)
	t.missing = make(map[string]struct{}, len(names))
	for _, name := range names {
		t.missing[name] = struct{}{}
		d.named[name] = t
	}
}

// takeName takes a stranger's bare result. When it was the last that its task was to make, the task is returned: the
// stranger's word settles it.
func (d *dispatcher) takeName(name string) *task {
	t := d.named[name]
	if t == nil {
		return nil
	}
	d.trustStrangers()
	delete(d.named, name)
	delete(t.missing, name)
	if len(t.missing) > 0 {
		return nil
	}
	return t
}

// olderThan returns the ids of tasks that were sent and not settled for age, at most limit of them, roughly those whose
// leases end first: those that the sink is to be asked about, because an event may have been lost.
func (d *dispatcher) olderThan(age time.Duration, now time.Time, limit int) []taskid.ID {
	var ids []taskid.ID
	for _, t := range d.alarms {
		if t.deliveries > 0 && now.Sub(t.sent) >= age {
			if ids = append(ids, t.id); len(ids) == limit {
				break
			}
		}
	}
	return ids
}
