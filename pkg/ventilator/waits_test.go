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

// Found with a million files on a slow disk: nobody could have come while they were counted, and yet the run ended at
// once.
func TestTimeSpentCountingImagesIsNotTimeWithoutWorkers(t *testing.T) {
	inBubble(t, 1, func(t *testing.T, s *stage) {
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

func TestRunThatSkipsOneImageAfterAnotherIsNotStalled(t *testing.T) {
	inBubble(t, 200, func(t *testing.T, s *stage) {
		w := s.worker("w", 10)
		go w.serve()
		_, done := s.start(s.config())
		expectDone(t, <-done, 200)
		cfg := s.config()
		cfg.StallTimeout = time.Minute
		s.sink.pause(40 * time.Second) // for each of the four questions about what is settled
		_, done = s.start(cfg)
		if e := <-done; e.err != nil || e.run.Skipped != 200 {
			t.Errorf("the run ended with %v and %+v", e.err, e.run)
		}
		w.die()
	})
}

func TestWithoutASinkWhatCannotBeSentIsAccountedForAllTheSame(t *testing.T) {
	inBubble(t, 2, func(t *testing.T, s *stage) {
		large := filepath.Join(s.dir, "large.jpg")
		if err := os.WriteFile(large, []byte("\xff\xd8\xff"+strings.Repeat("x", 1000)), 0o644); err != nil {
			t.Fatal(err)
		}
		told := ""
		cfg := s.config()
		cfg.Control, cfg.MaxMessage, cfg.Dispatch.MaxInflightBytes = NoSink, 100, 1 // so that the second is not read before the first was sent
		cfg.Rejected = func(path string, _ wire.Receipt) { told += path }
		_, done := s.start(cfg)
		if err := os.Remove(filepath.Join(s.dir, "001.jpg")); err != nil {
			t.Fatal(err)
		}
		w := s.worker("w", 10)
		w.mustNext(time.Minute)
		synctest.Wait()
		e := <-done
		if e.err != nil || e.run.Done != 1 || e.run.Dead != 1 || e.run.Rejected != 1 || e.run.Unsettled() != 0 {
			t.Errorf("the run ended with %v and %+v", e.err, e.run)
		}
		if told != large {
			t.Errorf("the rejection that was told is of %q", told)
		}
		w.die()
	})
}

// Found with a delivery that failed within a millisecond: the word of it was published before anybody heard, and its
// lease of half a minute had to run out.
func TestFirstTaskWaitsAMomentForTheSinksEvents(t *testing.T) {
	inBubble(t, 0, func(t *testing.T, s *stage) {
		v, err := New(s.config())
		if err != nil {
			t.Fatal(err)
		}
		l := v.newLoop(time.Now(), survey{})
		l.d.AddPeer(1, wire.WorkerIdentity{Name: "w", Slots: 1, Prefetch: 1}.String())
		if !l.assembling(time.Now()) || l.assembling(time.Now().Add(assemblyTime)) {
			t.Error("it does not wait a moment, or too long")
		}
		if l.d.SetEventsConnected(true); l.assembling(time.Now()) {
			t.Error("it waits although events are heard")
		}
	})
}

func TestWorkingTimeIsThatWithWorkersAndWithoutPauses(t *testing.T) {
	inBubble(t, 3, func(t *testing.T, s *stage) {
		_, done := s.start(s.config())
		time.Sleep(time.Minute) // nobody is there
		w := s.worker("w", 1)
		task := w.mustNext(time.Minute)
		s.sink.steer("paused")
		time.Sleep(10 * time.Second)
		s.sink.commit(task, "w", true) // what is held is finished: that is work, too
		time.Sleep(time.Hour)
		s.sink.steer("running")
		task = w.mustNext(time.Minute)
		time.Sleep(10 * time.Second)
		s.sink.commit(task, "w", true)
		task = w.mustNext(time.Minute)
		w.die()
		time.Sleep(time.Hour)
		w = s.worker("w2", 1)
		s.sink.commit(w.mustNext(time.Minute), "w2", true)
		e := <-done
		expectDone(t, e, 3)
		if took, working := e.run.Took(e.at), e.run.Working(e.at); took < 2*time.Hour || working < 20*time.Second || working > 25*time.Second {
			t.Errorf("it took %v and worked for %v, not for some 20 s", took, working)
		}
		w.die()
	})
}
