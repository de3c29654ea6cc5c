package ventilator

import (
	"testing"
	"time"
)

func TestResultsThatASinkLostAreRedeliveredAtOnce(t *testing.T) {
	inVirtualTime(t, 3, func(t *testing.T, s *testbed) {
		s.sink.name = "first"
		w := s.worker("w", 3)
		cfg := s.config()
		cfg.Dispatch.SpeculateAge = -1
		_, done := s.start(cfg)
		committed, a, b := w.mustNext(time.Minute), w.mustNext(time.Minute), w.mustNext(time.Minute)
		s.sink.answered(committed, "w")
		s.sink.answered(a, "w")
		s.sink.answered(b, "w")
		time.Sleep(5 * time.Second) // the ventilator has asked the first sink
		s.sink.commit(committed, "w", false)
		s.sink.restart("second")
		began := time.Now()
		for range 2 {
			task := w.mustNext(time.Hour)
			if task.Delivery != 2 || task.ID == committed.ID {
				t.Errorf("got delivery %d of %s", task.Delivery, task.Filename)
			}
			s.sink.commit(task, "w", true)
		}
		if waited := time.Since(began); waited > 3*time.Second {
			t.Errorf("the tasks came after %v; their lease is 30s", waited)
		}
		e := <-done
		expectDone(t, e, 3)
		if e.run.Redeliveries != 2 {
			t.Errorf("%d redeliveries", e.run.Redeliveries)
		}
		w.die()
	})
}

// The sink had received these results and not read them when it died, so that it never published that they had come.
func TestResultsThatASinkLostUnreadAreFoundByHeartbeats(t *testing.T) {
	inVirtualTime(t, 2, func(t *testing.T, s *testbed) {
		s.sink.name = "first"
		w := s.worker("w", 2)
		cfg := s.config()
		cfg.Dispatch.SpeculateAge = -1
		_, done := s.start(cfg)
		gone, slow := w.mustNext(time.Minute), w.mustNext(time.Minute)
		w.beat(gone.ID, slow.ID)
		s.sink.restart("second") // at once: the ventilator has told the first instance its counts, and asked it nothing yet
		began := time.Now()
		time.Sleep(2 * time.Second) // until the ventilator is connected again
		for range 3 {
			w.beat(slow.ID)
			time.Sleep(time.Second)
		}
		again := w.mustNext(time.Hour)
		if again.ID != gone.ID || again.Delivery != 2 {
			t.Errorf("got delivery %d of %s", again.Delivery, again.Filename)
		}
		if waited := time.Since(began); waited > 8*time.Second {
			t.Errorf("the task came after %v; its lease is 30s", waited)
		}
		s.sink.commit(again, "w", true)
		s.sink.commit(slow, "w", true)
		e := <-done
		expectDone(t, e, 2)
		if e.run.Redeliveries != 1 {
			t.Errorf("%d redeliveries", e.run.Redeliveries)
		}
		w.die()
	})
}

// A result is lost only when another instance of the sink does not have it; a slow commit is not lost.
func TestResultsThatTheSinkStillHasAreAwaited(t *testing.T) {
	for name, instance := range map[string]string{
		"a sink that gives its instance": "first",
		"a sink of an earlier version":   "",
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
				s.sink.name = instance
				w := s.worker("w", 1)
				cfg := s.config()
				cfg.Dispatch.SpeculateAge = -1
				_, done := s.start(cfg)
				task := w.mustNext(time.Minute)
				s.sink.answered(task, "w")
				if again := w.next(25 * time.Second); again != nil {
					t.Error("the task was delivered again while its result was being committed")
				}
				s.sink.commit(task, "w", true)
				expectDone(t, <-done, 1)
				w.die()
			})
		})
	}
}

func TestMoreLostResultsThanOneRequestAsksAbout(t *testing.T) {
	const n = 1500
	inVirtualTime(t, n, func(t *testing.T, s *testbed) {
		s.sink.name = "first"
		w := s.worker("w", 256)
		cfg := s.config()
		cfg.Dispatch.SpeculateAge = -1
		_, done := s.start(cfg)
		for range n {
			task := w.mustNext(time.Minute)
			s.sink.answered(task, "w")
		}
		time.Sleep(2 * time.Second)
		s.sink.restart("second")
		began := time.Now()
		for range n {
			s.sink.commit(w.mustNext(time.Hour), "w", true)
		}
		if waited := time.Since(began); waited > 5*time.Second {
			t.Errorf("the tasks came after %v; their lease is 30s", waited)
		}
		expectDone(t, <-done, n)
		w.die()
	})
}

func TestMissedFailureIsAskedFor(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		w := s.worker("w", 1)
		cfg := s.config()
		cfg.Dispatch.SpeculateAge = -1
		_, done := s.start(cfg)
		s.sink.fail(w.mustNext(time.Minute), "w", false)
		failed := time.Now()
		second := w.mustNext(time.Hour)
		if waited := time.Since(failed); second.Delivery != 2 || waited > 3*time.Second {
			t.Errorf("delivery %d came after %v; the lease is 30s", second.Delivery, waited)
		}
		s.sink.commit(second, "w", true)
		expectDone(t, <-done, 1)
		w.die()
	})
}

// The sink goes on reporting that the first delivery failed while the second is under way.
func TestFailureCountsOnceHoweverOftenItIsReported(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		w := s.worker("w", 1)
		cfg := s.config()
		cfg.Dispatch.SpeculateAge, cfg.Dispatch.MaxDeliveries = -1, 2
		_, done := s.start(cfg)
		first := w.mustNext(time.Minute)
		s.sink.fail(first, "w", true)
		second := w.mustNext(time.Minute)
		s.sink.fail(first, "w", true)
		if again := w.next(20 * time.Second); again != nil {
			t.Errorf("delivery %d came", again.Delivery)
		}
		s.sink.commit(second, "w", true)
		expectDone(t, <-done, 1)
		w.die()
	})
}

func TestFailureInAnotherRunChangesNothing(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		w := s.worker("w", 1)
		cfg := s.config()
		cfg.Dispatch.SpeculateAge = -1
		_, done := s.start(cfg)
		task := w.mustNext(time.Minute)
		other := *task
		other.Run = "another"
		s.sink.fail(&other, "w", false)
		if again := w.next(20 * time.Second); again != nil {
			t.Errorf("delivery %d came", again.Delivery)
		}
		s.sink.commit(task, "w", true)
		expectDone(t, <-done, 1)
		w.die()
	})
}
