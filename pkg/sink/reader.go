package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/shard"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Reader answers questions about a ledger: a running sink's, or that of a file when no sink is running. It has the
// methods of sinkclient.Client that concern the ledger.
type Reader struct {
	Ledger *ledger.Ledger
}

var _ wire.LedgerReader = Reader{}

// Entries returns a page of the ledger. A page may be short, or empty, without being the last.
func (r Reader) Entries(ctx context.Context, args wire.EntriesArgs) (*wire.Entries, error) {
	if err := args.Check(); err != nil {
		return nil, err
	}
	after, err := pageStart(args.After)
	if err != nil {
		return nil, err
	}
	limit := args.Limit
	if limit <= 0 || limit > wire.MaxBatch {
		limit = wire.MaxBatch
	}
	filter := filterOf(&args)
	page := new(wire.Entries)
	if refusedOnly(&args) {
		found, next, err := r.Ledger.Refused(filter, after, limit)
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
	shards, err := r.shards()
	if err != nil {
		return nil, err
	}
	seen, outputs := 0, 0
	err = r.Ledger.Walk(ctx, after, func(e ledger.Entry) error {
		if len(page.Entries) == limit || seen == maxSeen || outputs > 0 && outputs+lists(&e) > maxOutputs {
			page.Next = strconv.FormatUint(after, 10)
			return errPageFull
		}
		after = e.Seq
		seen++
		if filter.Selects(&e) {
			outputs += lists(&e)
			receipt, err := r.receipt(&e, args.Superseded, shards)
			if err != nil {
				return err
			}
			page.Entries = append(page.Entries, receipt)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errPageFull) {
		return nil, err
	}
	return page, nil
}

// receipt returns the receipt of an entry. With superseded it marks the outputs that a later entry replaced. shards are
// those that outputs are in.
func (r Reader) receipt(e *ledger.Entry, superseded bool, shards shardsOf) (wire.Receipt, error) {
	receipt := receiptOfEntry(e)
	for i := range receipt.Outputs {
		o := &receipt.Outputs[i]
		place, found, err := r.placeOf(o.Name, shards)
		if err != nil {
			return receipt, err
		}
		if found {
			o.Shard, o.Offset, o.OpenAt = shards.Shard(place.Shard), place.Offset, shards.openAt[place.Shard]
		}
	}
	if !superseded || len(e.Outputs) == 0 {
		return receipt, nil
	}
	names, err := r.Ledger.Superseded(e)
	for i := range receipt.Outputs {
		receipt.Outputs[i].Superseded = slices.Contains(names, receipt.Outputs[i].Name)
	}
	return receipt, err
}

// maxSeen bounds the entries that are read for one page. A question about a run that is rare in a large ledger must
// not keep other callers waiting, so its pages may be short or empty.
const maxSeen = 64 * wire.MaxBatch

// shardsOf is what a ledger has of the shards that outputs are in. Without a name of the pattern outputs are files.
type shardsOf struct {
	shard.Pattern
	openAt map[int64]string // number of a shard that may be open → HOST:DIRECTORY
}

// shards returns what the ledger has of shards.
func (r Reader) shards() (shardsOf, error) {
	all, err := r.Ledger.Shards()
	s := shardsOf{shard.Pattern{Name: all.Pattern}, make(map[int64]string)}
	if all.Host != "" {
		for _, o := range all.Open {
			if !o.Published {
				s.openAt[o.Number] = all.Host + ":" + all.Dir
			}
		}
	}
	return s, err
}

// placeOf returns where in the shards an output is.
func (r Reader) placeOf(name string, shards shardsOf) (p ledger.Place, found bool, err error) {
	if shards.Name == "" {
		return p, false, nil
	}
	key, ext := shard.Key(name)
	p, found, err = r.Ledger.PlaceOf(key)
	return p, found && p.Ext == ext, err
}

// lists returns how long the lists of an entry are together.
func lists(e *ledger.Entry) int {
	return len(e.Outputs) + len(e.Dropped) + len(e.Warnings) + len(e.Refused) + len(e.Columns)
}

// maxOutputs bounds the lists of a page's entries. An output has up to seventeen
// values, and an entry some sixty beside its outputs, so that a page has fewer than wire.MaxElements.
const maxOutputs = 7 * wire.MaxBatch

var errPageFull = errors.New("the page is full")

// refusedOnly reports whether args select rejected and dead tasks only, for which the ledger has a small index.
func refusedOnly(args *wire.EntriesArgs) bool {
	return !args.Partly &&
		(len(args.Reasons) > 0 || len(args.Outcomes) > 0 && !slices.Contains(args.Outcomes, outcome.Done))
}

func filterOf(args *wire.EntriesArgs) ledger.Filter {
	return ledger.Filter{Run: args.Run, Outcomes: args.Outcomes, Reasons: args.Reasons, Partly: args.Partly}
}

func pageStart(after string) (uint64, error) {
	if after == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(after, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("after %q: pass the next of an earlier page", after)
	}
	return n, nil
}

// Last returns up to limit of the entries that were settled last, newest first. With refused it returns only
// rejected and dead ones.
func (r Reader) Last(_ context.Context, refused bool, limit int) ([]wire.Receipt, error) {
	last, err := r.Ledger.Last(refused, limit)
	if err != nil {
		return nil, err
	}
	receipts := make([]wire.Receipt, len(last))
	for i := range last {
		receipts[i] = receiptOfEntry(&last[i])
	}
	return receipts, nil
}

// Retry revives the rejected and dead tasks that args select, or those done in part, for the next run, and returns how
// many.
func (r Reader) Retry(ctx context.Context, args wire.EntriesArgs) (int, error) {
	if err := args.Check(); err != nil {
		return 0, err
	}
	ids, err := r.Ledger.Retry(ctx, filterOf(&args))
	return len(ids), err
}

// Acknowledge marks the rejected and dead tasks that args select as known to an operator, and returns how many.
func (r Reader) Acknowledge(_ context.Context, args wire.EntriesArgs) (int, error) {
	if err := args.Check(); err != nil {
		return 0, err
	}
	return r.Ledger.Acknowledge(filterOf(&args), time.Now())
}

// Backup copies the ledger to a new file and returns its size in bytes.
func (r Reader) Backup(ctx context.Context, path string) (int64, error) {
	return r.Ledger.Backup(ctx, path)
}

// Runs returns the runs of the ledger, newest first. No sink is running, so a run without a recorded end was
// interrupted.
func (r Reader) Runs(context.Context) ([]wire.Run, error) {
	return r.runs(func(string) bool { return false })
}

// runs returns the runs of the ledger, newest first. maybeLive says of a run without a recorded end whether it may
// be live.
func (r Reader) runs(maybeLive func(id string) bool) ([]wire.Run, error) {
	records, err := r.Ledger.Runs()
	if err != nil {
		return nil, err
	}
	runs := make([]wire.Run, 0, len(records))
	for i := range records {
		record := &records[i]
		unrecorded := record.State == outcome.Running && !maybeLive(record.ID)
		if unrecorded {
			record.State = outcome.Interrupted
		}
		run := runOfRecord(record)
		if unrecorded {
			if err := r.countSettled(&run); err != nil {
				return nil, err
			}
		}
		runs = append(runs, run)
	}
	sortNewestFirst(runs)
	return runs, nil
}

// countSettled completes the counts of a run that ended without a final report. The ledger's entries say what the run
// settled. How many more images it had found is unknown.
func (r Reader) countSettled(run *wire.Run) error {
	settled, err := r.Ledger.Counts(run.ID)
	if err != nil {
		return err
	}
	run.Done, run.Rejected, run.Dead = max(run.Done, settled.Done), max(run.Rejected, settled.Rejected), max(run.Dead,
		settled.Dead)
	run.Found = max(run.Found, run.Settled())
	run.Total = max(run.Total, run.Found)
	return nil
}

// Owners returns which images the outputs of these names were made from, as far as the ledger knows.
func (r Reader) Owners(_ context.Context, outputs []string) ([]wire.Owner, error) {
	if len(outputs) == 0 {
		return nil, nil
	}
	reply, err := r.owners(&wire.OwnersArgs{Outputs: outputs})
	if err != nil {
		return nil, err
	}
	return reply.Owners, nil
}

// owners answers which images the given outputs were made of.
func (r Reader) owners(args *wire.OwnersArgs) (*wire.Owners, error) {
	if len(args.Outputs) > wire.MaxBatch {
		return nil, fmt.Errorf("%d names of outputs, at most %d", len(args.Outputs), wire.MaxBatch)
	}
	reply := new(wire.Owners)
	if len(args.Outputs) == 0 {
		sources, complete, err := r.Ledger.Sources()
		n := min(len(sources), wire.MaxBatch)
		reply.Sources, reply.More = sources[:n], !complete || n < len(sources)
		return reply, err
	}
	err := r.Ledger.Owners(args.Outputs, func(name string, e ledger.Entry) {
		reply.Owners = append(reply.Owners, wire.Owner{Output: name, ID: e.ID.String(), Source: e.Source,
			Filename: e.Filename, Run: e.Run, Recipe: e.Recipe, Version: e.Version})
	})
	if err != nil {
		return nil, err
	}
	shards, err := r.shards()
	for i := range reply.Owners {
		o := &reply.Owners[i]
		place, found, placeErr := r.placeOf(o.Output, shards)
		if found {
			o.Shard, o.Offset, o.Size = shards.Shard(place.Shard), place.Offset, place.Size
		}
		err = errors.Join(err, placeErr)
	}
	return reply, err
}
