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
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// entryOf is what the ledger keeps of w.
func entryOf(w *work) (ledger.Entry, error) {
	r := &w.receipt
	id, err := taskid.Parse(r.ID)
	if err != nil {
		return ledger.Entry{}, err
	}
	us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	e := ledger.Entry{
		ID: id, Filename: r.Filename, Run: r.Run, Outcome: r.Outcome, Reason: r.Reason, Detail: r.Detail,
		Worker: r.Worker, Deliveries: r.Delivery, Settled: r.At, Stranger: r.Stranger,
		Input: ledger.Input{Size: r.Bytes},
		Timings: ledger.Timings{
			Queued: us(r.Timings.Waited), Decode: us(r.Timings.Decode), Transform: us(r.Timings.Transform),
			Encode: us(r.Timings.Encode), Write: us(r.Timings.Write), EndToEnd: us(r.Timings.Waited + r.Timings.Total),
		},
	}
	for _, o := range r.Outputs {
		e.Outputs = append(e.Outputs, ledger.Output{Name: o.Name, Size: o.Size, Width: o.Width, Height: o.Height})
	}
	if result := w.result; result != nil {
		e.Recipe = result.Recipe
		e.Input.Format, e.Input.Width, e.Input.Height = result.Format, result.Width, result.Height
	}
	return e, nil
}

// receiptOfEntry is what the ledger says about a task.
func receiptOfEntry(e *ledger.Entry) wire.Receipt {
	r := wire.Receipt{
		ID: e.ID.String(), Run: e.Run, Filename: e.Filename, Outcome: e.Outcome, Reason: e.Reason, Detail: e.Detail,
		Worker: e.Worker, Delivery: e.Deliveries, Stranger: e.Stranger, Bytes: e.Input.Size, At: e.Settled,
		Timings: wire.Timings{
			Waited: e.Timings.Queued.Microseconds(), Decode: e.Timings.Decode.Microseconds(),
			Transform: e.Timings.Transform.Microseconds(), Encode: e.Timings.Encode.Microseconds(),
			Write: e.Timings.Write.Microseconds(), Total: (e.Timings.EndToEnd - e.Timings.Queued).Microseconds(),
		},
	}
	for _, o := range e.Outputs {
		r.Outputs = append(r.Outputs, wire.OutputInfo{Name: o.Name, Size: o.Size, Width: o.Width, Height: o.Height})
	}
	return r
}

// entries answers with a page of the ledger.
func (s *Sink) entries(args *wire.EntriesArgs) (any, error) {
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
	if refusedOnly(args) {
		found, next, err := s.cfg.Ledger.Refused(filter, after, limit)
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
	err = s.cfg.Ledger.Walk(context.Background(), after, func(e ledger.Entry) error {
		if len(page.Entries) == limit {
			page.Next = strconv.FormatUint(after, 10)
			return errPageFull
		}
		after = e.Seq
		if selects(filter, &e) {
			page.Entries = append(page.Entries, receiptOfEntry(&e))
		}
		return nil
	})
	if err != nil && !errors.Is(err, errPageFull) {
		return nil, err
	}
	return page, nil
}

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

// retry makes rejected and dead tasks due again.
func (s *Sink) retry(args *wire.EntriesArgs) (any, error) {
	ids, err := s.cfg.Ledger.Retry(ledger.Filter{Run: args.Run, Outcomes: args.Outcomes, Reasons: args.Reasons})
	s.state.count(func(c *wire.Status) { c.Settled -= uint64(len(ids)) })
	return &wire.Count{Count: len(ids)}, err
}

// runs answers with the runs that the ledger knows, newest first.
func (s *Sink) runs() (any, error) {
	records, err := s.cfg.Ledger.Runs()
	if err != nil {
		return nil, err
	}
	reply := new(wire.Runs)
	for _, r := range records {
		reply.Runs = append(reply.Runs, wire.Run{
			ID: r.ID, State: string(r.State), Started: r.Started, Ended: r.Ended, Recipe: r.Recipe, Host: r.Host,
			Found: r.Found, Done: r.Done, Skipped: r.Skipped, Rejected: r.Rejected, Dead: r.Dead, Redeliveries: r.Redeliveries,
		})
	}
	sortNewestFirst(reply.Runs)
	return reply, nil
}

// runRecord is what the ledger keeps of a run.
func runRecord(r *wire.Run) ledger.Run {
	state := ledger.RunActive
	switch {
	case r.State == "stalled":
		state = ledger.RunStalled
	case !r.Ended.IsZero() && r.State == "finished":
		state = ledger.RunFinished
	case !r.Ended.IsZero():
		state = ledger.RunCut
	}
	return ledger.Run{
		ID: r.ID, State: state, Started: r.Started, Ended: r.Ended, Recipe: r.Recipe, Host: r.Host,
		Found: r.Found, Done: r.Done, Skipped: r.Skipped, Rejected: r.Rejected, Dead: r.Dead, Redeliveries: r.Redeliveries,
	}
}

func selects(f ledger.Filter, e *ledger.Entry) bool {
	return (f.Run == "" || f.Run == e.Run) &&
		(len(f.Outcomes) == 0 || slices.Contains(f.Outcomes, e.Outcome)) &&
		(len(f.Reasons) == 0 || slices.Contains(f.Reasons, e.Reason))
}
