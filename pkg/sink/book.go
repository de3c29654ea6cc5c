package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Book answers questions about a ledger: the running sink's over control, or, with no sink running, a file's. Its methods
// are those of control.Client.
type Book struct {
	Ledger *ledger.Ledger
}

// Entries returns a page of the ledger. It may hold less than the limit, or nothing, and yet not be the last.
func (b Book) Entries(ctx context.Context, args wire.EntriesArgs) (*wire.Entries, error) {
	after, err := pageStart(args.After)
	if err != nil {
		return nil, err
	}
	limit := args.Limit
	if limit <= 0 || limit > wire.MaxBatch {
		limit = wire.MaxBatch
	}
	filter := ledger.Filter{Run: args.Run, Outcomes: args.Outcomes, Reasons: args.Reasons}
	page := new(wire.Entries)
	if refusedOnly(&args) {
		found, next, err := b.Ledger.Refused(filter, after, limit)
		if err != nil {
			return nil, err
		}
		for i := range found {
			page.Entries = append(page.Entries, receiptOfEntry(&found[i]))
		}
		if next != 0 {
			page.Next = strconv.FormatUint(next, 10)
		}
		return page, nil
	}
	seen, outputs := 0, 0
	err = b.Ledger.Walk(ctx, after, func(e ledger.Entry) error {
		if len(page.Entries) == limit || seen == maxSeen || outputs+len(e.Outputs)+len(e.Dropped) > maxOutputs && outputs > 0 {
			page.Next = strconv.FormatUint(after, 10)
			return errPageFull
		}
		after = e.Seq
		seen++
		if filter.Selects(&e) {
			outputs += len(e.Outputs) + len(e.Dropped)
			r, err := b.receipt(&e, args.Superseded)
			if err != nil {
				return err
			}
			page.Entries = append(page.Entries, r)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errPageFull) {
		return nil, err
	}
	return page, nil
}

// receipt returns what the ledger says of a task, and, if it was asked for, which of its outputs are superseded.
func (b Book) receipt(e *ledger.Entry, superseded bool) (wire.Receipt, error) {
	r := receiptOfEntry(e)
	if !superseded || len(e.Outputs) == 0 {
		return r, nil
	}
	names, err := b.Ledger.Superseded(e)
	for i := range r.Outputs {
		r.Outputs[i].Superseded = slices.Contains(names, r.Outputs[i].Name)
	}
	return r, err
}

// maxSeen bounds the entries that are looked at for one page, so that a question about a run that is rare in a large
// ledger does not keep others, who ask after it, waiting: a page may be short, or empty, and have a next.
const maxSeen = 64 * wire.MaxBatch

// maxOutputs bounds the outputs and the kinds of dropped metadata of a page's entries. An output has up to thirteen values,
// and an entry some forty beside its outputs, so that a page has fewer than wire.MaxElements.
const maxOutputs = 10 * wire.MaxBatch

var errPageFull = errors.New("the page is full")

// refusedOnly reports whether the small index of what was not done holds all that is asked for.
func refusedOnly(args *wire.EntriesArgs) bool {
	return len(args.Reasons) > 0 || len(args.Outcomes) > 0 && !slices.Contains(args.Outcomes, outcome.Done)
}

func pageStart(after string) (uint64, error) {
	if after == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(after, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("after %q: it is what a page before gave as next", after)
	}
	return n, nil
}

// Last returns up to limit of the entries that were settled last, the newest first; with refused, of those that were
// rejected or are dead.
func (b Book) Last(_ context.Context, refused bool, limit int) ([]wire.Receipt, error) {
	last, err := b.Ledger.Last(refused, limit)
	if err != nil {
		return nil, err
	}
	receipts := make([]wire.Receipt, len(last))
	for i := range last {
		receipts[i] = receiptOfEntry(&last[i])
	}
	return receipts, nil
}

// Retry makes the rejected and dead tasks that args select due again and returns how many those are.
func (b Book) Retry(_ context.Context, args wire.EntriesArgs) (int, error) {
	ids, err := b.Ledger.Retry(ledger.Filter{Run: args.Run, Outcomes: args.Outcomes, Reasons: args.Reasons})
	return len(ids), err
}

// Runs returns the runs that the ledger knows, newest first. With no sink running none goes on: one that nobody saw end was
// interrupted.
func (b Book) Runs(context.Context) ([]wire.Run, error) {
	return b.runs(func(string) bool { return false })
}

// runs returns the runs that the ledger knows, newest first; goesOn says of one that nobody saw end whether it may be live.
func (b Book) runs(goesOn func(id string) bool) ([]wire.Run, error) {
	records, err := b.Ledger.Runs()
	if err != nil {
		return nil, err
	}
	runs := make([]wire.Run, 0, len(records))
	for i := range records {
		r := &records[i]
		unseen := r.State == outcome.Running && !goesOn(r.ID)
		if unseen {
			r.State = outcome.Interrupted
		}
		run := runOfRecord(r)
		if unseen {
			if err := b.countSettled(&run); err != nil {
				return nil, err
			}
		}
		runs = append(runs, run)
	}
	sortNewestFirst(runs)
	return runs, nil
}

// countSettled completes the counts of a run that nobody saw end, nor tell its last counts: what it settled is in the ledger's
// entries, of what it found more than that nothing is known.
func (b Book) countSettled(r *wire.Run) error {
	settled, err := b.Ledger.Counts(r.ID)
	if err != nil {
		return err
	}
	r.Done, r.Rejected, r.Dead = max(r.Done, settled.Done), max(r.Rejected, settled.Rejected), max(r.Dead, settled.Dead)
	r.Found = max(r.Found, r.Settled())
	r.Total = max(r.Total, r.Found)
	return nil
}
