package ventilator

import "time"

// stopwatch adds up the time in which it runs.
type stopwatch struct {
	sum   time.Duration // up to the last set
	since time.Time     // of the last set, if it has been running since; else zero
}

// set accounts for the time up to now and lets the stopwatch run on, or not.
func (s *stopwatch) set(running bool, now time.Time) {
	if !s.since.IsZero() {
		s.sum += now.Sub(s.since)
		s.since = time.Time{}
	}
	if running {
		s.since = now
	}
}

// watch keeps the time in which the run works: see wire.Run.Working. It is to be called whenever that may have changed.
func (l *loop) watch(now time.Time) {
	l.work.set(l.d.Peers() > 0 && (l.steered != "paused" || l.d.Leased() > 0), now)
}
