package ventilator

import (
	"fmt"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file makes the counts of a run and describes its state in words.

// counts returns the counts and the state of the run.
func (l *loop) counts(now time.Time) wire.Run {
	run := l.d.Counts()
	run.ID, run.Started, run.Total = l.about.ID, l.about.Started, l.about.Total
	run.Inputs, run.Recipe, run.Host = l.about.Inputs, l.about.Recipe, l.about.Host
	run.Pending += int64(len(l.backlog))
	switch {
	case l.ended:
		run.State, run.Ended = outcome.Finished, now
	case l.draining:
		run.State = outcome.Draining
	case l.runState == outcome.Paused:
		run.State = outcome.Paused
	case l.v.cfg.Watching:
		run.State = outcome.Watching
	default:
		run.State = outcome.Running
	}
	run.Total = max(run.Total, run.Found)
	if l.v.cfg.Watching {
		run.New = max(0, run.Found-l.surveyed)
	}
	run.WorkUS = l.working.sum.Microseconds()
	run.Waiting = l.waitingFor()
	run.LeftOut = l.v.leftOutByKind()
	run.Trim()
	return run
}

// waitingFor says in words what the run waits for; empty: nothing.
func (l *loop) waitingFor() string {
	switch {
	case l.runState == outcome.Paused:
		return "paused by an operator"
	case l.sink.trouble != "":
		return "waiting for the sink: " + l.sink.trouble
	case l.sink.unreachable != "":
		return "waiting for the sink at " + l.v.cfg.Control + ": " + l.sink.unreachable
	case l.d.Peers() == 0 && l.d.Unsettled() > 0 && !l.draining: // a drain hands out nothing more
		return "waiting for workers on " + l.v.cfg.Bind
	}
	return ""
}

// blockedOn names what the flow of tasks waits for, as the label of a metric; empty: nothing.
func (l *loop) blockedOn() string {
	switch {
	case l.runState == outcome.Paused:
		return ""
	case l.d.Ready() > 0:
		return "workers"
	case l.d.Due() == 0:
		return ""
	case l.nextRead == nil:
		return "bytes"
	}
	return "read"
}

// describeUnsettled names at most n of the unsettled tasks and their states.
func (l *loop) describeUnsettled(n int) string {
	s := fmt.Sprintf("%d unsettled", l.d.Unsettled())
	for t := range l.d.All() {
		if n--; n < 0 {
			return s + ", …"
		}
		s += fmt.Sprintf(", %q (%s)", t.Name, t.State())
	}
	return s
}

// missing names the unsettled images, at most as many as a report has room for.
func (l *loop) missing() []string {
	var names []string
	for t := range l.d.All() {
		if len(names) == wire.MaxMissing {
			break
		}
		names = append(names, t.Name)
	}
	slices.Sort(names)
	return names
}

// stopwatch adds up the time during which it runs.
type stopwatch struct {
	sum   time.Duration // up to the last call of set
	since time.Time     // the last call of set; zero: the stopwatch is stopped
}

// set adds the time up to now, and says whether the stopwatch runs from now on.
func (s *stopwatch) set(running bool, now time.Time) {
	if !s.since.IsZero() {
		s.sum += now.Sub(s.since)
		s.since = time.Time{}
	}
	if running {
		s.since = now
	}
}

// updateWorking adds up wire.Run.Working: the time in which workers are connected and the run is not paused, or is
// paused while workers still hold tasks. Call it after each change of any of these.
func (l *loop) updateWorking(now time.Time) {
	l.working.set(l.d.Peers() > 0 && (l.runState != outcome.Paused || l.d.Leased() > 0), now)
}
