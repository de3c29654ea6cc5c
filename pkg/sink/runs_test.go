package sink

import (
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func (s *stage) tell(run *wire.Run) {
	s.t.Helper()
	if _, err := s.client.TellRun(s.t.Context(), run); err != nil {
		s.t.Fatal(err)
	}
}

// twoDone is a run of so many found images whose ventilator has told no other counts, two of which are committed.
func twoDone(t *testing.T, found int64) *stage {
	s := newStage(t)
	s.tell(&wire.Run{ID: "r", State: "running", Started: time.Now(), Found: found})
	for n := range 2 {
		s.send(done(n).Encode())
		s.await(wire.TopicTaskDone)
	}
	return s
}

// onlyRun returns the run that runs lists.
func onlyRun(t *testing.T, runs []wire.Run, err error) wire.Run {
	t.Helper()
	if err != nil || len(runs) != 1 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	return runs[0]
}

// Found as a run that went on for ever in the ledger of a farm that had been killed.
func TestRunThatNobodySawEndWasInterrupted(t *testing.T) {
	s := twoDone(t, 1)
	s.tell(&wire.Run{ID: "r", State: "running", Started: time.Now(), Found: 5, Done: 2})
	runs, err := s.client.Runs(t.Context())
	if r := onlyRun(t, runs, err); r.State != "running" || r.Found != 5 || r.Done != 2 {
		t.Errorf("while it goes on: %+v", r)
	}
	runs, err = Reader{Ledger: s.ledger}.Runs(t.Context())
	if r := onlyRun(t, runs, err); r.State != "interrupted" || !r.Ended.IsZero() || r.Found != 2 || r.Done != 2 {
		t.Errorf("with no sink: %+v", r)
	}

	s.sink.runs.mu.Lock()
	clear(s.sink.runs.byID) // as after a restart
	s.sink.runs.mu.Unlock()
	runs, err = s.client.Runs(t.Context())
	if r := onlyRun(t, runs, err); r.State != "running" {
		t.Errorf("while it may be about to speak: %+v", r)
	}
	s.sink.state.mu.Lock()
	s.sink.state.status.Started = time.Now().Add(-runTimeout - time.Second)
	s.sink.state.mu.Unlock()
	runs, err = s.client.Runs(t.Context())
	if r := onlyRun(t, runs, err); r.State != "interrupted" {
		t.Errorf("after it did not speak: %+v", r)
	}
}

func TestRecordOfALiveRunIsNeverOld(t *testing.T) {
	begun := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s := newLiveRuns()
	run := wire.Run{ID: "r", Started: begun}
	for second := range 30 {
		now := begun.Add(time.Duration(second) * time.Second)
		s.update(run, caller{}, now)
		if due := s.recordDue(&run, now); due != (second%10 == 0) {
			t.Errorf("after %d s it is due: %v", second, due)
		}
	}
	run.Ended = begun.Add(29 * time.Second)
	s.update(run, caller{}, run.Ended)
	if !s.recordDue(&run, run.Ended) {
		t.Error("its end is not kept")
	}
}

// What workers still held when the ventilator was killed is settled after it last told its counts.
func TestRunWhoseVentilatorFellSilentHasWhatWasSettledSince(t *testing.T) {
	s := twoDone(t, 5)
	s.sink.runs.mu.Lock()
	s.sink.runs.byID["r"].called = time.Now().Add(-runTimeout - time.Second)
	s.sink.runs.mu.Unlock()
	s.await(wire.TopicRunFinished)
	runs, err := Reader{Ledger: s.ledger}.Runs(t.Context())
	if r := onlyRun(t, runs, err); r.State != "interrupted" || r.Ended.IsZero() || r.Found != 5 || r.Done != 2 {
		t.Errorf("its record: %+v", r)
	}
	runs, err = s.client.Runs(t.Context())
	if r := onlyRun(t, runs, err); r.State != "interrupted" || r.Done != 2 {
		t.Errorf("as the sink knows it: %+v", r)
	}
}

// A ventilator that was killed is started again with the same --run. It draws another key, and waited for 15 s.
func TestAbandonedRunIsContinuedByItsOwnMachine(t *testing.T) {
	now := time.Now()
	gone := make(chan struct{})
	l := newLiveRuns()
	run := wire.Run{ID: "r", State: outcome.Running, Started: now}
	l.update(run, caller{account: "192.0.2.1", gone: gone}, now)
	take := func(account string, at time.Duration) bool {
		_, ok := l.interruptAbandoned("r", account, now.Add(at))
		return ok
	}
	if take("192.0.2.1", time.Hour) {
		t.Error("a run is taken while its ventilator is connected")
	}
	close(gone)
	if take("192.0.2.1", 0) || take("192.0.2.1", abandonedAfter-1) {
		t.Error("a run is taken while its ventilator may connect again")
	}
	if take("192.0.2.2", time.Minute) || take("", time.Minute) {
		t.Error("a run is taken by another machine")
	}
	l.update(run, caller{account: "192.0.2.1", gone: make(chan struct{})}, now) // it has connected again
	if take("192.0.2.1", time.Minute) {
		t.Error("a run is taken although its ventilator is back")
	}
	l.update(run, caller{account: "192.0.2.1", gone: gone}, now)
	l.interruptSilent(now)
	if !take("192.0.2.1", abandonedAfter) || l.byID["r"].State != outcome.Interrupted {
		t.Errorf("an abandoned run is not taken, it is %s", l.byID["r"].State)
	}
	if take("192.0.2.1", time.Minute) {
		t.Error("a run is taken twice")
	}
}
