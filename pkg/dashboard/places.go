package dashboard

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// holdAlone is how long a client may hold a place while others wait for one.
const holdAlone = time.Second

// places bounds how many answers are sent at the same time that need memory or an open file until their client has
// taken them. A client that takes its answer slowly is cut off as soon as another one needs its place.
type places struct {
	free int
	mu   sync.Mutex
	held []*place      // oldest first
	left chan struct{} // closed when a place becomes free
}

type place struct {
	since time.Time
	cut   func()
}

func newPlaces(n int) *places { return &places{free: n, left: make(chan struct{})} }

// take waits for a place, at most holdAlone after another waiting client got one. It calls cut, at most once and not
// after leave, when another client needs the place. ok is false when ctx ended first.
func (p *places) take(ctx context.Context, cut func()) (leave func(), ok bool) {
	mine := &place{cut: cut}
	timer := time.NewTimer(holdAlone)
	defer timer.Stop()
	for {
		now := time.Now()
		p.mu.Lock()
		var wait time.Duration
		if p.free == 0 {
			if wait = p.held[0].since.Add(holdAlone).Sub(now); wait <= 0 {
				p.held[0].cut()
				p.removeLocked(p.held[0])
			}
		}
		if p.free > 0 {
			p.free--
			mine.since = now
			p.held = append(p.held, mine)
			p.mu.Unlock()
			return func() { p.leave(mine) }, true
		}
		left := p.left
		p.mu.Unlock()
		timer.Reset(wait)
		select {
		case <-left:
		case <-timer.C:
		case <-ctx.Done():
			return nil, false
		}
	}
}

func (p *places) leave(mine *place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.removeLocked(mine)
}

// removeLocked frees a place, unless that was done already. p.mu must be held.
func (p *places) removeLocked(gone *place) {
	for i, q := range p.held {
		if q == gone {
			p.held = append(p.held[:i], p.held[i+1:]...)
			p.free++
			close(p.left)
			p.left = make(chan struct{})
			return
		}
	}
}

// takePlace takes a place for the answer of a request. The caller calls leave when the answer has been sent.
func (p *places) takePlace(w http.ResponseWriter, r *http.Request) (leave func(), ok bool) {
	control := http.NewResponseController(w)
	return p.take(r.Context(), func() {
		_ = control.SetWriteDeadline(time.Now().Add(-time.Second)) // not every ResponseWriter has deadlines
	})
}
