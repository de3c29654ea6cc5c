package wire

import "time"

// How fast a run goes is told in several places: in its progress, its summary, its report, on the page. What "a second"
// means there is said here, once: a second in which the run could work.

// Took returns how long the run took by the clock, or has taken by now: pauses and the wait for workers included.
func (r *Run) Took(now time.Time) time.Duration {
	if !r.Ended.IsZero() {
		now = r.Ended
	}
	return max(0, now.Sub(r.Started))
}

// Working returns the part of Took that rates are reckoned by: in which a worker was connected and the run was not paused,
// or was and workers still had something to finish. Of a run that does not tell it, it is all of Took.
func (r *Run) Working(now time.Time) time.Duration {
	if r.WorkUS > 0 {
		return time.Duration(r.WorkUS) * time.Microsecond
	}
	return r.Took(now)
}

// PerSecond returns how many images the run worked on in a second of its working time, and how many bytes they had.
func (r *Run) PerSecond(now time.Time) (images, bytes float64) {
	seconds := r.Working(now).Seconds()
	if seconds == 0 {
		return 0, 0
	}
	return float64(r.Worked()) / seconds, float64(r.Bytes) / seconds
}

// Left estimates how long the rest takes at the pace so far; ok is false while there is none, or while nothing goes on.
func (r *Run) Left(now time.Time) (left time.Duration, ok bool) {
	worked := r.Worked()
	if worked == 0 || r.Waiting != "" {
		return 0, false
	}
	return r.Working(now) / time.Duration(worked) * time.Duration(max(0, max(r.Total, r.Found)-r.Settled())), true
}
