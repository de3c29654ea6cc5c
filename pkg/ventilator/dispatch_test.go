package ventilator

import (
	"fmt"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

func newTestDispatcher(edit func(*Config)) *dispatcher {
	cfg := &Config{Recipe: recipe.Default()}
	cfg.setDefaults()
	if edit != nil {
		edit(cfg)
	}
	d := newDispatcher(cfg)
	d.onDead = func(*task) {}
	return d
}

func nthID(n int) taskid.ID { return taskid.FromMetadata(fmt.Sprint(n), 0, time.Time{}, "") }

func (d *dispatcher) addN(n int, now time.Time) {
	for i := range n {
		d.add(image{Name: fmt.Sprintf("%d.jpg", i), Size: 100}, nthID(i), now)
	}
}

// readAll reads everything that may be read.
func (d *dispatcher) readEverything() (n int) {
	for t := d.nextRead(); t != nil; t = d.nextRead() {
		d.wasRead(t, make([]byte, 1))
		n++
	}
	return n
}

func identity(slots, prefetch int) string {
	return wire.WorkerIdentity{Name: "w", Slots: slots, Prefetch: prefetch}.String()
}

func TestPeersAreFilledEvenlyByTheirSlots(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	d.addN(100, now)
	d.readEverything()
	small, big := d.peerUp(1, identity(1, 5)), d.peerUp(2, identity(4, 20))
	for range 10 {
		if _, ok := d.assign(now); !ok {
			t.Fatal("nothing was assigned")
		}
	}
	if len(small.held) != 2 || len(big.held) != 8 {
		t.Errorf("one slot got %d, four got %d", len(small.held), len(big.held))
	}
	for {
		if _, ok := d.assign(now); !ok {
			break
		}
	}
	if len(small.held) != 5 || len(big.held) != 20 {
		t.Errorf("beyond their prefetch: %d, %d", len(small.held), len(big.held))
	}
}

func TestBytesInFlightAreBounded(t *testing.T) {
	d := newTestDispatcher(func(c *Config) { c.MaxInflightBytes = 350 })
	d.addN(10, time.Now())
	if n := d.readEverything(); n != 3 {
		t.Errorf("%d tasks of 100 bytes were read within 350", n)
	}
	d.peerUp(1, identity(1, 10))
	dl, ok := d.assign(time.Now())
	if !ok {
		t.Fatal("nothing was assigned")
	}
	if n := d.readEverything(); n != 0 {
		t.Errorf("%d more were read before the first was handed over", n)
	}
	d.handedOver(dl.task, dl.task.size)
	if n := d.readEverything(); n != 1 {
		t.Errorf("%d more were read after one was handed over", n)
	}
}

func TestSmallImagesAreNotReadWithoutEnd(t *testing.T) {
	d := newTestDispatcher(nil)
	d.addN(3*readAhead, time.Now())
	if n := d.readEverything(); n != readAhead {
		t.Errorf("%d were read while nobody takes them", n)
	}
}

func TestOneImageLargerThanTheBudgetIsStillSent(t *testing.T) {
	d := newTestDispatcher(func(c *Config) { c.MaxInflightBytes = 10 })
	d.addN(2, time.Now())
	if n := d.readEverything(); n != 1 {
		t.Errorf("%d were read", n)
	}
}

func TestSettlementIsCountedOnceWhateverTheTaskDoes(t *testing.T) {
	for name, prepare := range map[string]func(d *dispatcher, now time.Time){
		"due":     func(*dispatcher, time.Time) {},
		"reading": func(d *dispatcher, _ time.Time) { d.nextRead() },
		"ready":   func(d *dispatcher, _ time.Time) { d.readEverything() },
		"leased": func(d *dispatcher, now time.Time) {
			d.readEverything()
			d.peerUp(1, identity(1, 1))
			d.assign(now)
		},
		"resting": func(d *dispatcher, now time.Time) {
			d.readEverything()
			d.peerUp(1, identity(1, 1))
			d.assign(now)
			d.failed(nthID(0), &wire.Receipt{Worker: "w", Detail: "x"}, now)
		},
	} {
		d, now := newTestDispatcher(nil), time.Now()
		d.fed = true
		d.addN(1, now)
		prepare(d, now)
		r := &wire.Receipt{Outcome: outcome.Done}
		if !d.settle(r, nthID(0)) || d.settle(r, nthID(0)) {
			t.Errorf("%s: a task is settled once", name)
		}
		if d.counts.Done != 1 || d.counts.Leased != 0 || !d.finished() {
			t.Errorf("%s: %+v", name, d.counts)
		}
		d.ring(now.Add(time.Hour), time.Time{})
		if _, ok := d.assign(now); ok || d.nextRead() != nil {
			t.Errorf("%s: a settled task goes on", name)
		}
		for _, p := range d.peers {
			if len(p.held) != 0 || p.index < 0 {
				t.Errorf("%s: its peer was not freed", name)
			}
		}
	}
}

func TestWorkersThatDieOfATaskEndIt(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	dead := 0
	d.onDead = func(*task) { dead++ }
	d.addN(1, now)
	for n := 1; dead == 0; n++ {
		if n > 100 {
			t.Fatal("it kills workers for ever")
		}
		d.readEverything()
		d.peerUp(zsock.PeerID(n), identity(1, 1))
		if _, ok := d.assign(now); !ok {
			t.Fatalf("delivery %d was not made", n)
		}
		d.peerDown(zsock.PeerID(n), now)
	}
	if got := d.tasks[nthID(0)].deliveries; got != 5*dropsPerFailure {
		t.Errorf("it ended after %d deliveries", got)
	}
}

// What a task costs must not grow with those that wait or are settled, nor noticeably with the workers.
func BenchmarkDispatch(b *testing.B) {
	for _, peers := range []int{1, 10, 1000} {
		for _, waiting := range []int{0, 100_000} {
			b.Run(fmt.Sprintf("peers=%d/waiting=%d", peers, waiting), func(b *testing.B) {
				d, now := newTestDispatcher(nil), time.Now()
				for i := range peers {
					d.peerUp(zsock.PeerID(i), identity(1, 4))
				}
				for i := range waiting {
					id := nthID(-1 - i)
					t := &task{id: id, index: -1, state: resting}
					d.tasks[id] = t
					d.alarm(t, now.Add(time.Hour))
				}
				ids := make([]taskid.ID, 1024)
				for i := range ids {
					ids[i] = nthID(i)
				}
				r := &wire.Receipt{Outcome: outcome.Done}
				for i := 0; b.Loop(); i++ {
					id := ids[i%len(ids)]
					d.add(image{Size: 100}, id, now)
					t := d.nextRead()
					d.wasRead(t, nil)
					dl, ok := d.assign(now)
					if !ok {
						b.Fatal("not assigned")
					}
					d.handedOver(dl.task, dl.task.size)
					d.settle(r, id)
				}
			})
		}
	}
}

func TestDrainWaitsForATaskThatWasAboutToBeSentAgain(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	d.addN(2, now)
	d.readEverything()
	d.peerUp(1, identity(1, 1))
	d.assign(now)
	d.fed = true
	d.settle(&wire.Receipt{Outcome: outcome.Done}, nthID(1))
	d.peerUp(2, identity(1, 1))
	d.assign(now) // nothing
	if later := now.Add(time.Minute); !d.speculate(later) {
		t.Fatal("the straggler is not sent again")
	}
	d.readEverything()
	if left := d.drain(now); left != 0 || d.finished() {
		t.Errorf("%d tasks are left for the next run, a worker holds one", left)
	}
	d.settle(&wire.Receipt{Outcome: outcome.Done}, nthID(0))
	if !d.finished() || d.counts.Done != 2 || d.counts.Found != 2 {
		t.Errorf("%+v", d.counts)
	}
}

// The original may have been moved away meanwhile, or its disk be slow: that says nothing of the copy that a worker has.
func TestWhoseSecondCopyCannotBeReadGoesOn(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	d.onDead = func(*task) { t.Error("a dead letter while a worker is at it") }
	d.addN(1, now)
	d.readEverything()
	d.peerUp(1, identity(1, 1))
	dl, _ := d.assign(now)
	d.handedOver(dl.task, dl.task.size)
	d.peerUp(2, identity(1, 1))
	d.fed = true
	for range 10 {
		now = now.Add(time.Minute)
		if !d.speculate(now) {
			t.Fatal("the straggler is not sent again")
		}
		d.unreadable(d.nextRead(), "gone", now)
		if tk := d.tasks[nthID(0)]; tk.state != leased || tk.failures != 0 || len(tk.holders) != 1 || d.inflight != 0 {
			t.Fatalf("%s, %d failures, %d holders, %d bytes", tk.state, tk.failures, len(tk.holders), d.inflight)
		}
	}
	if d.settle(&wire.Receipt{Outcome: outcome.Done}, nthID(0)); !d.finished() || d.counts.Done != 1 {
		t.Errorf("%+v", d.counts)
	}
}
