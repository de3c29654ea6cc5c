package ventilator

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// A worker that SIGSTOP had stopped got its own tasks again and again, until they were dead letters.
func TestSuspectWorkerGetsNoTask(t *testing.T) {
	inVirtualTime(t, 6, func(t *testing.T, s *testbed) {
		frozen := s.worker("frozen", 2)
		cfg := s.config()
		cfg.Dispatch.SpeculateAge = -1
		_, done := s.start(cfg)
		frozen.mustNext(time.Minute)
		frozen.mustNext(time.Minute)
		time.Sleep(10 * time.Minute) // no other worker is there
		if task := frozen.next(0); task != nil {
			t.Errorf("the suspect worker got delivery %d of %s", task.Delivery, task.Filename)
		}
		good := s.worker("good", 1)
		for range 6 {
			s.sink.commit(good.mustNext(time.Minute), "good", true)
		}
		e := <-done
		expectDone(t, e, 6)
		if e.run.Redeliveries != 2 {
			t.Errorf("%d redeliveries; the suspect worker held 2 tasks", e.run.Redeliveries)
		}
		frozen.die()
		good.die()
	})
}

func TestSuspectWorkerGetsTasksAgainAfterASignOfLife(t *testing.T) {
	inVirtualTime(t, 2, func(t *testing.T, s *testbed) {
		w := s.worker("w", 1)
		_, done := s.start(s.config())
		w.mustNext(time.Minute)
		if task := w.next(10 * time.Minute); task != nil {
			t.Fatal("the suspect worker got a second task")
		}
		w.beat()
		go w.serve()
		expectDone(t, <-done, 2)
		w.die()
	})
}

func TestSuspectStrangerGetsTasksOnlyWhileNoOtherWorkerIsThere(t *testing.T) {
	inVirtualTime(t, 2, func(t *testing.T, s *testbed) {
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
			t.Errorf("the stranger got delivery %d although another worker is there", task.Delivery)
		}
		stranger.die()
		good.die()
	})
}

// A stranger's results come as events. One that comes before the subscription is lost, and then the stranger's lease
// of minutes would have to expire.
func TestStrangersGetNoTaskBeforeEventsAreConnected(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		s.sink.down()
		stranger := s.worker("", 0)
		cfg := s.config()
		cfg.Force = true // the sink need not be asked before the task can be sent
		_, done := s.start(cfg)
		if task := stranger.next(time.Minute); task != nil {
			t.Fatal("the stranger got a task whose results would have been lost")
		}
		s.sink.up()
		task := stranger.mustNext(time.Minute)
		synctest.Wait() // until the subscription has arrived
		for _, name := range cfg.Recipe.OutputNames(task.Filename) {
			s.sink.publish(wire.TopicOutput, &wire.BareName{Name: name})
		}
		expectDone(t, <-done, 1)
		stranger.die()
	})
}

func TestDrainWaitsForResultsThatAreBeingCommitted(t *testing.T) {
	inVirtualTime(t, 3, func(t *testing.T, s *testbed) {
		w := s.worker("w", 1)
		v, done := s.start(s.config())
		task := w.mustNext(time.Minute)
		s.sink.publish(wire.TopicTaskAnswered, &wire.Answered{ID: task.ID, Worker: "w"})
		second := w.mustNext(time.Minute) // the result made room for it
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
	inVirtualTime(t, 3, func(t *testing.T, s *testbed) {
		w := s.worker("w", 2)
		v, done := s.start(s.config())
		a := w.mustNext(time.Minute)
		w.mustNext(time.Minute)
		v.Drain()
		synctest.Wait()
		s.sink.commit(a, "w", true)
		synctest.Wait() // until the receipt has arrived
		w.die()
		e := <-done
		if e.err != nil || e.run.Found != 1 || e.run.Done != 1 || e.run.Unsettled() != 0 {
			t.Errorf("the run ended with %v and %+v", e.err, e.run)
		}
	})
}

func TestStrangersGetNoTaskWhereTheyAreRefused(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		bare, old := s.worker("", 0), s.worker("old", 4) // old announces no token
		cfg := s.config()
		cfg.RefuseStrangers = true
		_, done := s.start(cfg)
		if bare.next(time.Minute) != nil || old.next(time.Minute) != nil {
			t.Fatal("a stranger got a task")
		}
		pull, err := zsock.NewPull(zsock.Config{
			Network:  zsock.Network{Inproc: s.inproc},
			Identity: wire.WorkerIdentity{Name: "good", Slots: 1, Prefetch: 1, Token: wire.NewToken()}.String(),
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := pull.Dial("inproc://tasks"); err != nil {
			t.Fatal(err)
		}
		good := &fakeWorker{s: s, name: "good", pull: pull}
		task := good.mustNext(time.Minute)
		if len(task.Ticket) != wire.TicketSize || task.Ticket == wire.BlankTicket() {
			t.Errorf("its ticket is %x", string(task.Ticket))
		}
		s.sink.commit(task, "good", true)
		expectDone(t, <-done, 1)
		for _, w := range []*fakeWorker{bare, old, good} {
			w.die()
		}
	})
}
