package ventilator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// With a million files on a slow disk, a run ended right after it had counted them: no worker could have connected.
func TestTimeSpentCountingImagesIsNotTimeWithoutWorkers(t *testing.T) {
	inVirtualTime(t, 1, func(t *testing.T, s *testbed) {
		cfg := s.config()
		cfg.WaitWorkers, cfg.StallTimeout = 10*time.Second, time.Minute
		v, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		l := v.newLoop(time.Now().Add(-time.Hour), survey{Images: 1})
		l.d.Add(dispatch.Image{Name: "a.jpg", Size: 100}, taskid.ID{1}, time.Now())
		if err := l.tick(time.Now()); err != nil {
			t.Error(err)
		}
	})
}

func TestRunThatOnlySkipsImagesIsNotStalled(t *testing.T) {
	inVirtualTime(t, 200, func(t *testing.T, s *testbed) {
		w := s.worker("w", 10)
		go w.serve()
		_, done := s.start(s.config())
		expectDone(t, <-done, 200)
		cfg := s.config()
		cfg.StallTimeout = time.Minute
		s.sink.pause(40 * time.Second) // for each of the four calls that ask what is settled
		_, done = s.start(cfg)
		if e := <-done; e.err != nil || e.run.Skipped != 200 {
			t.Errorf("the run ended with %v and %+v", e.err, e.run)
		}
		w.die()
	})
}

func TestImagesThatCannotBeSentAreSettledWithoutASink(t *testing.T) {
	inVirtualTime(t, 2, func(t *testing.T, s *testbed) {
		large := filepath.Join(s.dir, "large.jpg")
		if err := os.WriteFile(large, []byte("\xff\xd8\xff"+strings.Repeat("x", 1000)), 0o644); err != nil {
			t.Fatal(err)
		}
		told := ""
		cfg := s.config()
		cfg.Control, cfg.MaxMessage = NoSink, 100
		cfg.Dispatch.MaxInflightBytes = 1 // the second image is not read before the first was sent
		cfg.Rejected = func(o Original, _ wire.Receipt) { told += o.Path }
		_, done := s.start(cfg)
		if err := os.Remove(filepath.Join(s.dir, "001.jpg")); err != nil {
			t.Fatal(err)
		}
		w := s.worker("w", 10)
		w.mustNext(time.Minute)
		synctest.Wait()
		e := <-done
		r := e.run
		if e.err != nil || r.HandedOut != 1 || r.Done != 0 || r.Dead != 1 || r.Rejected != 1 || r.Unsettled() != 0 {
			t.Errorf("the run ended with %v and %+v", e.err, e.run)
		}
		if told != large {
			t.Errorf("the rejection of %q was reported", told)
		}
		w.die()
	})
}

// A delivery failed within a millisecond. Its event was published before the subscription, so that its lease of half
// a minute had to expire.
func TestFirstTaskWaitsForTheSinksEvents(t *testing.T) {
	inVirtualTime(t, 0, func(t *testing.T, s *testbed) {
		v, err := New(s.config())
		if err != nil {
			t.Fatal(err)
		}
		l := v.newLoop(time.Now(), survey{})
		l.d.AddPeer(1, wire.WorkerIdentity{Name: "w", Slots: 1, Prefetch: 1}.String(), "")
		if !l.assembling(time.Now()) || l.assembling(time.Now().Add(assemblyTime)) {
			t.Error("the first task does not wait, or for too long")
		}
		if l.d.SetEventsConnected(true); l.assembling(time.Now()) {
			t.Error("the first task waits although events are connected")
		}
	})
}

func TestWorkingTimeIsTheTimeWithWorkersAndWithoutPauses(t *testing.T) {
	inVirtualTime(t, 3, func(t *testing.T, s *testbed) {
		_, done := s.start(s.config())
		time.Sleep(time.Minute) // no worker is there
		w := s.worker("w", 1)
		task := w.mustNext(time.Minute)
		s.sink.steer("paused")
		time.Sleep(10 * time.Second)
		s.sink.commit(task, "w", true) // workers finish what they hold: that counts, too
		time.Sleep(time.Hour)
		s.sink.steer("running")
		task = w.mustNext(time.Minute)
		time.Sleep(10 * time.Second)
		s.sink.commit(task, "w", true)
		w.mustNext(time.Minute)
		w.die()
		time.Sleep(time.Hour)
		w = s.worker("w2", 1)
		s.sink.commit(w.mustNext(time.Minute), "w2", true)
		e := <-done
		expectDone(t, e, 3)
		took, working := e.run.Took(e.at), e.run.Working(e.at)
		if took < 2*time.Hour || working < 20*time.Second || working > 25*time.Second {
			t.Errorf("the run took %v and worked for %v, not for about 20 s", took, working)
		}
		w.die()
	})
}

// After Ctrl-C, the bar of farm run said that it waited for workers: its worker had left, with a result on its way.
func TestDrainWaitsForNoWorkers(t *testing.T) {
	inVirtualTime(t, 0, func(t *testing.T, s *testbed) {
		v, err := New(s.config())
		if err != nil {
			t.Fatal(err)
		}
		l := v.newLoop(time.Now(), survey{Images: 1})
		l.d.Add(dispatch.Image{Name: "a.jpg", Size: 100}, taskid.ID{1}, time.Now())
		if why := l.waitingFor(); !strings.HasPrefix(why, "waiting for workers") {
			t.Errorf("a run without workers says %q", why)
		}
		l.draining = true
		if why := l.waitingFor(); why != "" {
			t.Errorf("a drain says %q", why)
		}
	})
}
