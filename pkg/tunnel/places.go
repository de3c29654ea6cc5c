package tunnel

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// admissionGrace is how long a program that the farm has not admitted keeps its place while others wait for one. A
// program needs a few round trips to the farm until it is admitted.
const admissionGrace = 500 * time.Millisecond

// greetingGrace is how long a program that has sent nothing yet is waited for while others want to connect.
const greetingGrace = 20 * time.Millisecond

// greetingSize is how much the farm sends to everybody. It sends more once it has admitted a program.
const greetingSize = 64

// places bounds the connections of programs. When all places are taken, the connection that has waited longest to be
// admitted makes room, so that programs that say nothing keep nobody out.
type places struct {
	grace  time.Duration // how long a connection that is not admitted keeps its place while others wait
	turn   chan struct{} // of those who wait for a place, the one that gets the next holds it
	tokens chan struct{} // one for each connection, and for each that may be accepted
	mu     sync.Mutex
	begun  []*passage // oldest first
}

// passage is a connection of a program.
type passage struct {
	since    time.Time
	cut      context.CancelFunc // ends it
	admitted atomic.Bool        // it keeps its place
}

func newPlaces(n int, grace time.Duration) *places {
	return &places{grace: grace, turn: make(chan struct{}, 1), tokens: make(chan struct{}, n)}
}

// take waits for a place, and makes room when all are taken. Callers get places in their order. It returns false when
// ctx ends first.
func (s *places) take(ctx context.Context) bool {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return false
	}
	for {
		wait := time.NewTimer(s.makeRoom(time.Now()))
		select {
		case s.tokens <- struct{}{}:
			wait.Stop()
			return true
		case <-ctx.Done():
			wait.Stop()
			return false
		case <-wait.C:
		}
	}
}

// giveBack frees a place that was taken and not used.
func (s *places) giveBack() { <-s.tokens }

// begin notes the connection that has a place that was taken.
func (s *places) begin(cut context.CancelFunc) *passage {
	p := &passage{since: time.Now(), cut: cut}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = append(s.begun, p)
	return p
}

// end frees the place of a connection.
func (s *places) end(p *passage) {
	s.mu.Lock()
	s.begun = slices.DeleteFunc(s.begun, func(q *passage) bool { return q == p })
	s.mu.Unlock()
	s.giveBack()
}

// makeRoom ends the oldest connection that is not admitted after its grace. It returns when to call it again.
func (s *places) makeRoom(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range s.begun {
		if p.admitted.Load() {
			continue
		}
		if left := s.grace - now.Sub(p.since); left > 0 {
			return left
		}
		p.cut()
		s.begun = slices.Delete(s.begun, i, i+1)
		break
	}
	return s.grace
}

// heard notes that the farm has admitted a program once it has sent more than its greeting.
type heard struct {
	io.Reader
	passage *passage
	bytes   int64
}

func (h *heard) Read(b []byte) (int, error) {
	n, err := h.Reader.Read(b)
	if h.bytes += int64(n); h.bytes > greetingSize {
		h.passage.admitted.Store(true)
	}
	return n, err
}
