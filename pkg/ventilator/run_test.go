package ventilator

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// inVirtualTime runs a test in virtual time: hours of leases pass exactly, in milliseconds.
func inVirtualTime(t *testing.T, images int, test func(t *testing.T, s *testbed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		s := newTestbed(t, ctx, images)
		s.newSink()
		test(t, s)
		s.sink.down()
		cancel()
	})
}

func expectDone(t *testing.T, e ended, n int64) {
	t.Helper()
	if e.err != nil || e.run.Found != n || e.run.Done != n || e.run.Unsettled() != 0 {
		t.Errorf("the run ended with %v and %+v; %d images must be done", e.err, e.run, n)
	}
}

func TestTaskOfASilentWorkerIsDeliveredAgainWhenItsLeaseEnds(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		mute := s.worker("mute", 1)
		cfg := s.config()
		cfg.Dispatch.SpeculateAge = -1
		_, done := s.start(cfg)
		first := mute.mustNext(time.Minute)
		began := time.Now()
		good := s.worker("good", 1)
		second := good.mustNext(time.Hour)
		if second.ID != first.ID || second.Delivery != 2 {
			t.Errorf("got delivery %d of %s", second.Delivery, second.ID)
		}
		if waited := time.Since(began); waited < 30*time.Second || waited > 32*time.Second {
			t.Errorf("the task came after %v; the lease is 30s and the backoff at most 500ms", waited)
		}
		s.sink.commit(second, "good", true)
		expectDone(t, <-done, 1)
		mute.die()
		good.die()
	})
}

func TestHeartbeatsExtendALease(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		slow := s.worker("slow", 1)
		cfg := s.config()
		cfg.Dispatch.SpeculateAge = -1
		_, done := s.start(cfg)
		task := slow.mustNext(time.Minute)
		for range 600 { // ten minutes, twenty leases
			time.Sleep(time.Second)
			slow.beat(task.ID)
		}
		s.sink.commit(task, "slow", true)
		e := <-done
		expectDone(t, e, 1)
		if e.run.Deliveries != 1 {
			t.Errorf("%d deliveries", e.run.Deliveries)
		}
		slow.die()
	})
}

func TestTaskIsRedeliveredAtOnceWhenItsConnectionEnds(t *testing.T) {
	inVirtualTime(t, 3, func(t *testing.T, s *testbed) {
		doomed := s.worker("doomed", 3)
		_, done := s.start(s.config())
		for range 3 {
			doomed.mustNext(time.Minute)
		}
		heir := s.worker("heir", 3)
		synctest.Wait()
		began := time.Now()
		doomed.die()
		for range 3 {
			task := heir.mustNext(time.Minute)
			if task.Delivery != 2 {
				t.Errorf("delivery %d", task.Delivery)
			}
			s.sink.commit(task, "heir", true)
		}
		if waited := time.Since(began); waited > 500*time.Millisecond {
			t.Errorf("the tasks came after %v", waited)
		}
		e := <-done
		expectDone(t, e, 3)
		if e.run.Redeliveries != 3 {
			t.Errorf("%d redeliveries", e.run.Redeliveries)
		}
		heir.die()
	})
}

func TestLostReceiptsAreAskedFor(t *testing.T) {
	inVirtualTime(t, 5, func(t *testing.T, s *testbed) {
		w := s.worker("w", 5)
		_, done := s.start(s.config())
		for range 5 {
			s.sink.commit(w.mustNext(time.Minute), "w", false)
		}
		committed := time.Now()
		e := <-done
		expectDone(t, e, 5)
		if waited := e.at.Sub(committed); waited > 3*time.Second {
			t.Errorf("the run ended %v after the commit", waited)
		}
		w.die()
	})
}

func TestFailedTaskBacksOffLongerEachTimeAndThenIsDead(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		w := s.worker("w", 1)
		_, done := s.start(s.config())
		last := time.Time{}
		for n := range 5 {
			task := w.mustNext(time.Hour)
			if task.Delivery != n+1 {
				t.Errorf("delivery %d, not %d", task.Delivery, n+1)
			}
			if n > 0 {
				full := 500 * time.Millisecond << (n - 1)
				if pause := time.Since(last); pause < full/2 || pause > full+time.Second/2 {
					t.Errorf("delivery %d came after %v; its backoff is %v to %v", n+1, pause, full/2, full)
				}
			}
			last = time.Now()
			s.sink.failBare(task, "no disk")
		}
		e := <-done
		if e.err != nil || e.run.Dead != 1 || e.run.Unsettled() != 0 {
			t.Errorf("the run ended with %v and %+v", e.err, e.run)
		}
		for _, r := range s.sink.settled {
			if r.Outcome != outcome.Dead || r.Detail != "no disk" || r.Delivery != 5 {
				t.Errorf("the ledger received %+v", r)
			}
		}
		w.die()
	})
}

func TestStragglersAreSentToIdleWorkers(t *testing.T) {
	inVirtualTime(t, 2, func(t *testing.T, s *testbed) {
		slow := s.worker("slow", 1)
		_, done := s.start(s.config())
		task := slow.mustNext(time.Minute)
		idle := s.worker("idle", 1)
		other := idle.mustNext(time.Minute)
		began := time.Now()
		s.sink.commit(other, "idle", true)
		again := idle.mustNext(time.Minute)
		if again.ID != task.ID {
			t.Errorf("the idle worker got %s, not the straggler", again.Filename)
		}
		if waited := time.Since(began); waited > 6*time.Second {
			t.Errorf("it came after %v", waited)
		}
		s.sink.commit(again, "idle", true)
		e := <-done
		expectDone(t, e, 2)
		if e.run.Speculative != 1 || e.run.Redeliveries != 0 {
			t.Errorf("%+v", e.run)
		}
		slow.die()
		idle.die()
	})
}

func TestNoLeaseExpiresWhileTheSinkIsAway(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		w := s.worker("w", 1)
		cfg := s.config()
		cfg.Dispatch.SpeculateAge = -1
		_, done := s.start(cfg)
		task := w.mustNext(time.Minute)
		s.sink.down()
		time.Sleep(10 * time.Minute)
		s.sink.up()
		s.sink.commit(task, "w", true)
		e := <-done
		expectDone(t, e, 1)
		if e.run.Deliveries != 1 {
			t.Errorf("the task was delivered %d times while the sink was away", e.run.Deliveries)
		}
		w.die()
	})
}

func TestRunWaitsForASinkThatStartsLater(t *testing.T) {
	inVirtualTime(t, 2, func(t *testing.T, s *testbed) {
		s.sink.down()
		_, done := s.start(s.config())
		time.Sleep(time.Minute)
		s.sink.up()
		w := s.worker("w", 2)
		go w.serve()
		expectDone(t, <-done, 2)
		w.die()
	})
}

func TestOutputNamesOfAStrangerSettleItsTask(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		stranger := s.worker("", 0)
		cfg := s.config()
		_, done := s.start(cfg)
		task := stranger.mustNext(time.Minute)
		for i, name := range cfg.Recipe.OutputNames(task.Filename) {
			if i == 0 {
				s.sink.publish(wire.TopicOutput, &wire.BareName{Name: "unknown.jpg"})
			}
			s.sink.publish(wire.TopicOutput, &wire.BareName{Name: name})
		}
		e := <-done
		expectDone(t, e, 1)
		if e.run.Strangers != 1 {
			t.Errorf("%d images were settled by a stranger, not 1", e.run.Strangers)
		}
		stranger.die()
	})
}

func TestOutputNamesOfAStrangerCountAgainAfterTheSinkRefusedTheReceipt(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		stranger := s.worker("", 0)
		cfg := s.config()
		_, done := s.start(cfg)
		work := func(wait time.Duration) {
			for _, name := range cfg.Recipe.OutputNames(stranger.mustNext(wait).Filename) {
				s.sink.publish(wire.TopicOutput, &wire.BareName{Name: name})
			}
		}
		calls := s.sink.refuse(wire.OpSettle)
		work(time.Minute)
		time.Sleep(time.Minute)
		if calls() == 0 {
			t.Fatal("the sink was not asked to commit the receipt")
		}
		s.sink.refuse("")
		work(6 * time.Minute)
		expectDone(t, <-done, 1)
		stranger.die()
	})
}

// A task was settled by its old entry in the ledger while its output, which had been removed, was being made again.
func TestReceiptOfAnEarlierRunDoesNotSettleAForcedTask(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		w := s.worker("w", 1)
		cfg := s.config()
		_, done := s.start(cfg)
		s.sink.commit(w.mustNext(time.Minute), "w", true)
		expectDone(t, <-done, 1)

		cfg.Force = true
		_, done = s.start(cfg)
		task := w.mustNext(time.Minute)
		for range 10 {
			time.Sleep(5 * time.Second)
			w.beat(task.ID)
		}
		select {
		case <-done:
			t.Fatal("the run ended while a worker held its only task")
		default:
		}
		s.sink.commit(task, "w", false)
		expectDone(t, <-done, 1)
		w.die()
	})
}
