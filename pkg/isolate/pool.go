package isolate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// ErrStopped is the error of a transform that still waited for a child when the Engine stopped.
var ErrStopped = errors.New("isolate: the engine has stopped")

// Turns is how many tasks a child may have: one at work and one queued, so that it goes on at once. An Engine takes up
// that many transforms for each of its Slots. A queued task stays with its child even when another child comes free, so
// more would only delay it. Without shared memory a child has one task.
const Turns = 2

// want says which children a transform can use.
type want int

const (
	anyChild   want = iota // a busy one, too: the transform is queued in it
	idleChild              // an idle one, with nothing queued behind the transform
	freshChild             // an idle one that has been sent no task yet, with nothing queued behind
)

// pool keeps the children and hands them to transforms.
type pool struct {
	slots int
	turns int // tasks that a child may have: Turns, or 1 without shared memory; set before the first child is added

	mu        sync.Mutex
	libraries Libraries           // that any transform has needed so far
	alive     map[*child]struct{} // ready and not known to have ended
	idle      []*child            // the one used last comes last and is used next: its memory is in the caches
	waiting   []*waiter           // those that need a fresh child first, then in order of arrival
	lent      map[*child]int      // children that transforms use, dead ones too, with the number of transforms
	exclusive map[*child]struct{} // of these, the ones that one transform uses alone
	unused    sync.Cond           // signals that a child is used by no transform any more
	closed    bool
	drained   chan struct{} // closed when closed is true and nothing is lent
}

// waiter is a transform that waits for a child.
type waiter struct {
	want      want
	libraries Libraries
	got       chan offer
}

type offer struct {
	c   *child
	err error
}

func newPool(slots int) *pool {
	p := &pool{
		slots: slots, turns: Turns, alive: make(map[*child]struct{}), lent: make(map[*child]int),
		exclusive: make(map[*child]struct{}),
		drained:   make(chan struct{}),
	}
	p.unused.L = &p.mu
	return p
}

// acquire waits for a child of the wanted kind that has the libraries; the caller returns it with release. The error is
// the context's cause, ErrStopped, or why no child can be started.
func (p *pool) acquire(ctx context.Context, want want, libraries Libraries) (*child, error) {
	w := &waiter{want: want, libraries: libraries, got: make(chan offer, 1)}
	p.mu.Lock()
	p.libraries |= libraries
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
	p.match() // others may have waited behind w
	p.mu.Unlock()
	select {
	case o := <-w.got: // the child came when ctx had ended
		if o.c != nil {
			p.release(o.c)
		}
	default:
	}
	return nil, context.Cause(ctx)
}

// match gives children to waiting transforms. The caller holds mu.
func (p *pool) match() {
	p.makeRoom()
	for i := 0; i < len(p.waiting); {
		w := p.waiting[i]
		c := p.pick(w)
		if c == nil {
			i++
			continue
		}
		p.waiting = slices.Delete(p.waiting, i, i+1)
		p.lent[c]++
		if w.want != anyChild {
			p.exclusive[c] = struct{}{}
		}
		w.got <- offer{c: c}
	}
	p.replaceLacking() // for those for whom nothing was left
}

// pick returns a child for w and marks it as not idle, or returns nil. The caller holds mu.
func (p *pool) pick(w *waiter) *child {
	at := len(p.idle) - 1
	for at >= 0 && !w.canUse(p.idle[at]) {
		at--
	}
	if at >= 0 {
		c := p.idle[at]
		p.idle = slices.Delete(p.idle, at, at+1)
		return c
	}
	if w.want != anyChild || slices.ContainsFunc(p.waiting, p.needsIdle) {
		return nil // queue nothing: the waiters would never see an idle child
	}
	if len(p.alive) < p.slots {
		return nil // a child is being started and will be idle sooner
	}
	var next *child
	for c := range p.alive {
		if !c.usable() {
			return nil // a replacement is about to start
		}
		if _, exclusive := p.exclusive[c]; !exclusive && p.lent[c] > 0 && p.lent[c] < p.turns && w.canUse(c) {
			next = c
		}
	}
	return next
}

// canUse reports whether an idle child is of the kind that w waits for.
func (w *waiter) canUse(c *child) bool {
	return c.libraries.has(w.libraries) && (w.want != freshChild || c.fresh())
}

// needsIdle reports whether w waits until a child is idle: until it has that child for itself, or until it is replaced
// because none has the libraries. The caller holds mu.
func (p *pool) needsIdle(w *waiter) bool {
	return w.want != anyChild || !p.anyAlive(w.libraries)
}

// anyAlive reports whether a living child has the libraries. The caller holds mu.
func (p *pool) anyAlive(libraries Libraries) bool {
	for c := range p.alive {
		if c.libraries.has(libraries) {
			return true
		}
	}
	return false
}

// needed returns the libraries that a new child is to load.
func (p *pool) needed() Libraries {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.libraries
}

func (p *pool) freshNeeded() bool {
	return slices.ContainsFunc(p.waiting, func(w *waiter) bool { return w.want == freshChild })
}

// makeRoom retires idle children that nobody who waits can use. The caller holds mu.
func (p *pool) makeRoom() {
	p.replaceLacking()
	p.replaceUsed()
}

// replaceLacking retires idle children that lack libraries: as many as there are transforms that need such libraries,
// less those for which another child is idle or being started. The caller holds mu.
func (p *pool) replaceLacking() {
	lacking := func(c *child) bool { return !c.libraries.has(p.libraries) }
	short := len(p.alive) - p.slots
	for _, w := range p.waiting {
		if !slices.ContainsFunc(p.idle, w.canUse) {
			short++
		}
	}
	for ; short > 0; short-- {
		at := slices.IndexFunc(p.idle, lacking)
		if at < 0 {
			return
		}
		p.replaceIdle(at)
	}
}

// replaceIdle retires an idle child, so that a fresh one with all libraries is started in its slot. The caller holds
// mu.
func (p *pool) replaceIdle(at int) {
	c := p.idle[at]
	p.idle = slices.Delete(p.idle, at, at+1)
	delete(p.alive, c)
	c.retire(Replaced)
}

// replaceUsed retires an idle child if a transform waits for a fresh one and none exists or is being started. The
// caller holds mu.
func (p *pool) replaceUsed() {
	if !p.freshNeeded() || len(p.idle) == 0 || len(p.alive) < p.slots || slices.ContainsFunc(p.idle, (*child).fresh) {
		return
	}
	for c := range p.alive {
		if !c.usable() {
			return // a replacement is about to start
		}
	}
	p.replaceIdle(0)
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

// release takes back a child that a transform acquired.
func (p *pool) release(c *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lent[c]--; p.lent[c] > 0 {
		p.match()
		return
	}
	delete(p.lent, c)
	delete(p.exclusive, c)
	p.unused.Broadcast()
	_, alive := p.alive[c]
	switch {
	case p.closed:
		c.retire(Stopped)
		if len(p.lent) == 0 {
			close(p.drained)
		}
	case alive && c.usable():
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

// awaitUnused waits until no transform uses c, which has ended: one may still read the memory of its slot.
func (p *pool) awaitUnused(c *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if _, lent := p.lent[c]; !lent {
			return
		}
		p.unused.Wait()
	}
}

// startFailed fails the waiting transforms that no living child can serve, because a child could not be started.
func (p *pool) startFailed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = slices.DeleteFunc(p.waiting, func(w *waiter) bool {
		if w.want != freshChild && p.anyAlive(w.libraries) {
			return false
		}
		w.got <- offer{err: fmt.Errorf("isolate: %w", err)}
		return true
	})
}

// close fails all waiting transforms, retires idle children at once and busy ones when they are released.
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

// children returns the living children, and how many are busy.
func (p *pool) children() (all []*child, busy int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.alive {
		all = append(all, c)
	}
	return all, len(p.lent)
}
