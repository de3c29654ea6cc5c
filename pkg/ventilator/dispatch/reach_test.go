package dispatch

import (
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// deliverReferred adds a peer that fetches images, and delivers the next task to it.
func deliverReferred(t *testing.T, d *Dispatcher, id PeerID, now time.Time) Delivery {
	t.Helper()
	d.AddPeer(id, wire.WorkerIdentity{Name: "w", Slots: 1, Prefetch: 1, References: true}.String(), "")
	d.readEverything()
	dl, ok := d.Assign(now)
	if !ok {
		t.Fatal("no task was assigned")
	}
	return dl
}

func outOfReach(dl Delivery) *wire.Receipt {
	return &wire.Receipt{Worker: "w", Detail: "out of reach", Delivery: dl.Task.Deliveries(), OutOfReach: true}
}

func TestWhatAWorkerCannotReachIsSentWithItsBytes(t *testing.T) {
	for name, record := range map[string]func(*Dispatcher, Delivery, time.Time) bool{
		"event": func(d *Dispatcher, dl Delivery, now time.Time) bool {
			return d.RecordFailure(nthID(0), outOfReach(dl), now)
		},
		"answer": func(d *Dispatcher, dl Delivery, now time.Time) bool {
			return d.RecordMissedFailure(nthID(0), outOfReach(dl), now)
		},
	} {
		d, now := newTestDispatcher(func(c *Config) { c.MaxDeliveries = 1 }), time.Now()
		d.cfg.OnDead = func(*Task) { t.Errorf("%s: the task is dead", name) }
		d.addN(1, now)
		dl := deliverReferred(t, d, 1, now)
		if !dl.References || dl.Task.Unreferred() {
			t.Fatalf("%s: the first delivery: %+v", name, dl)
		}
		if !record(d, dl, now) || record(d, dl, now) {
			t.Errorf("%s: that the worker is out of reach was not found out once", name)
		}
		if dl.Task.state != due || dl.Task.failures != 0 || dl.Task.losses != 0 || !dl.Task.Unreferred() {
			t.Errorf("%s: the task is %s with %d failures", name, dl.Task.state, dl.Task.failures)
		}
		d.readEverything()
		if again, ok := d.Assign(now); !ok || again.References || again.Task != dl.Task {
			t.Errorf("%s: the second delivery: %+v, %v", name, again, ok)
		}
	}
}

// A worker cannot have a task sent forever by saying that it cannot reach what it has.
func TestATaskThatWasSentWithItsBytesFails(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	d.addN(1, now)
	dl := deliverReferred(t, d, 1, now)
	d.RecordFailure(nthID(0), outOfReach(dl), now)
	d.readEverything()
	dl, ok := d.Assign(now)
	if !ok {
		t.Fatal("no task was assigned")
	}
	if d.RecordFailure(nthID(0), outOfReach(dl), now); dl.Task.state != backingOff || dl.Task.failures != 1 {
		t.Errorf("the task is %s with %d failures", dl.Task.state, dl.Task.failures)
	}
}
