package ventilator

import (
	"time"

	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// state is where an unsettled task stands. docs/ARCHITECTURE.md draws the whole.
type state uint8

const (
	due     state = iota // waits to be read
	reading              // a reader has it
	ready                // its message waits for a peer
	leased               // one peer has it, or two
	resting              // failed; waits out its backoff
)

// task is an image that is found and not settled.
type task struct {
	image
	id    taskid.ID
	state state
	found time.Time

	deliveries int // sendings so far
	failures   int // of them, those that failed or expired
	drops      int // of them, those whose connection was lost

	message []byte  // when ready
	size    int64   // bytes of the message that count against the budget
	holders []*peer // when leased, newest last
	sent    time.Time

	wake  time.Time // end of the lease or of the backoff
	index int       // in the alarm heap, −1 when not there

	missing map[string]struct{} // outputs that a stranger has not named yet; nil until a stranger holds it
	detail  string              // of the last failure
	failed  []int               // the deliveries of which a worker said that they failed

	suspect  string // the instance of the sink that may have had an answer and said nothing; empty: none
	unlisted int    // heartbeats of the worker that left the task out since it is suspected

	answeredBy string // the instance of the sink that has an answer to the newest delivery; empty: none, or it is unknown
}

// peer is a worker's connection.
type peer struct {
	id       zsock.PeerID
	name     string
	slots    int
	prefetch int
	stranger bool
	draining bool
	doubted  bool // a lease of its ran out, and nothing was heard of it since
	muted    bool // a stranger's word would not be heard now
	held     map[taskid.ID]*task
	turn     uint64 // when it was last given a task, in deliveries: ties go round
	index    int    // in the idle heap, −1 when not there
}

func (p *peer) hasRoom() bool {
	frozen := p.doubted && !p.stranger // it would give a sign of life, if it could
	return !p.draining && !p.muted && !frozen && len(p.held) < p.prefetch
}

// less orders peers: the emptiest, by slot, first, and those that are doubted last.
func (p *peer) less(q *peer) bool {
	if p.doubted != q.doubted {
		return q.doubted
	}
	if a, b := len(p.held)*q.slots, len(q.held)*p.slots; a != b {
		return a < b
	}
	return p.turn < q.turn
}

// peerHeap holds the peers that have room, emptiest first.
type peerHeap []*peer

func (h peerHeap) Len() int           { return len(h) }
func (h peerHeap) Less(i, j int) bool { return h[i].less(h[j]) }
func (h peerHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].index, h[j].index = i, j }
func (h *peerHeap) Push(x any)        { p := x.(*peer); p.index = len(*h); *h = append(*h, p) }
func (h *peerHeap) Pop() any {
	old := *h
	p := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	p.index = -1
	return p
}

// alarmHeap holds the tasks that time will do something to, earliest first.
type alarmHeap []*task

func (h alarmHeap) Len() int           { return len(h) }
func (h alarmHeap) Less(i, j int) bool { return h[i].wake.Before(h[j].wake) }
func (h alarmHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].index, h[j].index = i, j }
func (h *alarmHeap) Push(x any)        { t := x.(*task); t.index = len(*h); *h = append(*h, t) }
func (h *alarmHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}

// fifo is a queue that reuses its memory.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }
func (q *fifo[T]) push(v T) { q.items = append(q.items, v) }
func (q *fifo[T]) pop() T {
	var zero T
	v := q.items[q.head]
	q.items[q.head] = zero
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	} else if q.head > 1024 && q.head*2 > len(q.items) {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return v
}

// String names a state for people.
func (s state) String() string {
	return [...]string{"due", "being read", "ready", "leased", "resting"}[s]
}
