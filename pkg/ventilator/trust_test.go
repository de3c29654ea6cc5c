package ventilator

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Found with a worker stopped by SIGSTOP: its tasks came back to it again and again, until they were dead letters.
func TestFrozenWorkerGetsNothingUntilItIsHeardOf(t *testing.T) {
	inBubble(t, 6, func(t *testing.T, s *stage) {
		frozen := s.worker("frozen", 2)
		cfg := s.config()
		cfg.Dispatch.SpeculateAge = -1
		_, done := s.start(cfg)
		frozen.mustNext(time.Minute)
		frozen.mustNext(time.Minute)
		time.Sleep(10 * time.Minute) // alone
		if task := frozen.next(0); task != nil {
			t.Errorf("it got delivery %d of %s", task.Delivery, task.Filename)
		}
		good := s.worker("good", 1)
		for range 6 {
			s.sink.commit(good.mustNext(time.Minute), "good", true)
		}
		e := <-done
		expectDone(t, e, 6)
		if e.run.Redeliveries != 2 {
			t.Errorf("%d redeliveries of the 2 tasks that it held", e.run.Redeliveries)
		}
		frozen.die()
		good.die()
	})
}

func TestFrozenWorkerThatIsHeardOfWorksAgain(t *testing.T) {
	inBubble(t, 2, func(t *testing.T, s *stage) {
		w := s.worker("w", 1)
		_, done := s.start(s.config())
		w.mustNext(time.Minute)
		if task := w.next(10 * time.Minute); task != nil {
			t.Fatal("it got a second task")
		}
		w.beat()
		go w.serve()
		expectDone(t, <-done, 2)
		w.die()
	})
}

func TestStrangerWhoseWordIsNotUnderstoodGetsTasksOnlyWhileThereIsNobodyElse(t *testing.T) {
	inBubble(t, 2, func(t *testing.T, s *stage) {
		stranger := s.worker("", 0)
		cfg := s.config()
		cfg.Dispatch.SpeculateAge = -1
		_, done := s.start(cfg)
		stranger.mustNext(time.Minute)
		stranger.mustNext(time.Minute)
		if again := stranger.mustNext(6 * time.Minute); again.Delivery != 2 {
			t.Errorf("delivery %d", again.Delivery)
		}
		stranger.mustNext(6 * time.Minute)
		good := s.worker("good", 4)
		go good.serve()
		expectDone(t, <-done, 2)
		if task := stranger.next(0); task != nil {
			t.Errorf("the stranger got delivery %d, too", task.Delivery)
		}
		stranger.die()
		good.die()
	})
}

// What a stranger names comes as an event, and no event is heard before the subscription: its lease of minutes would
// have to run out.
func TestStrangersGetNothingBeforeTheirWordCouldBeHeard(t *testing.T) {
	inBubble(t, 1, func(t *testing.T, s *stage) {
		s.sink.down()
		stranger := s.worker("", 0)
		cfg := s.config()
		cfg.Force = true // nothing need be asked before the task can be sent
		_, done := s.start(cfg)
		if task := stranger.next(time.Minute); task != nil {
			t.Fatal("it got a task whose outputs nobody would have heard of")
		}
		s.sink.up()
		task := stranger.mustNext(time.Minute)
		synctest.Wait() // the subscription is on its way; a stranger's work takes longer
		for _, name := range cfg.Recipe.OutputNames(task.Filename) {
			s.sink.publish(wire.TopicOutput, &wire.BareName{Name: name})
		}
		expectDone(t, <-done, 1)
		stranger.die()
	})
}

func TestDrainWaitsForResultsThatAreBeingCommitted(t *testing.T) {
	inBubble(t, 3, func(t *testing.T, s *stage) {
		w := s.worker("w", 1)
		v, done := s.start(s.config())
		task := w.mustNext(time.Minute)
		s.sink.publish(wire.TopicTaskAnswered, &wire.Answered{ID: task.ID, Worker: "w"})
		second := w.mustNext(time.Minute) // the answer made room for it
		v.Drain()
		synctest.Wait()
		s.sink.commit(task, "w", true)
		s.sink.commit(second, "w", true)
		e := <-done
		if e.err != nil || e.run.Found != 2 || e.run.Done != 2 {
			t.Errorf("the run ended with %v and %+v", e.err, e.run)
		}
		w.die()
	})
}

func TestDrainLeavesWhatALostWorkerHeldForTheNextRun(t *testing.T) {
	inBubble(t, 3, func(t *testing.T, s *stage) {
		w := s.worker("w", 2)
		v, done := s.start(s.config())
		a := w.mustNext(time.Minute)
		w.mustNext(time.Minute)
		v.Drain()
		synctest.Wait()
		s.sink.commit(a, "w", true)
		synctest.Wait() // until the receipt is heard
		w.die()
		e := <-done
		if e.err != nil || e.run.Found != 1 || e.run.Done != 1 || e.run.Unsettled() != 0 {
			t.Errorf("the run ended with %v and %+v", e.err, e.run)
		}
	})
}
