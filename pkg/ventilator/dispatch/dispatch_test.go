package dispatch

import (
	"fmt"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func newTestDispatcher(edit func(*Config)) *Dispatcher {
	cfg := Config{OutputNames: func(name string) []string { return []string{name + "_1", name + "_2"} }}
	if edit != nil {
		edit(&cfg)
	}
	return New(cfg)
}

func nthID(n int) taskid.ID { return taskid.FromMetadata(fmt.Sprint(n), 0, time.Time{}, "") }

// addN adds n tasks of 100 bytes.
func (d *Dispatcher) addN(n int, now time.Time) {
	for i := range n {
		d.Add(Image{Name: fmt.Sprintf("%d.jpg", i), Size: 100}, nthID(i), now)
	}
}

// readEverything reads all tasks that may be read, and returns how many these were.
func (d *Dispatcher) readEverything() (n int) {
	for t := d.NextRead(); t != nil; t = d.NextRead() {
		d.FinishRead(t, make([]byte, 1))
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
	d.AddPeer(1, identity(1, 5), "")
	d.AddPeer(2, identity(4, 20), "")
	small, big := d.peers[1], d.peers[2]
	for range 10 {
		if _, ok := d.Assign(now); !ok {
			t.Fatal("no task was assigned")
		}
	}
	if len(small.held) != 2 || len(big.held) != 8 {
		t.Errorf("the peer with one slot got %d tasks, the peer with four got %d", len(small.held), len(big.held))
	}
	for {
		if _, ok := d.Assign(now); !ok {
			break
		}
	}
	if len(small.held) != 5 || len(big.held) != 20 {
		t.Errorf("the peers hold %d and %d tasks; their prefetch is 5 and 20", len(small.held), len(big.held))
	}
}

func TestBytesInFlightAreBounded(t *testing.T) {
	d := newTestDispatcher(func(c *Config) { c.MaxInflightBytes = 350 })
	d.addN(10, time.Now())
	if n := d.readEverything(); n != 3 {
		t.Errorf("%d tasks of 100 bytes were read within a budget of 350", n)
	}
	d.AddPeer(1, identity(1, 10), "")
	dl, ok := d.Assign(time.Now())
	if !ok {
		t.Fatal("no task was assigned")
	}
	if n := d.readEverything(); n != 0 {
		t.Errorf("%d more tasks were read before the first was sent", n)
	}
	d.ReleaseBytes(dl.Size)
	if n := d.readEverything(); n != 1 {
		t.Errorf("%d more tasks were read after one was sent", n)
	}
}

func TestBytesOfImagesOfUnknownSizeAreBounded(t *testing.T) {
	d := newTestDispatcher(func(c *Config) { c.MaxInflightBytes = 350 })
	for i := range 10 {
		d.Add(Image{Name: fmt.Sprint(i)}, taskid.FromContent(fmt.Sprint(i), nil, ""), time.Now())
	}
	first := d.NextRead()
	if d.NextRead() != nil {
		t.Error("a second image is read although nobody knows how large the first is")
	}
	d.FinishRead(first, make([]byte, 100))
	reading := []*Task{d.NextRead(), d.NextRead()}
	if reading[1] == nil || d.NextRead() != nil || d.BytesInFlight() != 300 {
		t.Errorf("%d bytes of images are read that may have 100 bytes each, within a budget of 350", d.BytesInFlight())
	}
	d.FinishRead(reading[0], make([]byte, 10))
	d.FinishRead(reading[1], make([]byte, 200))
	if n := d.BytesInFlight(); n != 310 || d.NextRead() != nil {
		t.Errorf("%d bytes count", n)
	}
}

// A web server sends more than it said.
func TestMessageThatIsLargerThanItsImageCountsInFull(t *testing.T) {
	d := newTestDispatcher(func(c *Config) { c.MaxInflightBytes = 350 })
	d.addN(3, time.Now())
	d.FinishRead(d.NextRead(), make([]byte, 300))
	if d.NextRead() != nil || d.BytesInFlight() != 300 {
		t.Errorf("%d bytes count", d.BytesInFlight())
	}
}

func TestReadyMessagesAreBoundedHoweverSmallTheyAre(t *testing.T) {
	d := newTestDispatcher(nil)
	d.addN(3*maxReady, time.Now())
	if n := d.readEverything(); n != maxReady {
		t.Errorf("%d tasks were read while no peer takes any", n)
	}
}

func TestOneImageLargerThanTheBudgetIsStillSent(t *testing.T) {
	d := newTestDispatcher(func(c *Config) { c.MaxInflightBytes = 10 })
	d.addN(2, time.Now())
	if n := d.readEverything(); n != 1 {
		t.Errorf("%d tasks were read", n)
	}
}

func TestSettlementIsCountedOnceInEveryState(t *testing.T) {
	for name, prepare := range map[string]func(d *Dispatcher, now time.Time){
		"due":     func(*Dispatcher, time.Time) {},
		"reading": func(d *Dispatcher, _ time.Time) { d.NextRead() },
		"ready":   func(d *Dispatcher, _ time.Time) { d.readEverything() },
		"leased": func(d *Dispatcher, now time.Time) {
			d.readEverything()
			d.AddPeer(1, identity(1, 1), "")
			d.Assign(now)
		},
		"backingOff": func(d *Dispatcher, now time.Time) {
			d.readEverything()
			d.AddPeer(1, identity(1, 1), "")
			d.Assign(now)
			d.RecordFailure(nthID(0), &wire.Receipt{Worker: "w", Detail: "x"}, now)
		},
	} {
		d, now := newTestDispatcher(nil), time.Now()
		d.allAdded = true
		d.addN(1, now)
		prepare(d, now)
		r := &wire.Receipt{Outcome: outcome.Done}
		if !d.Settle(r, nthID(0)) || d.Settle(r, nthID(0)) {
			t.Errorf("%s: a task must be settled exactly once", name)
		}
		if d.counts.Done != 1 || d.counts.Leased != 0 || !d.Finished() {
			t.Errorf("%s: %+v", name, d.counts)
		}
		d.AdvanceTime(now.Add(time.Hour), time.Time{})
		if _, ok := d.Assign(now); ok || d.NextRead() != nil {
			t.Errorf("%s: a settled task was assigned or read", name)
		}
		for _, p := range d.peers {
			if len(p.held) != 0 || p.index < 0 {
				t.Errorf("%s: the peer still holds the settled task", name)
			}
		}
	}
}

func TestTaskThatKillsWorkersBecomesADeadLetter(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	dead := 0
	d.cfg.OnDead = func(*Task) { dead++ }
	d.addN(1, now)
	for n := 1; dead == 0; n++ {
		if n > 100 {
			t.Fatal("the task was delivered 100 times and is not dead")
		}
		d.readEverything()
		d.AddPeer(PeerID(n), identity(1, 1), "")
		if _, ok := d.Assign(now); !ok {
			t.Fatalf("delivery %d was not assigned", n)
		}
		d.RemovePeer(PeerID(n), now)
	}
	if got := d.tasks[nthID(0)].deliveries; got != 5*lossesPerFailure {
		t.Errorf("the task was dead after %d deliveries", got)
	}
}

// BenchmarkDispatch shows that the cost of a task grows neither with the tasks that wait nor noticeably with the
// peers.
func BenchmarkDispatch(b *testing.B) {
	for _, peers := range []int{1, 10, 1000} {
		for _, waiting := range []int{0, 100_000} {
			b.Run(fmt.Sprintf("peers=%d/waiting=%d", peers, waiting), func(b *testing.B) {
				d, now := newTestDispatcher(nil), time.Now()
				for i := range peers {
					d.AddPeer(PeerID(i), identity(1, 4), "")
				}
				for i := range waiting {
					id := nthID(-1 - i)
					t := &Task{ID: id, deadlineIndex: -1, state: backingOff}
					d.tasks[id] = t
					d.setDeadline(t, now.Add(time.Hour))
				}
				ids := make([]taskid.ID, 1024)
				for i := range ids {
					ids[i] = nthID(i)
				}
				r := &wire.Receipt{Outcome: outcome.Done}
				for i := 0; b.Loop(); i++ {
					id := ids[i%len(ids)]
					d.Add(Image{Size: 100}, id, now)
					t := d.NextRead()
					d.FinishRead(t, nil)
					dl, ok := d.Assign(now)
					if !ok {
						b.Fatal("no task was assigned")
					}
					d.ReleaseBytes(dl.Size)
					d.Settle(r, id)
				}
			})
		}
	}
}

func TestDrainWaitsForATaskThatWasAboutToBeSentToASecondWorker(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	d.addN(2, now)
	d.readEverything()
	d.AddPeer(1, identity(1, 1), "")
	d.Assign(now)
	d.allAdded = true
	d.Settle(&wire.Receipt{Outcome: outcome.Done}, nthID(1))
	d.AddPeer(2, identity(1, 1), "")
	d.Assign(now) // assigns no task
	if later := now.Add(time.Minute); !d.Speculate(later) {
		t.Fatal("the oldest task is not sent to the idle peer")
	}
	d.readEverything()
	if left := d.Drain(now); left != 0 || d.Finished() {
		t.Errorf("%d tasks are left for the next run, but a worker holds one", left)
	}
	d.Settle(&wire.Receipt{Outcome: outcome.Done}, nthID(0))
	if !d.Finished() || d.counts.Done != 2 || d.counts.Found != 2 {
		t.Errorf("%+v", d.counts)
	}
}

// The file may have been moved after the first worker received it. That says nothing about the first worker's copy.
func TestUnreadableSecondCopyDoesNotFailTheTask(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	d.cfg.OnDead = func(*Task) { t.Error("the task is dead while a worker holds it") }
	d.addN(1, now)
	d.readEverything()
	d.AddPeer(1, identity(1, 1), "")
	dl, _ := d.Assign(now)
	d.ReleaseBytes(dl.Size)
	d.AddPeer(2, identity(1, 1), "")
	d.allAdded = true
	for range 10 {
		now = now.Add(time.Minute)
		if !d.Speculate(now) {
			t.Fatal("the oldest task is not sent to the idle peer")
		}
		d.FailRead(d.NextRead(), "gone", now)
		if tk := d.tasks[nthID(0)]; tk.state != leased || tk.failures != 0 || len(tk.holders) != 1 || d.bytesInFlight != 0 {
			t.Fatalf("the task is %s, with %d failures, %d holders and %d bytes in flight",
				tk.state, tk.failures, len(tk.holders), d.bytesInFlight)
		}
	}
	if d.Settle(&wire.Receipt{Outcome: outcome.Done}, nthID(0)); !d.Finished() || d.counts.Done != 1 {
		t.Errorf("%+v", d.counts)
	}
}

func TestReturnedTasksAreDeliveredAgainAtOnceAndCountAsNoFailure(t *testing.T) {
	for _, draining := range []bool{false, true} {
		d, now := newTestDispatcher(nil), time.Now()
		d.addN(3, now)
		d.readEverything()
		d.AddPeer(1, identity(1, 3), "")
		for range 3 {
			if _, ok := d.Assign(now); !ok {
				t.Fatal("no task was assigned")
			}
		}
		if draining {
			d.Drain(now)
		}
		d.RecordHeartbeat(&wire.Heartbeat{
			Worker: "w", Draining: true, Held: []string{nthID(0).String()},
			Returned: []string{nthID(1).String(), nthID(2).String(), "?"},
		}, now)
		again := d.readEverything()
		if draining && (again != 0 || len(d.tasks) != 1) || !draining && (again != 2 || len(d.tasks) != 3) {
			t.Errorf("draining %v: %d tasks are read again, %d are left", draining, again, len(d.tasks))
		}
		for id, task := range d.tasks {
			if task.failures+task.losses > 0 {
				t.Errorf("task %v has %d failures and %d losses", id, task.failures, task.losses)
			}
		}
	}
}
