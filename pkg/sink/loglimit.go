package sink

import "time"

// A log line that strangers can cause is written at most linesAtOnce times in linesPeriod.
const (
	linesAtOnce = 100
	linesPeriod = 10 * time.Second
)

// logLimit bounds how often a line is logged. It is not safe for concurrent use.
type logLimit struct {
	begun      time.Time
	lines      int
	suppressed int
}

// allow reports whether the line may be logged now, and how many were not since the last one that was.
func (l *logLimit) allow(now time.Time) (ok bool, suppressed int) {
	if now.Sub(l.begun) >= linesPeriod {
		l.begun, l.lines = now, 0
	}
	if l.lines == linesAtOnce {
		l.suppressed++
		return false, 0
	}
	l.lines++
	suppressed, l.suppressed = l.suppressed, 0
	return true, suppressed
}
