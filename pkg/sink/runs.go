package sink

import (
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// runSilence is after how long without its ventilator's word a run counts as interrupted.
const runSilence = 15 * time.Second

// maxRuns bounds the runs kept in memory; ended ones are in the ledger.
const maxRuns = 32

func sortNewestFirst(runs []wire.Run) {
	slices.SortFunc(runs, func(a, b wire.Run) int { return b.Started.Compare(a.Started) })
}

// tellRun takes a ventilator's counts and returns whether an operator wants the run to go on, and what its events are. The
// run begins anew when it was not known or has another beginning: its deliveries are counted from 1 again.
func (s *state) tellRun(run wire.Run, now time.Time) (want outcome.RunState, topics []string, anew bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.runs[run.ID]
	anew = r == nil || !r.Started.Equal(run.Started)
	if r == nil || !r.Ended.IsZero() && !r.Started.Equal(run.Started) { // new, or another of the same name
		r = &liveRun{want: outcome.Running}
		if run.State == outcome.Paused { // before this sink was started again
			r.want = run.State
		}
		delete(s.runs, run.ID)
		s.forgetRuns()
		s.runs[run.ID] = r
		topics = append(topics, wire.TopicRunStarted)
	}
	told := !r.Ended.IsZero() && !r.silent
	r.Run, r.heard, r.silent = run, now, false
	switch {
	case run.Ended.IsZero():
		topics = append(topics, wire.TopicRunProgress)
	case !told:
		topics = append(topics, wire.TopicRunFinished)
	}
	return r.want, topics, anew
}

// recordEvery is how old the record of a live run may become: when it is killed together with the sink, no later counts of
// it are known.
const recordEvery = 10 * time.Second

// recordDue reports whether the record of a run that was just told is to be written, and counts it as written.
func (s *state) recordDue(run *wire.Run, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.runs[run.ID]
	if r == nil || run.Ended.IsZero() && now.Sub(r.kept) < recordEvery {
		return false
	}
	r.kept = now
	return true
}

// remember takes the newest run of the ledger, if it has ended: who looks at a sink that was started again wants to see how
// things ended.
func (s *state) remember(runs []wire.Run) {
	if len(runs) == 0 || runs[0].Ended.IsZero() {
		return
	}
	last := runs[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[last.ID] = &liveRun{Run: last, heard: last.Ended, silent: last.State == outcome.Interrupted, want: outcome.Running}
}

// forgetRuns makes room for another run.
func (s *state) forgetRuns() {
	for len(s.runs) >= maxRuns {
		var oldest string
		for id, r := range s.runs {
			if oldest == "" || r.heard.Before(s.runs[oldest].heard) {
				oldest = id
			}
		}
		delete(s.runs, oldest)
	}
}

// interrupted marks the runs whose ventilators fell silent, and returns them.
func (s *state) interrupted(now time.Time) (runs []wire.Run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.runs {
		if r.Ended.IsZero() && now.Sub(r.heard) > runSilence {
			r.State, r.Ended, r.Waiting, r.silent = outcome.Interrupted, r.heard, "", true
			runs = append(runs, r.Run)
		}
	}
	return runs
}

// countSettled makes the counts of a run whose ventilator fell silent include what was settled since that last told them.
func (s *Sink) countSettled(run *wire.Run) {
	if err := s.book().countSettled(run); err != nil {
		s.log.Error("a run's entries could not be counted", "run", run.ID, "error", err)
		return
	}
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if r := s.state.runs[run.ID]; r != nil && r.silent {
		r.Run = *run
	}
}

// steer notes what an operator wants of a run, or of all live ones.
func (s *state) steer(want wire.Steering) (steered []wire.Steering) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, r := range s.runs {
		if (want.Run == "" || want.Run == id) && r.Ended.IsZero() {
			r.want = want.State
			steered = append(steered, wire.Steering{Run: id, State: want.State})
		}
	}
	return steered
}
