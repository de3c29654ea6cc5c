package sink

import (
	"slices"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// A stranger that echoes ids sends results and nothing else: these are its signs of life.
func TestWorkerThatOnlySendsResultsIsNotLost(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s := newState(&Config{}, now, "test")
	s.countReceipt(&wire.Receipt{ID: "1", Outcome: outcome.Done, Worker: "python"}, now)
	if lost := s.roster.dropSilent(3*time.Second, now.Add(time.Minute)); len(lost) > 0 {
		t.Errorf("%q is lost a minute after its result", lost)
	}
	if n := s.roster.connected(); n != 1 {
		t.Errorf("%d workers", n)
	}
	if lost := s.roster.dropSilent(3*time.Second, now.Add(silentWorkerTimeout+time.Second)); !slices.Equal(lost,
		[]string{"python"}) {
		t.Errorf("%q is lost after %v of silence", lost, silentWorkerTimeout)
	}
	s.countReceipt(&wire.Receipt{ID: "2", Outcome: outcome.Done, Worker: "python"}, now.Add(2*silentWorkerTimeout))
	if n := s.roster.connected(); n != 1 {
		t.Errorf("%d workers after it worked again", n)
	}
}

func TestWorkerWhoseHeartbeatsCeaseIsLost(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s := newState(&Config{}, now, "test")
	s.heartbeat(&wire.Heartbeat{Worker: "w1", Slots: 2}, now)
	if lost := s.roster.dropSilent(3*time.Second, now.Add(4*time.Second)); !slices.Equal(lost, []string{"w1"}) {
		t.Errorf("%q is lost", lost)
	}
	s.countReceipt(&wire.Receipt{ID: "1", Outcome: outcome.Done, Worker: "w1"}, now.Add(5*time.Second))
	if n := s.roster.connected(); n != 0 {
		t.Error("a result that was committed late brought a lost worker back")
	}
}

func TestRateForgetsWhatAClockThatWasSetBackCounted(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	var r rate
	r.add(100, now)
	now = now.Add(-time.Hour)
	if last, mean := r.lastSecond(now), r.perSecond(now); last != 0 || mean != 0 {
		t.Errorf("an hour earlier: %v and %v a second", last, mean)
	}
	r.add(7, now)
	if last := r.lastSecond(now.Add(time.Second)); last != 7 {
		t.Errorf("%v in the last second, not 7", last)
	}
}
