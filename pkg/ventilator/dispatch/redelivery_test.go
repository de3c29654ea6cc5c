package dispatch

import (
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// deliver sends the only task to a new peer, and returns the delivery.
func deliver(t *testing.T, d *Dispatcher, id PeerID, now time.Time) Delivery {
	t.Helper()
	d.readEverything()
	d.AddPeer(id, identity(1, 1), "")
	delivery, ok := d.Assign(now)
	if !ok {
		t.Fatalf("the task was not assigned to peer %d", id)
	}
	d.ReleaseBytes(delivery.Size)
	return delivery
}

// mishaps are the rows of the table in redelivery.go: what may happen to the delivery to a peer at a time.
func mishaps() map[string]struct {
	happen func(d *Dispatcher, dl Delivery, now time.Time)
	lost   bool // it counts as a quarter of a failure, and the task is due at once
} {
	id := nthID(0)
	return map[string]struct {
		happen func(d *Dispatcher, dl Delivery, now time.Time)
		lost   bool
	}{
		"a worker reported that it failed": {happen: func(d *Dispatcher, dl Delivery, now time.Time) {
			d.RecordFailure(id, &wire.Receipt{Worker: "w", Delivery: dl.Task.Deliveries()}, now)
		}},
		"the sink answered that it failed": {happen: func(d *Dispatcher, dl Delivery, now time.Time) {
			d.RecordMissedFailure(id, &wire.Receipt{Worker: "w", Delivery: dl.Task.Deliveries()}, now)
		}},
		"it could not be sent": {happen: func(d *Dispatcher, dl Delivery, now time.Time) {
			d.FailSend(dl, "no", now)
		}},
		"its lease expired": {happen: func(d *Dispatcher, _ Delivery, now time.Time) {
			d.setDeadline(d.tasks[id], now)
			d.AdvanceTime(now, time.Time{})
		}},
		"its worker's connection ended": {lost: true, happen: func(d *Dispatcher, dl Delivery, now time.Time) {
			d.RemovePeer(dl.Peer, now)
		}},
		"a sink ended that had its result": {lost: true, happen: func(d *Dispatcher, _ Delivery, now time.Time) {
			d.ReleaseWorker(id, "w", "first", now)
			d.RequeueLostResult(id, "second", now)
		}},
	}
}

func TestWhenATaskIsDeliveredAgain(t *testing.T) {
	for name, m := range mishaps() {
		d, now := newTestDispatcher(nil), time.Now()
		d.addN(1, now)
		m.happen(d, deliver(t, d, 1, now), now)
		task := d.tasks[nthID(0)]
		if m.lost {
			if task.state != due || task.failures != 0 || task.losses != 1 {
				t.Errorf("%s: the task is %s with %d failures and %d losses", name, task.state, task.failures, task.losses)
			}
			continue
		}
		if task.state != backingOff || task.failures != 1 || task.losses != 0 {
			t.Errorf("%s: the task is %s with %d failures and %d losses", name, task.state, task.failures, task.losses)
		}
		pause := d.cfg.BackoffMin / 2 // and no jitter
		if d.AdvanceTime(now.Add(pause-1), time.Time{}); task.state != backingOff {
			t.Errorf("%s: the task is due before its backoff ends", name)
		}
		if d.AdvanceTime(now.Add(pause), time.Time{}); task.state != due {
			t.Errorf("%s: the task is not due when its backoff ends", name)
		}
	}
}

func TestWhenATaskIsDead(t *testing.T) {
	for name, m := range mishaps() {
		d, now, dead := newTestDispatcher(nil), time.Now(), 0
		d.cfg.OnDead = func(*Task) { dead++ }
		d.addN(1, now)
		task := d.tasks[nthID(0)]
		for dead == 0 && task.deliveries < 100 {
			for id := range d.peers { // the last one may be suspect
				d.RemovePeer(id, now)
			}
			m.happen(d, deliver(t, d, PeerID(task.deliveries+1), now), now)
			now = now.Add(d.cfg.BackoffMax)
			if dead == 0 {
				d.AdvanceTime(now, time.Time{})
			}
		}
		want := d.cfg.MaxDeliveries
		if m.lost {
			want *= lossesPerFailure
		}
		if task.deliveries != want {
			t.Errorf("%s: the task was dead after %d deliveries, not %d", name, task.deliveries, want)
		}
	}
}

func TestDrainLeavesATaskThatWouldBeDeliveredAgain(t *testing.T) {
	for name, m := range mishaps() {
		d, now := newTestDispatcher(nil), time.Now()
		d.addN(1, now)
		dl := deliver(t, d, 1, now)
		if left := d.Drain(now); left != 0 {
			t.Errorf("%s: %d tasks were left although a worker holds the only one", name, left)
		}
		if m.happen(d, dl, now); !d.Finished() || d.counts.Found != 0 {
			t.Errorf("%s: %d tasks are unsettled, %d were found", name, d.Unsettled(), d.counts.Found)
		}
	}
}

func TestTaskOfADrainedWorkerWaitsForItsLastReceipt(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	d.addN(1, now)
	deliver(t, d, 1, now)
	d.RecordHeartbeat(&wire.Heartbeat{Worker: "w", Draining: true}, now)
	if ask := d.RemovePeer(1, now); len(ask) != 1 || ask[0] != nthID(0) {
		t.Errorf("the sink is to be asked about %v", ask)
	}
	task := d.tasks[nthID(0)]
	if d.AdvanceTime(now.Add(drainGrace-1), time.Time{}); task.state != leased {
		t.Errorf("the task is %s before the last receipts had time to come", task.state)
	}
	if d.Settle(&wire.Receipt{Outcome: outcome.Done}, nthID(0)); d.counts.Done != 1 {
		t.Errorf("%+v", d.counts)
	}
}

// A sink died while it published a stranger's results. The calls that failed meanwhile gave the task the whole lease
// of a stranger again.
func TestShortenedLeaseOfAStrangerStaysShort(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	d.SetEventsConnected(true)
	d.addN(1, now)
	d.readEverything()
	d.AddPeer(1, "", "")
	if _, ok := d.Assign(now); !ok {
		t.Fatal("the task was not assigned")
	}
	blocked := now.Add(time.Second) // and then the sink is back
	d.ShortenStrangerLeases(blocked)
	if expired := d.AdvanceTime(blocked.Add(d.cfg.Lease-1), blocked); len(expired) != 0 {
		t.Error("the lease expired early")
	}
	if expired := d.AdvanceTime(blocked.Add(d.cfg.Lease), blocked); len(expired) != 1 {
		t.Error("the lease did not expire after that of a worker that sends heartbeats")
	}
	now = now.Add(time.Hour)
	d.AdvanceTime(now, blocked) // the backoff ends
	d.readEverything()
	if _, ok := d.Assign(now); !ok {
		t.Fatal("the task was not assigned again")
	}
	if expired := d.AdvanceTime(now.Add(d.cfg.SilentLease-1), blocked); len(expired) != 0 {
		t.Error("the lease of the next delivery is short, too")
	}
}

func TestWithoutASinkNoLeaseExpiresAndNothingIsSentTwice(t *testing.T) {
	d, now := newTestDispatcher(func(c *Config) { c.WithoutSink = true }), time.Now()
	d.addN(1, now)
	d.FinishAdding()
	deliver(t, d, 1, now)
	d.AddPeer(2, identity(1, 1), "")
	now = now.Add(24 * time.Hour)
	if expired := d.AdvanceTime(now, time.Time{}); len(expired) != 0 {
		t.Errorf("%d leases expired", len(expired))
	}
	if d.Speculate(now) {
		t.Error("the task is sent to a second worker")
	}
	if !d.HandOver(nthID(0)) || d.HandOver(nthID(0)) || d.counts.HandedOut != 1 || !d.Finished() {
		t.Errorf("%+v", d.counts)
	}
}
