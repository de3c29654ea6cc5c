package dispatch

import (
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Settle ends the task with this id by its receipt, and reports whether it was unsettled.
func (d *Dispatcher) Settle(r *wire.Receipt, id taskid.ID) bool {
	t := d.tasks[id]
	if t == nil {
		return false
	}
	d.forget(t)
	if len(t.holders) == 1 { // of two, nobody knows here which one answered
		t.holders[0].answered++
	}
	d.releaseHolders(t)
	refused := r.Outcome == outcome.Rejected || r.Outcome == outcome.Dead
	if r.Outcome != outcome.Skipped && (t.read || !refused) { // else its size is what a web server claims, at most
		d.counts.Bytes += t.Size
	}
	d.counts.Count(r.Outcome)
	if r.Stranger {
		d.counts.Strangers++
	}
	if r.Unproven {
		d.counts.Unproven++
	}
	if len(r.Refused) > 0 {
		d.counts.Partly++
	}
	return true
}

// Replaced takes back the count of an image that was settled with that outcome: it has changed, and has been settled
// again.
func (d *Dispatcher) Replaced(o outcome.Outcome) { d.counts.Uncount(o) }

// HandOver ends the task with this id, and reports whether it was unsettled. It is for a run without a sink, when a
// connection has sent the task: what becomes of it is unknown.
func (d *Dispatcher) HandOver(id taskid.ID) bool {
	t := d.tasks[id]
	if t == nil {
		return false
	}
	d.forget(t)
	d.releaseHolders(t)
	d.counts.HandedOut++
	return true
}

// forget removes t from the unsettled tasks. The queues notice it when they reach t.
func (d *Dispatcher) forget(t *Task) {
	delete(d.tasks, t.ID)
	d.clearDeadline(t)
	if t.state == leased {
		d.counts.Leased--
	}
	d.forgetOutputs(t)
}

// Drain leaves every task that is not leased for the next run, and returns how many these are. From then on a task
// that is to be delivered again is left, too. A leased task is waited for even when no peer holds it: then its result
// is being committed. A task that was about to be sent to a second worker stays with its first.
func (d *Dispatcher) Drain(now time.Time) int {
	left := 0
	for _, t := range d.tasks {
		switch {
		case t.state == leased:
		case t.Held():
			d.keepLeased(t, now)
		default:
			d.leaveForNextRun(t)
			left++
		}
	}
	d.allAdded, d.draining = true, true
	return left
}

// leaveForNextRun forgets t as if this run had not found it.
func (d *Dispatcher) leaveForNextRun(t *Task) {
	d.forget(t)
	d.counts.Found--
}
