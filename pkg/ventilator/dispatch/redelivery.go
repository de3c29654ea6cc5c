package dispatch

import (
	"container/heap"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file decides when a task is delivered again, and when it is dead.
//
//	what happened to a delivery                     delivered again     counts as
//	a worker reported that it failed                after a backoff     a failure
//	its image could not be read, or not be sent     after a backoff     a failure
//	its lease expired                               after a backoff     a failure
//	its worker's connection ended                   at once             a quarter of a failure
//	the sink ended after it received the result     at once              a quarter of a failure
//	its worker may not open its reference           at once, as bytes    nothing
//	a draining worker returned it unbegun           at once             nothing
//	it is the oldest at the end of the run          to an idle worker   nothing: the first worker goes on
//
// A task is dead when its failures reach Config.MaxDeliveries. While the run drains, no task is delivered again: it
// is left for the next run. While others can take it, a task does not go to a worker again that failed or lost it: no
// worker can make a dead letter of it alone.

// lossesPerFailure is how many lost deliveries count as one failure. A lost connection says little about the task
// that was on it; but an image that kills workers must come to an end, too.
const lossesPerFailure = 4

// exhausted reports whether t has used up its deliveries.
func (d *Dispatcher) exhausted(t *Task) bool {
	return t.failures+t.losses/lossesPerFailure >= d.cfg.MaxDeliveries
}

// fail counts a failed delivery of t, which no peer holds any more. Then t backs off, or is dead.
func (d *Dispatcher) fail(t *Task, detail string, now time.Time) {
	t.failures++
	t.detail, t.open = detail, nil
	d.setState(t, backingOff)
	if d.exhausted(t) {
		d.setDeadline(t, now.Add(d.cfg.BackoffMax)) // in case its receipt as a dead letter is lost
		d.cfg.OnDead(t)
		return
	}
	if d.draining {
		d.leaveForNextRun(t)
		return
	}
	d.setDeadline(t, now.Add(d.backoff(t.failures)))
}

// backoff returns the pause after that many failures: it doubles with each, and its upper half is random.
func (d *Dispatcher) backoff(failures int) time.Duration {
	b := d.cfg.BackoffMin << min(failures-1, 16)
	if b > d.cfg.BackoffMax || b <= 0 {
		b = d.cfg.BackoffMax
	}
	return b/2 + d.cfg.Jitter(b/2)
}

// requeue makes t due again, before new tasks.
func (d *Dispatcher) requeue(t *Task) {
	if d.draining {
		d.leaveForNextRun(t)
		return
	}
	d.clearDeadline(t)
	d.setState(t, due)
	d.redeliveries.push(t)
}

// requeueLost counts a lost delivery of t, which no peer holds any more. Then t is due again, or dead.
func (d *Dispatcher) requeueLost(t *Task, detail string, now time.Time) {
	if d.exhausted(t) {
		d.clearDeadline(t)
		d.fail(t, detail, now)
		return
	}
	d.requeue(t)
}

// takeBack requeues the tasks that the draining peer p returned without beginning them.
func (d *Dispatcher) takeBack(p *peer, returned []string) {
	for _, s := range returned {
		id, err := taskid.Parse(s)
		t := p.held[id]
		if err != nil || t == nil {
			continue
		}
		delete(p.held, id)
		t.closeDeliveries(p)
		t.holders = slices.DeleteFunc(t.holders, func(q *peer) bool { return q == p })
		if len(t.holders) == 0 && t.state == leased {
			d.requeue(t)
		}
	}
}

// AdvanceTime ends the leases and backoffs whose deadline has come, and returns the tasks whose lease expired.
// Receipts and heartbeats come through the sink alone. So a lease ends no sooner than its full length after
// sinkBlocked, the last time at which the sink did not answer or could not work; without a sink no lease ends.
func (d *Dispatcher) AdvanceTime(now, sinkBlocked time.Time) (expired []*Task) {
	if d.cfg.WithoutSink {
		sinkBlocked = now
	}
	for len(d.deadlines) > 0 && !d.deadlines[0].deadline.After(now) {
		t := heap.Pop(&d.deadlines).(*Task)
		switch t.state {
		case backingOff:
			d.requeue(t)
		case leased:
			if at := sinkBlocked.Add(d.leaseOf(t)); at.After(now) {
				d.setDeadline(t, at)
				continue
			}
			expired = append(expired, t)
			for _, p := range t.holders {
				d.setSuspect(p, true)
				t.failedBy = append(t.failedBy, p.family())
			}
			d.releaseHolders(t)
			d.fail(t, "no receipt came before its lease expired", now)
		}
	}
	return expired
}

// FailSend says that a delivery could not be sent, though its peer is still connected.
func (d *Dispatcher) FailSend(delivery Delivery, detail string, now time.Time) {
	d.releaseHolders(delivery.Task)
	d.fail(delivery.Task, detail, now)
}

// RecordFailure takes a worker's report that a delivery failed through no fault of the image. The report counts only if
// the task still waits for that delivery and the report is from the worker that got it. A report that comes twice, as
// an event and in an answer of the sink, counts once. A worker that does not echo the delivery's number is reported by
// event alone. RecordFailure reports whether it found out that the worker may not open references: from now on that
// worker gets bytes.
func (d *Dispatcher) RecordFailure(id taskid.ID, r *wire.Receipt, now time.Time) (outOfReach bool) {
	t := d.tasks[id]
	if t == nil {
		return false
	}
	i := slices.IndexFunc(t.open, func(o openDelivery) bool {
		return (o.peer.stranger || o.peer.name == r.Worker) && (r.Delivery == 0 || r.Delivery == o.number)
	})
	if i < 0 {
		return false
	}
	p := t.open[i].peer
	t.open = slices.Delete(t.open, i, i+1)
	d.ReleaseWorker(id, r.Worker, "", now)
	// The image is not at fault, but no task is sent forever: one that was sent with its bytes fails like any other.
	outOfReach = r.OutOfReach && p.references
	referred := r.OutOfReach && (p.references || !t.unreferred)
	if referred {
		p.references, t.unreferred = false, true
	} else {
		t.failedBy = append(t.failedBy, p.family())
	}
	switch {
	case t.Held(): // a second worker goes on
	case t.state == leased && referred:
		t.open = nil
		d.requeue(t)
	case t.state == leased:
		d.clearDeadline(t)
		d.fail(t, r.Detail, now)
	case !referred: // its next delivery is being made already
		t.failures++
	}
	return outOfReach
}

// RecordMissedFailure takes the sink's answer that a delivery failed. It counts only when the task still waits for
// that delivery: the last, or the one before while two workers hold the task. Any other
// delivery was reported by an event before, or its lease expired.
func (d *Dispatcher) RecordMissedFailure(id taskid.ID, r *wire.Receipt, now time.Time) (outOfReach bool) {
	t := d.tasks[id]
	if t == nil || t.state != leased || r.Delivery < 1 {
		return false
	}
	if r.Delivery == t.deliveries || len(t.holders) > 1 && r.Delivery == t.deliveries-1 {
		return d.RecordFailure(id, r, now)
	}
	return false
}

// drainGrace bounds the wait for the last receipts of a worker that announced its drain.
const drainGrace = 2 * time.Second

// loseHolder removes p, whose connection ended, from the holders of t. It reports whether t waits for the last receipt
// of a worker that announced its drain: such a worker sent the results of all it held before it left.
func (d *Dispatcher) loseHolder(t *Task, p *peer, now time.Time) (waits bool) {
	t.holders = slices.DeleteFunc(t.holders, func(h *peer) bool { return h == p })
	t.closeDeliveries(p)
	t.failedBy = append(t.failedBy, p.family())
	t.losses++
	switch {
	case t.Held() || t.state != leased:
	case p.draining && !d.exhausted(t):
		d.setDeadline(t, now.Add(drainGrace))
		return true
	default:
		d.requeueLost(t, "the connection of its worker was lost, again and again", now)
	}
	return false
}

// RequeueLostResult is called when an instance of the sink says that a task is not settled. If an earlier instance had
// received the task's result, that result is lost and no worker holds the task. RequeueLostResult then requeues the
// task and returns it. Otherwise it returns nil.
func (d *Dispatcher) RequeueLostResult(id taskid.ID, instance string, now time.Time) *Task {
	t := d.tasks[id]
	if t == nil || t.state != leased || t.resultAt == "" || t.resultAt == instance {
		return nil
	}
	t.resultAt = ""
	if slices.ContainsFunc(t.holders, func(p *peer) bool { return !p.stranger }) {
		return nil // a worker still works on another delivery; strangers do not say which delivery they answered
	}
	d.releaseHolders(t)
	t.open = nil
	t.losses++
	d.requeueLost(t, "the sink that had its result was lost, again and again", now)
	return t
}

// Speculate sends the oldest leased tasks again, one for each slot of idle peers, when no task is left to send, because
// the last stragglers decide when a run ends. It reports whether it did. Without a sink it never does: one copy could
// not be told from the other.
func (d *Dispatcher) Speculate(now time.Time) bool {
	if d.cfg.WithoutSink || d.cfg.SpeculateAge < 0 || !d.allAdded || d.draining || d.queued() > 0 {
		return false
	}
	idle := 0
	for _, p := range d.available {
		if len(p.held) == 0 && d.mayBeSent(p) {
			idle += p.slots
		}
	}
	if idle == 0 {
		return false
	}
	var old []*Task
	for _, t := range d.deadlines { // at this point, as many as the workers hold
		if t.state == leased && len(t.holders) == 1 && now.Sub(t.sent) >= d.cfg.SpeculateAge {
			old = append(old, t)
		}
	}
	slices.SortFunc(old, func(a, b *Task) int { return a.sent.Compare(b.sent) })
	for _, t := range old[:min(len(old), idle)] {
		d.requeue(t)
	}
	return len(old) > 0
}
