package ventilator

import (
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// What a sink had taken and not committed dies with it: answers of which it said so, and those that it had not come to
// yet. The workers hold such tasks no longer, so that nothing but their leases would ever bring them back.

// sinkChanged takes the word that another instance of the sink is there now. It returns the tasks whose answers went to
// one before, and suspects those that workers were at: their answers may have been on their way to it.
func (d *dispatcher) sinkChanged(before, now string) (answered []taskid.ID) {
	for _, t := range d.alarms {
		switch {
		case t.state != leased:
		case t.answeredBy != "" && t.answeredBy != now:
			answered = append(answered, t.id)
		case t.answeredBy == "" && len(t.holders) > 0:
			t.suspect, t.unlisted = before, 0
		}
	}
	return answered
}

// unlistedTwice is how many heartbeats must leave a suspected task out until its worker is taken to have answered it.
// The first comes with the worker's new connection to the sink, beside answers that waited for that connection.
const unlistedTwice = 2

// suspects returns the suspected tasks that the worker of a heartbeat seems to have answered to a sink that is no more.
func (d *dispatcher) suspects(h *wire.Heartbeat, listed []taskid.ID, now time.Time) (gone []taskid.ID) {
	for _, p := range d.peers {
		if p.stranger || p.name != h.Worker {
			continue
		}
		for id, t := range p.held {
			if t.suspect == "" {
				continue
			}
			if slices.Contains(listed, id) {
				t.suspect = ""
			} else if t.unlisted++; t.unlisted == unlistedTwice {
				gone = append(gone, id)
			}
		}
	}
	for _, id := range gone {
		d.answered(id, h.Worker, d.tasks[id].suspect, now)
	}
	return gone
}

// lost takes the word of an instance of the sink that the task is not settled. When an earlier one had its answer,
// that answer is lost, and no worker has the task any more: it goes back to the queue at once, as if a connection had
// dropped.
func (d *dispatcher) lost(id taskid.ID, instance string, now time.Time) *task {
	t := d.tasks[id]
	if t == nil || t.state != leased || t.answeredBy == "" || t.answeredBy == instance {
		return nil
	}
	t.answeredBy = ""
	if slices.ContainsFunc(t.holders, func(p *peer) bool { return !p.stranger }) {
		return nil // another delivery of it is still under way; which one a stranger answered, nobody knows
	}
	d.letGo(t)
	t.drops++
	if d.worn(t) {
		d.silence(t)
		d.fail(t, "the sink that had its result was lost, again and again", now)
		return t
	}
	d.redeliver(t)
	return t
}
