package ventilator

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// How deliveries end: failed, answered, settled.

// dropsPerFailure: a lost connection says little about the task that was on it, a failure much. This many of the former
// count as one of the latter, so that an image that takes whole workers down ends all the same.
const dropsPerFailure = 4

func (d *dispatcher) worn(t *task) bool {
	return t.failures+t.drops/dropsPerFailure >= d.cfg.MaxDeliveries
}

// fail counts a failed delivery of t, which nobody holds any more, and lets it rest before the next, or gives it to
// onDead as a dead letter.
func (d *dispatcher) fail(t *task, detail string, now time.Time) {
	t.failures++
	t.detail = detail
	d.move(t, resting)
	if d.worn(t) {
		d.alarm(t, now.Add(d.cfg.BackoffMax)) // should the word that it is dead get lost
		d.onDead(t)
		return
	}
	if d.draining {
		d.giveUp(t)
		return
	}
	d.alarm(t, now.Add(d.backoff(t.failures)))
}

// backoff doubles with each failure and is spread over its upper half.
func (d *dispatcher) backoff(failures int) time.Duration {
	b := d.cfg.BackoffMin << min(failures-1, 16)
	if b > d.cfg.BackoffMax || b <= 0 {
		b = d.cfg.BackoffMax
	}
	return b/2 + time.Duration(rand.Int64N(int64(b/2)+1))
}

// failed takes a worker's word that a delivery failed, the farm's fault. It may be heard twice, as an event and as an
// answer of the sink, and counts once; a worker that does not echo the delivery is heard by event alone.
func (d *dispatcher) failed(id taskid.ID, r *wire.Receipt, now time.Time) {
	t := d.tasks[id]
	if t == nil || slices.Contains(t.failed, r.Delivery) {
		return
	}
	if r.Delivery > 0 {
		t.failed = append(t.failed, r.Delivery)
	}
	d.answered(id, r.Worker, "", now)
	switch {
	case len(t.holders) > 0:
	case t.state == leased:
		d.silence(t)
		d.fail(t, r.Detail, now)
	default: // its next delivery is on its way already
		t.failures++
	}
}

// missedFailure takes the sink's answer that a delivery failed. Only that of a delivery that is still waited for says
// something new, the last or, while two are under way, the one before: of any other an event told, or its lease ran out.
func (d *dispatcher) missedFailure(id taskid.ID, r *wire.Receipt, now time.Time) {
	t := d.tasks[id]
	if t == nil || t.state != leased || r.Delivery < 1 {
		return
	}
	if r.Delivery == t.deliveries || len(t.holders) > 1 && r.Delivery == t.deliveries-1 {
		d.failed(id, r, now)
	}
}

// answered takes the word of an instance of the sink that a worker's result came in: the worker has room again, and the
// task, though not settled, need not be delivered again when that worker goes.
func (d *dispatcher) answered(id taskid.ID, worker, instance string, now time.Time) {
	d.trust(worker)
	t := d.tasks[id]
	if t == nil {
		return
	}
	for i, p := range t.holders {
		if p.name == worker {
			delete(p.held, id)
			d.replace(p)
			t.holders = slices.Delete(t.holders, i, i+1)
			break
		}
	}
	if t.state == leased {
		t.answeredBy = instance
		d.alarm(t, now.Add(d.cfg.Lease))
	}
}

// settle ends the task with id, if it is ours and not settled yet.
func (d *dispatcher) settle(r *wire.Receipt, id taskid.ID) bool {
	t := d.tasks[id]
	if t == nil {
		return false
	}
	delete(d.tasks, id)
	d.silence(t)
	d.letGo(t)
	if t.state == leased {
		d.counts.Leased--
	}
	for name := range t.missing {
		delete(d.named, name)
	}
	if r.Outcome != outcome.Skipped {
		d.counts.Bytes += t.Size
	}
	d.count(r.Outcome)
	if r.Stranger {
		d.counts.Strangers++
	}
	return true
}

func (d *dispatcher) count(o outcome.Outcome) {
	switch o {
	case outcome.Done:
		d.counts.Done++
	case outcome.Skipped:
		d.counts.Skipped++
	case outcome.Rejected:
		d.counts.Rejected++
	case outcome.Dead:
		d.counts.Dead++
	}
}

// settledEarlier counts an image that the ledger settled before this run. One that was rejected stays rejected: a retry
// is an operator's to ask for.
func (d *dispatcher) settledEarlier(r *wire.Receipt) {
	d.counts.Found++
	d.counts.Earlier++
	d.count(earlierOutcome(r))
}

func earlierOutcome(r *wire.Receipt) outcome.Outcome {
	if r.Outcome == outcome.Done {
		return outcome.Skipped
	}
	return r.Outcome
}
