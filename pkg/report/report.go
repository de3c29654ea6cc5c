// Package report says what became of images: as text, as JSON, as comma-separated values, and as one page of HTML that
// needs nothing else. A report covers one run, or all images that the ledger knows.
//
// Read makes a report in one pass over the ledger's entries. Its memory does not grow with their number. It counts
// throughput in slices of time, and joins them in pairs when there are too many. It counts times in histograms whose
// steps are a tenth. Of lists it keeps the first or the largest entries, or an even sample.
package report

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// UnknownRunError says that the ledger does not know a run. Run is its id, and empty if the ledger knows no run at all.
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

// EachEntry calls visit with each entry that args select, in the order in which they were settled.
func EachEntry(ctx context.Context, b wire.LedgerReader, args wire.EntriesArgs, visit func(*wire.Receipt) error) error {
	for {
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
	maxListed  = 200  // rejected or dead images of each reason, and images with warnings
	maxWorkers = 1000 // of further ones only the sum
	maxPairs   = 12   // of pictures before and after
	maxDropped = 100  // kinds of dropped metadata
)

// Report is what is known of one run, or of all images that the ledger knows. Make it with Read.
type Report struct {
	Run        wire.Run // the run that it covers, or the newest one
	Runs       int      // how many runs it covers; 0: only Run
	Entries    int64    // of images; those that Run skipped have entries of other runs
	Done       int64    // of Entries
	Bytes      int64    // of the images of Entries
	Outputs    int64
	Written    int64 // bytes of outputs
	Superseded int64 // entries that are not counted, because a later one of the same image or outputs replaced them

	ofRun, ofRunBytes int64                // those of Entries that Run settled, and the bytes of their images
	last              time.Time            // when the last entry of Run was settled
	refusals          map[imageKey]refusal // of images, to find those that a later entry replaces
	flow              flow
	stages            []Stage
	slowest           slowest
	reasons           map[string]*Refused
	workers           map[string]*Worker
	others            Worker
	sample            sample
	dropped           map[string]int64 // images by the kind of metadata that no output carries
	warned            Warned
	partly            int64 // done images of which a variant could not be made
}

// Refused is the images that were rejected for one reason, or the dead letters.
type Refused struct {
	Why    string // the reason, or "dead letter"
	Count  int64
	Images []wire.Receipt // the first ones
}

// Warned is the done images about which there are warnings, or of which a variant could not be made.
type Warned struct {
	Count  int64
	Images []wire.Receipt // the first ones
}

// More returns how many images are not listed.
func (w Warned) More() int64 { return w.Count - int64(len(w.Images)) }

// Worker is what one worker settled.
type Worker struct {
	Name   string `json:"name"`
	Images int64  `json:"images"`
	Bytes  int64  `json:"bytes"`
	BusyUS int64  `json:"busy_us"` // its transforms together
}

// imageKey identifies an image.
type imageKey struct{ source, filename string }

// refusal is what a report counted of a refused image.
type refusal struct {
	why   string
	bytes int64
}

// maxRefusals bounds the refused images of which a report finds out whether a later entry replaced them.
const maxRefusals = 100_000

// newReport returns a report without entries.
func newReport(run wire.Run) *Report {
	return &Report{
		Run: run, refusals: make(map[imageKey]refusal), flow: newFlow(run.Started), stages: newStages(),
		reasons: make(map[string]*Refused), workers: make(map[string]*Worker),
		dropped: make(map[string]int64),
	}
}

// Read returns the report of the run of that id or, when it is empty, of all images that the ledger knows.
func Read(ctx context.Context, b wire.LedgerReader, id string) (*Report, error) {
	r, args, err := begin(ctx, b, id)
	if err != nil {
		return nil, err
	}
	return r, EachEntry(ctx, b, args, func(e *wire.Receipt) error { r.add(e); return nil })
}

// begin returns the report of that id, without entries, and which entries it covers.
func begin(ctx context.Context, b wire.LedgerReader, id string) (*Report, wire.EntriesArgs, error) {
	run, err := FindRun(ctx, b, id)
	if err != nil {
		return nil, wire.EntriesArgs{}, err
	}
	r := newReport(run)
	if id != "" {
		return r, wire.EntriesArgs{Run: run.ID}, nil
	}
	runs, err := b.Runs(ctx)
	r.Runs = len(runs)
	return r, wire.EntriesArgs{Superseded: true}, err
}

// superseded reports whether later entries replaced all outputs of e.
func superseded(e *wire.Receipt) bool {
	for i := range e.Outputs {
		if !e.Outputs[i].Superseded {
			return false
		}
	}
	return len(e.Outputs) > 0
}

// add counts an entry, which it may keep.
func (r *Report) add(e *wire.Receipt) {
	if superseded(e) {
		r.Superseded++
		return
	}
	if e.Unmade() && r.Runs == 0 {
		return // the run skipped it
	}
	if r.Runs > 0 {
		r.forgetRefusal(e)
	}
	r.Entries++
	r.Bytes += e.Bytes
	for _, o := range e.Outputs {
		if !o.Superseded {
			r.Outputs++
			r.Written += o.Size
		}
	}
	if e.Run == r.Run.ID && !e.Unmade() {
		r.ofRun++
		r.ofRunBytes += e.Bytes
		if !e.At.IsZero() {
			if e.At.After(r.last) {
				r.last = e.At
			}
			r.flow.add(e.At, e.Outcome == outcome.Done, e.Bytes)
		}
	}
	if e.Outcome == outcome.Done {
		r.Done++
		if !e.Unmade() {
			for i := range r.stages {
				r.stages[i].add(r.stages[i].of(&e.Timings))
			}
			r.slowest.add(e)
		}
		r.sample.add(e)
		for _, kind := range e.Dropped {
			if _, known := r.dropped[kind]; known || len(r.dropped) < maxDropped {
				r.dropped[kind]++
			}
		}
		if len(e.Refused) > 0 {
			r.partly++
		}
		if len(e.Warnings)+len(e.Refused) > 0 {
			if r.warned.Count++; len(r.warned.Images) < maxListed {
				r.warned.Images = append(r.warned.Images, *e)
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
	if r.Runs > 0 && len(r.refusals) < maxRefusals {
		r.refusals[imageKey{e.Source, e.Filename}] = refusal{why, e.Bytes}
	}
}

// forgetRefusal takes an earlier refusal of the image of e out of the report: the image has been tried again since.
func (r *Report) forgetRefusal(e *wire.Receipt) {
	key := imageKey{e.Source, e.Filename}
	earlier, refused := r.refusals[key]
	if !refused {
		return
	}
	delete(r.refusals, key)
	group := r.reasons[earlier.why]
	at := slices.IndexFunc(group.Images, func(e wire.Receipt) bool { return key == imageKey{e.Source, e.Filename} })
	if at >= 0 {
		group.Images = slices.Delete(group.Images, at, at+1)
	}
	if group.Count--; group.Count == 0 {
		delete(r.reasons, group.Why)
	}
	r.Entries--
	r.Bytes -= earlier.bytes
	r.Superseded++
}

const deadLetter = "dead letter"

func (r *Report) work(e *wire.Receipt) {
	if e.Worker == "" {
		return // the ventilator refused it before it sent a task
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

// end returns when the run ended or, while it has no recorded end, when its last entry was settled.
func (r *Report) end() time.Time {
	if r.Run.Ended.IsZero() {
		return r.last
	}
	return r.Run.Ended
}

// Unseen reports that the run ended without a final report. It may have found more images than it counts.
func (r *Report) Unseen() bool { return r.Run.State == outcome.Interrupted && r.Run.Ended.IsZero() }

// Took returns how long the run took: to its end or, while it has no recorded end, to its last entry.
func (r *Report) Took() time.Duration { return r.Run.Took(r.end()) }

// Working returns the part of that time by which rates are computed: see wire.Run.Working.
func (r *Report) Working() time.Duration { return r.Run.Working(r.end()) }

// PerSecond returns how many images Run settled in a second of working time, and their bytes; 0 if it settled none.
func (r *Report) PerSecond() (images, bytes float64) {
	seconds := r.Working().Seconds()
	if seconds == 0 {
		return 0, 0
	}
	return float64(r.ofRun) / seconds, float64(r.ofRunBytes) / seconds
}

// ByRun returns how many of the entries Run settled.
func (r *Report) ByRun() int64 { return r.ofRun }

// LeftOut says what the walk of Run left out, by kind; empty: nothing.
func (r *Report) LeftOut() string {
	tally := make(source.Tally, len(r.Run.LeftOut))
	for kind, n := range r.Run.LeftOut {
		tally[source.Kind(kind)] = n
	}
	return tally.String()
}
