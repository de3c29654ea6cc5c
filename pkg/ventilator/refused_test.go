package ventilator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

func TestRunEndsWhenTheSinkRefusesToSayWhatIsSettled(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		calls := s.sink.refuse(wire.OpSettled)
		_, done := s.start(s.config())
		e := <-done
		var refused *sinkclient.RefusedError
		if !errors.As(e.err, &refused) || calls() != 1 {
			t.Errorf("after %d calls the run ended with %v", calls(), e.err)
		}
	})
}

func TestRefusedReceiptIsNotSentAgainAtOnce(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		w := s.worker("w", 1)
		cfg := s.config()
		cfg.Dispatch.MaxDeliveries = 1
		_, done := s.start(cfg)
		fail := func() {
			s.sink.failBare(w.mustNext(time.Minute), "")
		}
		calls := s.sink.refuse(wire.OpSettle)
		fail()
		time.Sleep(20 * time.Second)
		if n := calls(); n != 1 {
			t.Errorf("the receipt of the dead letter was sent %d times", n)
		}
		s.sink.refuse("")
		fail() // delivered again, because the sink did not commit it as dead
		if e := <-done; e.err != nil || e.run.Dead != 1 || e.run.Unsettled() != 0 {
			t.Errorf("the run ended with %v and %+v", e.err, e.run)
		}
		w.die()
	})
}

// slowReader makes four images, of which a connection holds no more than one. It returns a worker that reads only
// when the test does.
func (s *testbed) slowReader(as wire.WorkerIdentity, heartbeat time.Duration) *zsock.Pull {
	s.t.Helper()
	for i := range 4 {
		if err := os.WriteFile(filepath.Join(s.dir, fmt.Sprintf("%d.jpg", i)), make([]byte, 300<<10), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	network := zsock.Network{Inproc: s.inproc, Heartbeat: heartbeat}
	pull, err := zsock.NewPull(zsock.Config{Network: network, Identity: as.String(), RecvHWM: 1})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := pull.Dial("inproc://tasks"); err != nil {
		s.t.Fatal(err)
	}
	return pull
}

func TestEndOfARunDoesNotWaitForAWorkerThatReadsNothing(t *testing.T) {
	inVirtualTime(t, 0, func(t *testing.T, s *testbed) {
		frozen := s.slowReader(wire.WorkerIdentity{Name: "frozen", Slots: 1, Prefetch: 4}, 0)
		cfg := s.config()
		cfg.Dispatch.SpeculateAge = time.Second // before its connection is found dead
		_, done := s.start(cfg)
		good := s.worker("good", 1)
		for range 4 {
			s.sink.commit(good.mustNext(time.Minute), "good", true)
		}
		settled := time.Now()
		e := <-done
		expectDone(t, e, 4)
		if waited := e.at.Sub(settled); waited > time.Second {
			t.Errorf("the run ended %v after its last receipt", waited)
		}
		(&fakeWorker{s: s, pull: frozen}).die()
		good.die()
	})
}

// Without a sink no heartbeat arrives: only the end of its connection shows that a worker has ended.
func TestSlowWorkerIsNotSuspectWithoutASink(t *testing.T) {
	inVirtualTime(t, 0, func(t *testing.T, s *testbed) {
		slow := s.slowReader(wire.WorkerIdentity{Name: "slow", Slots: 1, Prefetch: 2}, time.Second)
		cfg := s.config()
		cfg.Control = NoSink
		_, done := s.start(cfg)
		time.Sleep(2 * time.Minute) // the worker reads nothing, as when its disk is full
		got := make(map[string]int)
		for range 4 {
			ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
			m, err := slow.Recv(ctx)
			cancel()
			if err != nil {
				t.Fatalf("after %v: %v", got, err)
			}
			task, err := wire.DecodeTask(m[0])
			if err != nil {
				t.Fatal(err)
			}
			got[task.Filename]++
		}
		if e := <-done; e.err != nil || e.run.HandedOut != 4 || e.run.Done != 0 || e.run.Unsettled() != 0 {
			t.Errorf("the run ended with %v and %+v; 4 images must be handed out", e.err, e.run)
		}
		if len(got) != 4 {
			t.Errorf("the worker got %v", got)
		}
		(&fakeWorker{s: s, pull: slow}).die()
	})
}
