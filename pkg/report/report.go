// Package report tells what became of a run: as text, as JSON, as comma-separated values, and as one page of HTML that
// needs nothing else.
//
// A report is made in one pass over the ledger's entries, and its memory does not grow with their number: throughput is
// counted in slices of time that are joined in pairs when there are too many, times go into histograms whose steps are a
// tenth, and of lists only the longest, or an even sample, is kept.
package report

import (
	"context"
	"fmt"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// UnknownRunError says that the ledger does not know the run that was asked for; Run is empty when it knows none.
type UnknownRunError struct{ Run string }

func (e *UnknownRunError) Error() string {
	if e.Run == "" {
		return "the ledger knows no run yet"
	}
	return fmt.Sprintf("the ledger knows no run %q", e.Run)
}

// FindRun returns the run of that id, or the newest when it is empty. The error is an *UnknownRunError or the ledger's.
func FindRun(ctx context.Context, b wire.LedgerReader, id string) (wire.Run, error) {
	runs, err := b.Runs(ctx)
	if err != nil {
		return wire.Run{}, err
	}
	for _, r := range runs {
		if id == "" || r.ID == id {
			return r, nil
		}
	}
	return wire.Run{}, &UnknownRunError{id}
}

// EachEntry calls visit with each entry that a run settled, in the order in which they were.
func EachEntry(ctx context.Context, b wire.LedgerReader, run string, visit func(*wire.Receipt) error) error {
	for args := (wire.EntriesArgs{Run: run}); ; {
		page, err := b.Entries(ctx, args)
		if err != nil {
			return err
		}
		for i := range page.Entries {
			if err := visit(&page.Entries[i]); err != nil {
				return err
			}
		}
		if args.After = page.Next; args.After == "" {
			return nil
		}
	}
}

// The limits of what a report lists.
const (
	maxSlowest = 20
	maxListed  = 200  // rejected or dead images of each reason
	maxWorkers = 1000 // of more, only the sum is told
	maxPairs   = 12   // of pictures before and after
	maxDropped = 100  // kinds of dropped metadata
)

// Report is what is known of one run. Make it with New, Add its entries.
type Report struct {
	Run     wire.Run
	Entries int64 // that this run settled; skipped images have none
	Bytes   int64 // of their images
	Outputs int64
	Written int64 // bytes of outputs

	first, last time.Time // settled
	flow        flow
	stages      []Stage
	slowest     slowest
	reasons     map[string]*Refused
	workers     map[string]*Worker
	others      Worker
	sample      sample
	dropped     map[string]int64 // images by the kind of metadata that no output carries
}

// Refused is the images that were rejected for one reason, or the dead letters.
type Refused struct {
	Why    string // the reason, or "dead letter"
	Count  int64
	Images []wire.Receipt // the first ones
}

// Worker is what one worker settled.
type Worker struct {
	Name   string `json:"name"`
	Images int64  `json:"images"`
	Bytes  int64  `json:"bytes"`
	BusyUS int64  `json:"busy_us"` // its transforms together
}

// New returns the report of a run that has no entries yet.
func New(run wire.Run) *Report {
	return &Report{
		Run: run, flow: newFlow(run.Started), stages: newStages(),
		reasons: make(map[string]*Refused), workers: make(map[string]*Worker),
		dropped: make(map[string]int64),
	}
}

// Read returns the report of the run of that id (the newest when it is empty).
func Read(ctx context.Context, b wire.LedgerReader, id string) (*Report, error) {
	run, err := FindRun(ctx, b, id)
	if err != nil {
		return nil, err
	}
	r := New(run)
	return r, EachEntry(ctx, b, run.ID, func(e *wire.Receipt) error { r.Add(e); return nil })
}

// Add counts an entry, which it may keep.
func (r *Report) Add(e *wire.Receipt) {
	r.Entries++
	r.Bytes += e.Bytes
	for _, o := range e.Outputs {
		r.Outputs++
		r.Written += o.Size
	}
	if !e.At.IsZero() {
		if r.first.IsZero() || e.At.Before(r.first) {
			r.first = e.At
		}
		if e.At.After(r.last) {
			r.last = e.At
		}
		r.flow.add(e.At, e.Outcome == outcome.Done, e.Bytes)
	}
	if e.Outcome == outcome.Done {
		for i := range r.stages {
			r.stages[i].add(r.stages[i].of(&e.Timings))
		}
		r.slowest.add(e)
		r.sample.add(e)
		for _, kind := range e.Dropped {
			if _, known := r.dropped[kind]; known || len(r.dropped) < maxDropped {
				r.dropped[kind]++
			}
		}
	} else {
		r.refuse(e)
	}
	r.work(e)
}

func (r *Report) refuse(e *wire.Receipt) {
	why := string(e.Reason)
	if e.Outcome == outcome.Dead {
		why = deadLetter
	}
	group := r.reasons[why]
	if group == nil {
		group = &Refused{Why: why}
		r.reasons[why] = group
	}
	if group.Count++; len(group.Images) < maxListed {
		group.Images = append(group.Images, *e)
	}
}

const deadLetter = "dead letter"

func (r *Report) work(e *wire.Receipt) {
	if e.Worker == "" {
		return // refused before it was sent
	}
	w := r.workers[e.Worker]
	if w == nil && len(r.workers) >= maxWorkers {
		w = &r.others
	} else if w == nil {
		w = &Worker{Name: e.Worker}
		r.workers[e.Worker] = w
	}
	w.Images++
	w.Bytes += e.Bytes
	w.BusyUS += e.Timings.Total
}

// end is the run's, or that of the last entry while it has none.
func (r *Report) end() time.Time {
	if r.Run.Ended.IsZero() {
		return r.last
	}
	return r.Run.Ended
}

// Unseen reports that the run was interrupted so that nobody could tell how far it was: it may have found more than it says.
func (r *Report) Unseen() bool { return r.Run.State == outcome.Interrupted && r.Run.Ended.IsZero() }

// Took returns how long the run has taken: to its end, or to the last entry while it has none.
func (r *Report) Took() time.Duration { return r.Run.Took(r.end()) }

// Working returns the part of that time by which rates are reckoned: see wire.Run.Working.
func (r *Report) Working() time.Duration { return r.Run.Working(r.end()) }

// PerSecond returns how many images were settled in a second of working time, and their bytes; 0 where nothing was.
func (r *Report) PerSecond() (images, bytes float64) {
	seconds := r.Working().Seconds()
	if seconds == 0 {
		return 0, 0
	}
	return float64(r.Entries) / seconds, float64(r.Bytes) / seconds
}
