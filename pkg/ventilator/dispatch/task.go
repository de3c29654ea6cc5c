package dispatch

import (
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// Image is what the dispatcher keeps of a found image.
type Image struct {
	Name   string // name of the image in the run: slash-separated, relative
	Path   string // where it is, for people; the dispatcher only keeps it
	Size   int64  // bytes
	Origin any    // what the caller reads it from; the dispatcher only keeps it
}

// Task is an image that was found and is not settled. Only the goroutine that owns the dispatcher may read it; a
// pointer to it may go anywhere, as a handle.
type Task struct {
	Image
	ID    taskid.ID
	Found time.Time // when the task was added

	state      state
	deliveries int            // deliveries so far
	failures   int            // deliveries that failed or whose lease expired
	losses     int            // deliveries that were lost with a connection or with a sink
	detail     string         // of the last failure
	failedBy   []string       // families of the workers that failed or lost deliveries
	unreferred bool           // a worker may not open what the task refers to
	open       []openDelivery // deliveries that the task still waits for

	message       []byte // set while ready
	read          bool   // once at least
	budgeted      int64  // bytes of the message that count as in flight
	holders       []*peer
	sent          time.Time // of the newest delivery
	deadline      time.Time // when the lease or the backoff ends
	deadlineIndex int       // in the heap of deadlines; −1: not in it

	unnamed    map[string]struct{} // outputs that a stranger has not named yet; nil: no stranger has had the task
	shortLease bool                // names of the newest delivery may have been missed: see ShortenStrangerLeases

	resultAt      string // instance of the sink that has received a result; empty: none, or the instance is unknown
	maybeResultAt string // instance that may have received a result and ended before it said so; empty: none
	omitted       int    // heartbeats of the holder that left the task out since maybeResultAt was set
}

// openDelivery is a delivery that may still be reported as failed.
type openDelivery struct {
	number int
	peer   *peer
}

// closeDeliveries forgets the open deliveries to p.
func (t *Task) closeDeliveries(p *peer) {
	t.open = slices.DeleteFunc(t.open, func(o openDelivery) bool { return o.peer == p })
}

// Deliveries returns how often the task was sent to a worker, or could not be read.
func (t *Task) Deliveries() int { return t.deliveries }

// Sent reports whether the task was ever sent to a worker.
func (t *Task) Sent() bool { return !t.sent.IsZero() }

// Detail returns why the last failed delivery failed; empty if none did.
func (t *Task) Detail() string { return t.detail }

// Unreferred reports whether the task is to be sent with its image, not with a reference that a worker may not open.
func (t *Task) Unreferred() bool { return t.unreferred }

// Held reports whether a worker holds the task.
func (t *Task) Held() bool { return len(t.holders) > 0 }

// UnderWay reports whether the task has a message that waits for a peer or is with one.
func (t *Task) UnderWay() bool { return t.state == ready || t.state == leased }

// Holder returns the name of the worker that received the newest delivery; empty if no worker holds the task.
func (t *Task) Holder() string {
	if n := len(t.holders); n > 0 {
		return t.holders[n-1].name
	}
	return ""
}

// State names the task's state for people.
func (t *Task) State() string { return t.state.String() }

// state is where an unsettled task stands. docs/ARCHITECTURE.md draws the states and their transitions.
type state uint8

const (
	due        state = iota // waits to be read
	reading                 // a reader has it
	ready                   // its message waits for a peer
	leased                  // one or two peers hold it, or its result is being committed
	backingOff              // a delivery failed; waits for the next
)

func (s state) String() string {
	return [...]string{"due", "being read", "ready", "leased", "backing off"}[s]
}
