package wire

import (
	"testing"
	"time"
)

func TestARatesSecondsAreThoseInWhichTheRunCouldWork(t *testing.T) {
	begun := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	now := begun.Add(100 * time.Second)
	for what, c := range map[string]struct {
		run           Run
		took, working time.Duration
		images, bytes float64
		left          time.Duration
		known         bool
	}{
		"paused for most of its time": {Run{Found: 80, Done: 50, Skipped: 10, Earlier: 10, Bytes: 500, WorkUS: 25e6},
			100 * time.Second, 25 * time.Second, 2, 20, 10 * time.Second, true},
		"one that does not tell": {Run{Found: 80, Total: 100, Done: 50, Bytes: 500},
			100 * time.Second, 100 * time.Second, .5, 5, 100 * time.Second, true},
		"paused": {Run{Found: 80, Done: 50, WorkUS: 25e6, Waiting: "paused"}, 100 * time.Second, 25 * time.Second,
			2, 0, 0, false},
		"ended":            {Run{Found: 4, Done: 4, Ended: begun.Add(time.Second)}, time.Second, time.Second, 4, 0, 0, true},
		"with no work yet": {Run{Found: 80, Skipped: 10, Earlier: 10}, 100 * time.Second, 100 * time.Second, 0, 0, 0, false},
		"ended at once":    {Run{Found: 4, Done: 4, Ended: begun}, 0, 0, 0, 0, 0, true},
	} {
		c.run.Started = begun
		images, bytes := c.run.PerSecond(now)
		left, known := c.run.Left(now)
		if c.run.Took(now) != c.took || c.run.Working(now) != c.working || images != c.images || bytes != c.bytes ||
			left != c.left || known != c.known {
			t.Errorf("a run %s took %v, worked %v, at %v images and %v bytes a second; left: %v, %v", what,
				c.run.Took(now), c.run.Working(now), images, bytes, left, known)
		}
	}
}
