package sink

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file cuts answers into pages, so that no number of workers or runs makes an answer too large to be decoded.

// maxRunsBytes bounds the texts of the runs in one page.
const maxRunsBytes = 1 << 20

// statusPage returns the status with the workers whose names come after a name.
func (c *core) statusPage(after string) *wire.Status {
	status := c.Status()
	start, found := slices.BinarySearchFunc(status.Workers, after, func(w wire.WorkerStatus, name string) int {
		return strings.Compare(w.Worker, name)
	})
	if found {
		start++
	}
	if status.Workers = status.Workers[start:]; len(status.Workers) > wire.MaxWorkers {
		status.Workers = status.Workers[:wire.MaxWorkers]
		status.Next = status.Workers[wire.MaxWorkers-1].Worker
	}
	return status
}

// runsPage returns the runs that come after the one that a page before named, newest first.
func (c *control) runsPage(after string) (*wire.Runs, error) {
	runs, err := c.allRuns()
	if err != nil {
		return nil, err
	}
	if after != "" {
		at, id, err := splitCursor(after)
		if err != nil {
			return nil, err
		}
		runs = runs[firstAfter(runs, at, id):]
	}
	bytes := 0
	for i := range runs {
		bytes += len(runs[i].Recipe)
		for _, name := range slices.Concat(runs[i].Inputs, runs[i].Missing) {
			bytes += len(name)
		}
		if i == wire.MaxRuns || bytes > maxRunsBytes && i > 0 {
			last := &runs[i-1]
			return &wire.Runs{Runs: runs[:i], Next: last.Started.UTC().Format(time.RFC3339Nano) + " " + last.ID}, nil
		}
	}
	return &wire.Runs{Runs: runs}, nil
}

// firstAfter returns the index of the first run that is listed after the one with this start and id.
func firstAfter(runs []wire.Run, started time.Time, id string) int {
	for i := range runs {
		if runs[i].Started.Equal(started) && runs[i].ID == id {
			return i + 1
		}
	}
	for i := range runs { // that run is no longer there
		if runs[i].Started.Before(started) {
			return i
		}
	}
	return len(runs)
}

func splitCursor(cursor string) (time.Time, string, error) {
	text, id, _ := strings.Cut(cursor, " ")
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, "", fmt.Errorf("after %.80q: pass the next of an earlier page", cursor)
	}
	return at, id, nil
}
