package dispatch

import "time"

// maxReady bounds how many messages wait for a peer, however small they are. Beyond maxReadyBytes in flight only one
// message for each slot waits: what is sent soon after it was read is still in the processor's caches.
const (
	maxReady      = 1024
	maxReadyBytes = 8 << 20
)

// NextRead returns the next task that the caller is to read. It returns nil while none is due, the byte budget is
// used up, or enough messages are ready. One message may exceed the budget on its own; otherwise the largest image
// could never be sent. An image of unknown size counts as the largest of these so far, the first as the whole budget.
func (d *Dispatcher) NextRead() *Task {
	if d.ready.len() >= maxReady || d.bytesInFlight >= maxReadyBytes && d.ready.len() >= d.slots {
		return nil
	}
	for _, q := range []*fifo[*Task]{&d.redeliveries, &d.added} {
		for q.len() > 0 {
			t := q.first()
			if t.state != due || d.tasks[t.ID] != t { // settled meanwhile
				q.pop()
				continue
			}
			size := t.Size
			if size == 0 {
				size = d.unknownSize
			}
			if d.bytesInFlight > 0 && d.bytesInFlight+size > d.cfg.MaxInflightBytes {
				return nil
			}
			q.pop()
			t.budgeted = size
			d.setState(t, reading)
			d.bytesInFlight += t.budgeted
			return t
		}
	}
	return nil
}

// FinishRead takes the message of a task that NextRead returned.
func (d *Dispatcher) FinishRead(t *Task, message []byte) {
	if d.tasks[t.ID] != t || t.state != reading { // settled meanwhile
		d.bytesInFlight -= t.budgeted
		return
	}
	n := int64(len(message))
	if t.Size == 0 { // unknown until now, as of an image on a web server
		d.bytesInFlight -= t.budgeted
		t.budgeted = 0
		if d.unknownSize = max(d.unknownSize, n); !d.knowsUnknown {
			d.unknownSize, d.knowsUnknown = n, true
		}
	}
	if more := n - t.budgeted; more > 0 { // a web server may also send more than it says
		t.budgeted += more
		d.bytesInFlight += more
	}
	t.message, t.read = message, true
	d.setState(t, ready)
	d.ready.push(t)
}

// BudgetReference says that the message of a task that NextRead returned has only n bytes, because it refers to the
// image.
func (d *Dispatcher) BudgetReference(t *Task, n int64) {
	d.bytesInFlight += n - t.budgeted
	t.budgeted = n
}

// FailRead says that a task that NextRead returned could not be read. The delivery counts as failed.
func (d *Dispatcher) FailRead(t *Task, detail string, now time.Time) {
	d.bytesInFlight -= t.budgeted
	switch {
	case d.tasks[t.ID] != t || t.state != reading: // settled meanwhile
	case t.Held(): // it was read for a second worker; the first goes on
		d.keepLeased(t, now)
	default:
		t.deliveries++
		d.fail(t, detail, now)
	}
}

// RejectRead says that a task that NextRead returned is to be rejected as it is now. It returns whether the caller is
// to settle it: not when it is settled already, or when a worker holds an earlier copy.
func (d *Dispatcher) RejectRead(t *Task, now time.Time) bool {
	d.bytesInFlight -= t.budgeted
	switch {
	case d.tasks[t.ID] != t:
		return false
	case t.Held():
		d.keepLeased(t, now)
		return false
	}
	d.Withhold(t, now)
	return true
}

// WithdrawRead says that the image of a task that NextRead returned is not there any more as it was found. The task is
// forgotten as if the run had not found it, unless a worker holds an earlier copy.
func (d *Dispatcher) WithdrawRead(t *Task, now time.Time) {
	d.bytesInFlight -= t.budgeted
	switch {
	case d.tasks[t.ID] != t || t.state != reading: // settled meanwhile
	case t.Held():
		d.keepLeased(t, now)
	default:
		d.leaveForNextRun(t)
	}
}

// Withhold keeps a task from being sent while the caller has the sink settle it. If that never succeeds, the task is
// delivered after the longest backoff.
func (d *Dispatcher) Withhold(t *Task, now time.Time) {
	d.setState(t, backingOff)
	d.setDeadline(t, now.Add(d.cfg.BackoffMax))
}

// ReleaseBytes takes bytes of a delivery out of the budget, once the connection has sent or lost its message.
func (d *Dispatcher) ReleaseBytes(n int64) { d.bytesInFlight -= n }
