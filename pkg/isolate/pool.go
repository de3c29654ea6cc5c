package isolate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// ErrStopped is the error of a transform that had no child yet when the Engine stopped.
var ErrStopped = errors.New("isolate: the engine has stopped")

// Turns is how many tasks a child may have: the one that it is at, and the next, which waits in it, so that the child goes on
// at once. An Engine takes up so many transforms for each of its Slots. A task that waits in a child goes to no other that
// comes free meanwhile, so there are no more. Where there is no shared memory a child has one.
const Turns = 2

// want is what child a transform needs.
type want int

const (
	anyChild   want = iota // also one that is at another task
	idleChild              // one that is at none, and alone
	freshChild             // one that has done nothing yet, and alone
)

// pool hands ready children to transforms, and knows which children there are.
type pool struct {
	slots int
	turns int // that a child may have: Turns, or one where images go through pipes; set before the first child is added

	mu      sync.Mutex
	alive   map[*child]struct{} // ready and not known to have ended
	idle    []*child            // the one used last is the last: its memory is warm
	waiting []*waiter           // in order of arrival, but those who need a fresh child first
	lent    map[*child]int      // those that transforms have, dead ones, too, and how many
	apart   map[*child]struct{} // those of them that one transform has alone
	back    sync.Cond           // one of them has been given back
	closed  bool
	drained chan struct{} // closed when closed is true and nothing is lent
}

// waiter is a transform that waits for a child.
type waiter struct {
	want want
	got  chan offer
}

type offer struct {
	c   *child
	err error
}

func newPool(slots int) *pool {
	p := &pool{
		slots: slots, turns: Turns, alive: make(map[*child]struct{}), lent: make(map[*child]int),
		apart:   make(map[*child]struct{}),
		drained: make(chan struct{}),
	}
	p.back.L = &p.mu
	return p
}

// acquire waits for such a child, which the caller gives back with release. The error is the context's cause, ErrStopped, or
// tells that no child can be started.
func (p *pool) acquire(ctx context.Context, want want) (*child, error) {
	w := &waiter{want: want, got: make(chan offer, 1)}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrStopped
	}
	at := len(p.waiting)
	if want == freshChild {
		at = 0
	}
	p.waiting = slices.Insert(p.waiting, at, w)
	p.match()
	p.mu.Unlock()
	select {
	case o := <-w.got:
		return o.c, o.err
	case <-ctx.Done():
	}
	p.mu.Lock()
	p.waiting = slices.DeleteFunc(p.waiting, func(x *waiter) bool { return x == w })
	p.match() // others may have waited for w to be served
	p.mu.Unlock()
	select {
	case o := <-w.got: // it came too late to be of use
		if o.c != nil {
			p.release(o.c)
		}
	default:
	}
	return nil, context.Cause(ctx)
}

// match gives children to those who wait for them. The caller holds mu.
func (p *pool) match() {
	p.makeRoom()
	for i := 0; i < len(p.waiting); {
		w := p.waiting[i]
		c := p.pick(w.want)
		if c == nil {
			i++
			continue
		}
		p.waiting = slices.Delete(p.waiting, i, i+1)
		p.lent[c]++
		if w.want != anyChild {
			p.apart[c] = struct{}{}
		}
		w.got <- offer{c: c}
	}
}

// pick takes a child for who wants one, or returns nil if there is none.
func (p *pool) pick(want want) *child {
	at := len(p.idle) - 1
	if want == freshChild {
		at = slices.IndexFunc(p.idle, (*child).fresh)
	}
	if at >= 0 {
		c := p.idle[at]
		p.idle = slices.Delete(p.idle, at, at+1)
		return c
	}
	if want != anyChild || slices.ContainsFunc(p.waiting, func(w *waiter) bool { return w.want != anyChild }) {
		return nil // a child that always has a next task is never idle
	}
	if len(p.alive) < p.slots {
		return nil // one that is about to come may be sooner
	}
	var next *child
	for c := range p.alive {
		if !c.wellBehaved() {
			return nil // it is about to be replaced
		}
		if _, apart := p.apart[c]; !apart && p.lent[c] > 0 && p.lent[c] < p.turns {
			next = c
		}
	}
	return next
}

func (p *pool) freshNeeded() bool {
	return slices.ContainsFunc(p.waiting, func(w *waiter) bool { return w.want == freshChild })
}

// makeRoom ends an idle child if somebody waits for a fresh one and none is there or on its way.
func (p *pool) makeRoom() {
	if !p.freshNeeded() || len(p.idle) == 0 || len(p.alive) < p.slots || slices.ContainsFunc(p.idle, (*child).fresh) {
		return
	}
	for c := range p.alive {
		if !c.wellBehaved() {
			return // it is about to be replaced
		}
	}
	c := p.idle[0]
	p.idle = slices.Delete(p.idle, 0, 1)
	delete(p.alive, c)
	c.retire(Replaced)
}

// add makes a new child available.
func (p *pool) add(c *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.retire(Stopped)
		return
	}
	p.alive[c] = struct{}{}
	p.idle = append(p.idle, c)
	p.match()
}

// release takes back a child from a transform.
func (p *pool) release(c *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lent[c]--; p.lent[c] > 0 {
		p.match()
		return
	}
	delete(p.lent, c)
	delete(p.apart, c)
	p.back.Broadcast()
	_, alive := p.alive[c]
	switch {
	case p.closed:
		c.retire(Stopped)
		if len(p.lent) == 0 {
			close(p.drained)
		}
	case alive && c.wellBehaved():
		p.idle = append(p.idle, c)
		p.match()
	}
}

// remove forgets a child that has ended.
func (p *pool) remove(c *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.alive, c)
	p.idle = slices.DeleteFunc(p.idle, func(x *child) bool { return x == c })
}

// awaitReturn waits until no transform has c, which has ended: one that had it may still be at the memory of its slot.
func (p *pool) awaitReturn(c *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if _, lent := p.lent[c]; !lent {
			return
		}
		p.back.Wait()
	}
}

// startFailed tells those who wait that a child could not be started, unless others may still come free for them.
func (p *pool) startFailed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = slices.DeleteFunc(p.waiting, func(w *waiter) bool {
		if w.want != freshChild && len(p.alive) > 0 {
			return false
		}
		w.got <- offer{err: fmt.Errorf("isolate: %w", err)}
		return true
	})
}

// close turns all who wait away, ends idle children, and lets busy ones end when they are released.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, w := range p.waiting {
		w.got <- offer{err: ErrStopped}
	}
	p.waiting = nil
	for _, c := range p.idle {
		c.retire(Stopped)
	}
	p.idle = nil
	if len(p.lent) == 0 {
		close(p.drained)
	}
}

// children returns those that are alive.
func (p *pool) children() (all []*child, busy int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.alive {
		all = append(all, c)
	}
	return all, len(p.lent)
}
