package dispatch

import (
	"fmt"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func named(name string, slots, prefetch int) string {
	return wire.WorkerIdentity{Name: name, Slots: slots, Prefetch: prefetch}.String()
}

// Found: a worker that announced 10,000 slots and answered nothing took 10,000 tasks at once; later the others got
// them one by one, five a second.
func TestWorkerThatAnswersNothingTakesFewTasks(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	d.addN(3*unansweredMax, now)
	d.FinishAdding()
	d.AddPeer(1, named("greedy", wire.MaxHeld, wire.MaxHeld), "")
	assign := func() {
		for d.readEverything() > 0 || d.ready.len() > 0 {
			dl, ok := d.Assign(now)
			if !ok {
				return
			}
			d.ReleaseBytes(dl.Size)
		}
	}
	assign()
	greedy := d.peers[1]
	if len(greedy.held) != unansweredMax {
		t.Fatalf("it holds %d tasks", len(greedy.held))
	}
	for id := range greedy.held {
		d.ReleaseWorker(id, "greedy", "", now)
		d.Settle(&wire.Receipt{Outcome: outcome.Done}, id)
		break
	}
	if assign(); len(greedy.held) != unansweredMax+1 {
		t.Errorf("after one answer it holds %d tasks", len(greedy.held))
	}

	// When all the others are done, idle workers get what it holds, as many as they have slots.
	for id, task := range d.tasks {
		if task.state != leased {
			d.Settle(&wire.Receipt{Outcome: outcome.Done}, id)
		}
	}
	assign()
	d.AddPeer(2, named("good", 8, 20), "")
	now = now.Add(time.Minute)
	if !d.Speculate(now) {
		t.Fatal("nothing is sent again")
	}
	if assign(); len(d.peers[2].held) != 8 {
		t.Errorf("the good worker got %d tasks", len(d.peers[2].held))
	}
}

// Found: a worker that announced many slots and reported failures got each task again at once, until it was dead.
func TestOneWorkerAloneMakesNoDeadLetter(t *testing.T) {
	dead := 0
	d, now := newTestDispatcher(func(c *Config) { c.OnDead = func(*Task) { dead++ } }), time.Now()
	d.addN(3, now)
	d.AddPeer(1, named("bad/1", 1000, 1000), "")
	d.AddPeer(2, named("good", 1, 1), "")
	made := 0
	for range 100 {
		now = now.Add(time.Minute)
		d.AdvanceTime(now, now) // no lease expires
		d.readEverything()
		dl, ok := d.Assign(now)
		if !ok {
			for id := range d.peers[2].held { // it is slower
				d.ReleaseWorker(id, "good", "", now)
				d.Settle(&wire.Receipt{Outcome: outcome.Done}, id)
				made++
			}
			continue
		}
		d.ReleaseBytes(dl.Size)
		if dl.Peer == 1 {
			d.RecordFailure(dl.Task.ID, &wire.Receipt{Worker: d.peers[1].name, Delivery: dl.Task.Deliveries()}, now)
		}
	}
	if dead != 0 || made != 3 {
		t.Errorf("%d images are made, %d are dead letters", made, dead)
	}

	// The same by connections that end, under any name that its certificate allows.
	d.addN(1, now)
	for i := range 40 {
		d.readEverything()
		d.RemovePeer(1, now)
		d.AddPeer(1, named(fmt.Sprint("bad/", i), 1000, 1000), "")
		if dl, ok := d.Assign(now); ok {
			d.ReleaseBytes(dl.Size)
		}
	}
	if len(d.peers[2].held) != 1 || dead != 0 {
		t.Errorf("the good worker holds %d tasks, %d are dead letters", len(d.peers[2].held), dead)
	}

	// Alone, it gets a task until that is dead, as any worker.
	d.RemovePeer(2, now)
	d.addN(1, now)
	for range 20 {
		now = now.Add(time.Minute)
		d.AdvanceTime(now, now) // no lease expires
		d.readEverything()
		if dl, ok := d.Assign(now); ok {
			d.RecordFailure(dl.Task.ID, &wire.Receipt{Worker: d.peers[1].name, Delivery: dl.Task.Deliveries()}, now)
		}
	}
	if dead == 0 {
		t.Error("a task that always fails is no dead letter")
	}
}
