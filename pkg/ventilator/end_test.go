package ventilator

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestRunEndsWhenNoWorkerComes(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		cfg := s.config()
		cfg.WaitWorkers = 10 * time.Second
		began := time.Now()
		_, done := s.start(cfg)
		e := <-done
		if !errors.Is(e.err, ErrNoWorkers) {
			t.Errorf("the run ended with %v", e.err)
		}
		if waited := e.at.Sub(began); waited < 10*time.Second || waited > 11*time.Second {
			t.Errorf("it came after %v", waited)
		}
	})
}

func TestRunEndsWhenNeitherWorkerNorSinkComes(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		s.sink.down()
		cfg := s.config()
		cfg.WaitWorkers = 3 * time.Second
		began := time.Now()
		_, done := s.start(cfg)
		e := <-done
		if !errors.Is(e.err, ErrNoWorkers) || !strings.Contains(e.err.Error(), "the sink does not answer either") {
			t.Errorf("the run ended with %v", e.err)
		}
		if waited := e.at.Sub(began); waited < 3*time.Second || waited > 4*time.Second {
			t.Errorf("the run ended after %v", waited)
		}
		s.sink.up()
	})
}

func TestRunWaitsForItsSinkWhileAWorkerIsThere(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		s.sink.down()
		cfg := s.config()
		cfg.WaitWorkers = 3 * time.Second
		_, done := s.start(cfg)
		w := s.worker("w", 1)
		time.Sleep(time.Minute)
		s.sink.up()
		go w.serve()
		expectDone(t, <-done, 1)
		w.die()
	})
}

func TestSinkThatIsLostBeforeAnyWorkerComesEndsTheRun(t *testing.T) {
	inVirtualTime(t, 200, func(t *testing.T, s *testbed) {
		w := s.worker("w", 10)
		go w.serve()
		_, done := s.start(s.config())
		expectDone(t, <-done, 200)
		w.die()

		cfg := s.config()
		cfg.WaitWorkers = 10 * time.Second
		s.sink.pause(5 * time.Second) // it ends before it says of all images that they are settled
		began := time.Now()
		_, done = s.start(cfg)
		time.Sleep(time.Second)
		s.sink.down()
		e := <-done
		if !errors.Is(e.err, ErrNoWorkers) || !strings.Contains(e.err.Error(), "the sink does not answer either") {
			t.Errorf("the run ended with %v", e.err)
		}
		if waited := e.at.Sub(began); waited < 10*time.Second || waited > 11*time.Second {
			t.Errorf("the run ended after %v", waited)
		}
		s.sink.up()
	})
}

func TestRunWithoutImagesIsRefusedUnlessAllowed(t *testing.T) {
	inVirtualTime(t, 0, func(t *testing.T, s *testbed) {
		_, done := s.start(s.config())
		var refusal *UsageError
		if e := <-done; !errors.As(e.err, &refusal) || !strings.HasPrefix(e.err.Error(), "no images in ") {
			t.Errorf("the run ended with %v", e.err)
		}
		if len(s.sink.runs) != 0 {
			t.Errorf("the sink was told of %+v", s.sink.runs)
		}
		cfg := s.config()
		cfg.AllowEmpty = true
		_, done = s.start(cfg)
		expectDone(t, <-done, 0)
	})
}

func TestStalledRunNamesTheUnsettledImages(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		cfg := s.config()
		cfg.StallTimeout = time.Minute
		w := s.worker("w", 1)
		_, done := s.start(cfg)
		task := w.mustNext(time.Minute)
		for i := 0; ; i++ {
			select {
			case e := <-done:
				if !errors.Is(e.err, ErrStalled) || !strings.Contains(e.err.Error(), task.Filename) {
					t.Errorf("the run ended with %v", e.err)
				}
				if e.run.Unsettled() != 1 || len(e.run.Missing) != 1 || e.run.Missing[0] != task.Filename {
					t.Errorf("%+v", e.run)
				}
				w.die()
				return
			case <-time.After(time.Second):
				w.beat(task.ID)
			}
		}
	})
}

func TestOperatorsPauseResumeAndCancel(t *testing.T) {
	inVirtualTime(t, 50, func(t *testing.T, s *testbed) {
		s.sink.steer("paused")
		_, done := s.start(s.config())
		time.Sleep(5 * time.Second)
		w := s.worker("w", 1)
		if task := w.next(time.Minute); task != nil {
			t.Errorf("a paused run sent %s", task.Filename)
		}
		s.sink.steer("running")
		task := w.mustNext(time.Minute)
		s.sink.steer("cancelled")
		time.Sleep(5 * time.Second)
		s.sink.commit(task, "w", true)
		e := <-done
		if !errors.Is(e.err, ErrCancelled) || e.run.State != "interrupted" || e.run.Unsettled() != 0 || e.run.Done == 50 {
			t.Errorf("the run ended with %v and %+v", e.err, e.run)
		}
		w.die()
	})
}

// Found: for up to a second after farm pause, farm status showed a run that was paused as running.
func TestOperatorsStateIsReportedAtOnce(t *testing.T) {
	inVirtualTime(t, 50, func(t *testing.T, s *testbed) {
		v, done := s.start(s.config())
		w := s.worker("w", 1)
		task := w.mustNext(time.Minute)
		time.Sleep(10500 * time.Millisecond) // between two of the regular reports
		for _, state := range []outcome.RunState{outcome.Paused, outcome.Running} {
			s.sink.steer(state)
			s.sink.publish(wire.TopicRunState, &wire.Steering{State: state})
			time.Sleep(time.Millisecond)
			s.sink.mu.Lock()
			if last := s.sink.runs[len(s.sink.runs)-1]; last.State != state {
				t.Errorf("a millisecond after it is %s, the sink knows it as %s", state, last.State)
			}
			s.sink.mu.Unlock()
		}
		v.Drain()
		s.sink.commit(task, "w", true)
		<-done
		w.die()
	})
}

func TestDrainSettlesTheTasksOfWorkersAndLeavesTheRest(t *testing.T) {
	inVirtualTime(t, 50, func(t *testing.T, s *testbed) {
		w := s.worker("w", 2)
		v, done := s.start(s.config())
		a, b := w.mustNext(time.Minute), w.mustNext(time.Minute)
		v.Drain()
		time.Sleep(time.Second)
		s.sink.commit(a, "w", true)
		s.sink.commit(b, "w", true)
		e := <-done
		if e.err != nil || e.run.Found != 2 || e.run.Done != 2 || e.run.State != "interrupted" {
			t.Errorf("the run ended with %v and %+v", e.err, e.run)
		}
		w.die()
	})
}

func TestDrainingWorkerGetsNoTaskAndItsLastReceiptsAreAwaited(t *testing.T) {
	inVirtualTime(t, 4, func(t *testing.T, s *testbed) {
		leaving := s.worker("leaving", 2)
		_, done := s.start(s.config())
		a, b := leaving.mustNext(time.Minute), leaving.mustNext(time.Minute)
		s.sink.publish(wire.TopicWorkerHeartbeat, &wire.Heartbeat{
			Worker: "leaving", Slots: 1, Draining: true, Held: []string{a.ID, b.ID},
		})
		synctest.Wait()
		s.sink.commit(a, "leaving", true)
		if task := leaving.next(time.Second); task != nil {
			t.Errorf("a draining worker got %s", task.Filename)
		}
		leaving.die()
		synctest.Wait()
		s.sink.commit(b, "leaving", false) // its result was on its way when the connection ended
		w := s.worker("w", 4)
		go w.serve()
		e := <-done
		expectDone(t, e, 4)
		if e.run.Deliveries != 4 {
			t.Errorf("%d deliveries of 4 tasks", e.run.Deliveries)
		}
		w.die()
	})
}
