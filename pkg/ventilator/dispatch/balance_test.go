package dispatch

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// chaos calls a dispatcher's methods in random order, as a run might.
type chaos struct {
	*rand.Rand
	d       *Dispatcher
	now     time.Time
	reading []*Task    // being read
	sent    []Delivery // not yet sent
	found   int
	lastID  PeerID
}

// take removes a random element of list; ok is false when list is empty.
func take[T any](c *chaos, list *[]T) (one T, ok bool) {
	if len(*list) == 0 {
		return one, false
	}
	i := c.IntN(len(*list))
	one = (*list)[i]
	*list = append((*list)[:i], (*list)[i+1:]...)
	return one, true
}

// anyTask returns the number of a random task that was added, settled or not.
func (c *chaos) anyTask() int { return c.IntN(max(1, c.found)) }

func (c *chaos) step() {
	d := c.d
	c.now = c.now.Add(time.Duration(c.IntN(3000)) * time.Millisecond)
	switch c.IntN(16) {
	case 0, 1:
		if !d.draining {
			d.Add(Image{Name: "x.jpg", Size: int64(1 + c.IntN(100))}, nthID(c.found), c.now)
			c.found++
		}
	case 2, 3:
		if t := d.NextRead(); t != nil {
			c.reading = append(c.reading, t)
		}
	case 4, 5:
		if t, ok := take(c, &c.reading); ok {
			d.FinishRead(t, []byte("m"))
		}
	case 6:
		if t, ok := take(c, &c.reading); ok {
			d.FailRead(t, "gone", c.now)
		}
	case 7, 8, 9:
		if dl, ok := d.Assign(c.now); ok {
			c.sent = append(c.sent, dl)
		}
	case 10:
		if dl, ok := take(c, &c.sent); ok {
			d.ReleaseBytes(dl.Size)
		}
	case 11:
		d.Settle(&wire.Receipt{Outcome: outcome.Done}, nthID(c.anyTask()))
	case 12:
		d.ReleaseWorker(nthID(c.anyTask()), "w", []string{"", "a", "b"}[c.IntN(3)], c.now)
	case 13:
		d.RecordFailure(nthID(c.anyTask()), &wire.Receipt{Worker: "w", Detail: "no", Delivery: c.IntN(3)}, c.now)
		d.RecordMissedFailure(nthID(c.anyTask()), &wire.Receipt{Worker: "w", Detail: "no", Delivery: c.IntN(3)}, c.now)
		d.SinkRestarted("a", "b")
		d.RequeueLostResult(nthID(c.anyTask()), "b", c.now)
	case 14:
		c.lastID++
		d.AddPeer(c.lastID, []string{identity(1, 3), ""}[c.IntN(2)], "")
		d.RemovePeer(c.lastID-PeerID(c.IntN(4)), c.now)
	case 15:
		blocked := time.Time{} // never
		if c.IntN(2) == 0 {
			blocked = c.now
		}
		d.AdvanceTime(c.now, blocked)
		d.allAdded = c.IntN(4) == 0
		d.Speculate(c.now)
		d.RecordHeartbeat(&wire.Heartbeat{Worker: "w", Held: []string{nthID(c.anyTask()).String()}}, c.now)
		if c.IntN(50) == 0 {
			d.Drain(c.now)
		}
	}
}

func (c *chaos) check(t *testing.T) {
	t.Helper()
	bytes, leases, held := int64(0), int64(0), 0
	for _, task := range c.reading {
		bytes += task.budgeted
	}
	for _, dl := range c.sent {
		bytes += dl.Size
	}
	for _, task := range c.d.ready.items[c.d.ready.head:] {
		bytes += task.budgeted
	}
	if c.d.bytesInFlight != bytes {
		t.Fatalf("%d bytes are in flight, but %d are counted", bytes, c.d.bytesInFlight)
	}
	for _, task := range c.d.tasks {
		if task.state == leased {
			leases++
		}
		if waits := task.state == leased || task.state == backingOff; waits != (task.deadlineIndex >= 0) {
			t.Fatalf("a task that is %s has place %d in the heap of deadlines", task.state, task.deadlineIndex)
		}
		held += len(task.holders)
	}
	if c.d.counts.Leased != leases {
		t.Fatalf("%d tasks are leased, but %d are counted", leases, c.d.counts.Leased)
	}
	for _, p := range c.d.peers {
		held -= len(p.held)
		if len(p.held) > p.prefetch || p.canTake() != (p.index >= 0) {
			t.Fatalf("a peer holds %d tasks of %d and has place %d among the available", len(p.held), p.prefetch, p.index)
		}
	}
	if held != 0 {
		t.Fatalf("tasks and peers differ by %d in which peer holds which task", held)
	}
	if n := c.d.counts.Unsettled(); n != int64(len(c.d.tasks)) {
		t.Fatalf("%d tasks are unsettled, but %d are counted", len(c.d.tasks), n)
	}
}

func TestBytesAndTasksAreCountedOnceInAnyOrderOfCalls(t *testing.T) {
	for seed := range uint64(300) {
		c := &chaos{Rand: rand.New(rand.NewPCG(seed, 0)), now: time.Now()}
		c.d = newTestDispatcher(func(cfg *Config) {
			cfg.MaxInflightBytes = 500
			cfg.Jitter = func(limit time.Duration) time.Duration { return time.Duration(c.Int64N(int64(limit) + 1)) }
			cfg.OnDead = func(dead *Task) { c.d.Settle(&wire.Receipt{Outcome: outcome.Dead}, dead.ID) }
		})
		c.d.SetEventsConnected(true)
		for range 1000 {
			c.step()
			c.check(t)
		}
	}
}
