package wire

import "time"

// Progress, summary, report and page all show a run's rate. This file defines it once: a rate counts only the time
// in which the run could work.

// Took returns the wall time of the run so far, or of all of it, including pauses and the wait for workers.
func (r *Run) Took(now time.Time) time.Duration {
	if !r.Ended.IsZero() {
		now = r.Ended
	}
	return max(0, now.Sub(r.Started))
}

// Working returns the part of Took in which a worker was connected and the run was not paused, or workers still
// finished tasks after the pause began. Rates count this time. For a run that does not report it, Working returns
// Took.
func (r *Run) Working(now time.Time) time.Duration {
	if r.WorkUS > 0 {
		return time.Duration(r.WorkUS) * time.Microsecond
	}
	return r.Took(now)
}

// PerSecond returns images and bytes of input per second of working time.
func (r *Run) PerSecond(now time.Time) (images, bytes float64) {
	seconds := r.Working(now).Seconds()
	if seconds == 0 {
		return 0, 0
	}
	return float64(r.Worked()) / seconds, float64(r.Bytes) / seconds
}

// Left estimates how long the rest of the run takes at its rate so far. ok is false while the rate is unknown or
// nothing goes on.
func (r *Run) Left(now time.Time) (left time.Duration, ok bool) {
	worked := r.Worked()
	if worked == 0 || r.Waiting != "" {
		return 0, false
	}
	return r.Working(now) / time.Duration(worked) * time.Duration(max(0, max(r.Total, r.Found)-r.Settled())), true
}
