package sink

import (
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// settle notes that the sink has settled a task of a run.
func (l *liveRuns) settle(run string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.byID[run]; r != nil {
		r.settled++
	}
}

// unsettled returns how many images of each live run are not settled. It leaves out the runs of which the sink cannot
// know: those that watch directories, and those that began before the sink did. The count is too high while the
// ventilator has not reported yet how many images earlier runs have settled.
func (l *liveRuns) unsettled() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := make(map[string]int64)
	for id, r := range l.byID {
		if r.Ended.IsZero() && !r.since.IsZero() && r.State != outcome.Watching {
			left[id] = r.Total - r.Earlier - r.settled
		}
	}
	return left
}

// lacking tells what the runs of a group of entries lack besides the group.
type lacking struct {
	left map[string]int64 // images by live run, less those of the group
	runs map[string]bool  // those of the group
}

func newLacking(runs *liveRuns) *lacking {
	return &lacking{left: runs.unsettled(), runs: make(map[string]bool)}
}

// add counts an entry of the group.
func (l *lacking) add(e *ledger.Entry) {
	l.runs[e.Run] = true
	if left, known := l.left[e.Run]; known && !e.Unmade() {
		l.left[e.Run] = left - 1
	}
}

// atMost reports whether each run of the group is known to lack at most n images. A duplicate may be counted twice, so
// a count below 0 tells nothing.
func (l *lacking) atMost(n int64) bool {
	for run := range l.runs {
		if left, known := l.left[run]; !known || left < 0 || left > n {
			return false
		}
	}
	return true
}
