package ventilator

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// chaos does to a dispatcher whatever can happen to it, in any order.
type chaos struct {
	*rand.Rand
	d       *dispatcher
	now     time.Time
	reading []*task    // at readers
	sent    []delivery // not yet handed over
	found   int
	lastID  zsock.PeerID
}

// take removes one of list, and reports false when there is none.
func take[T any](c *chaos, list *[]T) (one T, ok bool) {
	if len(*list) == 0 {
		return one, false
	}
	i := c.IntN(len(*list))
	one = (*list)[i]
	*list = append((*list)[:i], (*list)[i+1:]...)
	return one, true
}

// anyTask is one that was found, settled or not.
func (c *chaos) anyTask() int { return c.IntN(max(1, c.found)) }

func (c *chaos) step() {
	d := c.d
	c.now = c.now.Add(time.Duration(c.IntN(3000)) * time.Millisecond)
	switch c.IntN(16) {
	case 0, 1:
		if !d.draining {
			d.add(image{Name: "x.jpg", Size: int64(1 + c.IntN(100))}, nthID(c.found), c.now)
			c.found++
		}
	case 2, 3:
		if t := d.nextRead(); t != nil {
			c.reading = append(c.reading, t)
		}
	case 4, 5:
		if t, ok := take(c, &c.reading); ok {
			d.wasRead(t, []byte("m"))
		}
	case 6:
		if t, ok := take(c, &c.reading); ok {
			d.unreadable(t, "gone", c.now)
		}
	case 7, 8, 9:
		if dl, ok := d.assign(c.now); ok {
			c.sent = append(c.sent, dl)
		}
	case 10:
		if dl, ok := take(c, &c.sent); ok {
			d.handedOver(dl.task, dl.task.size)
		}
	case 11:
		d.settle(&wire.Receipt{Outcome: outcome.Done}, nthID(c.anyTask()))
	case 12:
		d.answered(nthID(c.anyTask()), "w", []string{"", "a", "b"}[c.IntN(3)], c.now)
	case 13:
		d.failed(nthID(c.anyTask()), &wire.Receipt{Worker: "w", Detail: "no", Delivery: c.IntN(3)}, c.now)
		d.missedFailure(nthID(c.anyTask()), &wire.Receipt{Worker: "w", Detail: "no", Delivery: c.IntN(3)}, c.now)
		d.sinkChanged("a", "b")
		d.lost(nthID(c.anyTask()), "b", c.now)
	case 14:
		c.lastID++
		d.peerUp(c.lastID, []string{identity(1, 3), ""}[c.IntN(2)])
		d.peerDown(c.lastID-zsock.PeerID(c.IntN(4)), c.now)
	case 15:
		stuck := time.Time{} // never
		if c.IntN(2) == 0 {
			stuck = c.now
		}
		d.ring(c.now, stuck)
		d.fed = c.IntN(4) == 0
		d.speculate(c.now)
		d.heard(&wire.Heartbeat{Worker: "w", Held: []string{nthID(c.anyTask()).String()}}, c.now)
		if c.IntN(50) == 0 {
			d.drain(c.now)
		}
	}
}

func (c *chaos) check(t *testing.T) {
	t.Helper()
	bytes, leases, held := int64(0), int64(0), 0
	for _, task := range c.reading {
		bytes += task.size
	}
	for _, dl := range c.sent {
		bytes += dl.task.size
	}
	for _, task := range c.d.ready.items[c.d.ready.head:] {
		bytes += task.size
	}
	if c.d.inflight != bytes {
		t.Fatalf("%d bytes are in flight, %d are counted", bytes, c.d.inflight)
	}
	for _, task := range c.d.tasks {
		if task.state == leased {
			leases++
		}
		if waits := task.state == leased || task.state == resting; waits != (task.index >= 0) {
			t.Fatalf("a task that is %s has alarm %d", task.state, task.index)
		}
		held += len(task.holders)
	}
	if c.d.counts.Leased != leases {
		t.Fatalf("%d tasks are leased, %d are counted", leases, c.d.counts.Leased)
	}
	for _, p := range c.d.peers {
		held -= len(p.held)
		if len(p.held) > p.prefetch || p.hasRoom() != (p.index >= 0) {
			t.Fatalf("a peer holds %d of %d and has place %d in the heap", len(p.held), p.prefetch, p.index)
		}
	}
	if held != 0 {
		t.Fatalf("tasks and peers differ by %d in who holds what", held)
	}
	if n := c.d.counts.Unsettled(); n != int64(len(c.d.tasks)) {
		t.Fatalf("%d tasks are unsettled, %d are counted", len(c.d.tasks), n)
	}
}

func TestWhateverHappensBytesAndTasksAreCountedOnce(t *testing.T) {
	for seed := range uint64(300) {
		d := newTestDispatcher(func(c *Config) { c.MaxInflightBytes = 500 })
		d.onDead = func(dead *task) { d.settle(&wire.Receipt{Outcome: outcome.Dead}, dead.id) }
		d.hearing = true
		c := &chaos{Rand: rand.New(rand.NewPCG(seed, 0)), d: d, now: time.Now()}
		for range 1000 {
			c.step()
			c.check(t)
		}
	}
}
