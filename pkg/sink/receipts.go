package sink

import (
	"fmt"
	"time"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// receiptOf returns the receipt of r, to be published once r is committed.
func receiptOf(r *wire.Result) wire.Receipt {
	r.Timings.Normalize()
	carried, _ := wire.DecodeCarried(r.Carried) // the decoder of results has checked it
	receipt := wire.Receipt{
		ID: canonicalID(r), Run: r.Run, Filename: r.Filename, Outcome: r.Outcome, Reason: r.Reason, Detail: r.Detail,
		Worker: r.Worker, Delivery: r.Delivery, Bytes: r.InputBytes, Timings: r.Timings, At: time.Now(),
		Source: r.Source, Dropped: r.Dropped, Warnings: r.Warnings, Known: factsOf(r), Refused: r.Refused,
		URL: carried.URL, Columns: carried.Columns, OutOfReach: r.OutOfReach, Unproven: len(r.Ticket) == 0,
	}
	for _, o := range r.Outputs {
		sum := o.Sum
		if o.Data != nil { // the sink writes these bytes, whatever the worker says of them
			sum = wire.Checksum(o.Data)
		}
		receipt.Outputs = append(receipt.Outputs, wire.OutputInfo{Name: o.Name, Size: o.Size, Width: o.Width,
			Height: o.Height, Sum: sum, Quality: o.Quality})
	}
	return receipt
}

// canonicalID returns the id under which r is committed. Other programs' ventilators may name their tasks as they
// like, or not at all, but the ledger takes ids of one form.
func canonicalID(r *wire.Result) string {
	if id, err := taskid.Parse(r.ID); err == nil {
		return id.String()
	}
	return taskid.FromContent(r.Filename, []byte(r.ID), r.Recipe).String()
}

// entryOf returns the ledger's entry of a receipt. result is the worker's, or nil when a ventilator settles the task
// itself. The error says why the ledger would refuse the entry: one refused entry would fail the whole batch of the
// committer.
func entryOf(r *wire.Receipt, result *wire.Result) (ledger.Entry, error) {
	id, err := taskid.Parse(r.ID)
	if err != nil {
		return ledger.Entry{}, err
	}
	e := ledger.Entry{
		ID: id, Filename: r.Filename, Run: r.Run, Outcome: r.Outcome, Reason: r.Reason, Detail: r.Detail,
		Worker: r.Worker, Deliveries: r.Delivery, Settled: r.At, Stranger: r.Stranger, Source: r.Source, Dropped: r.Dropped,
		Warnings: r.Warnings, Known: r.Known, URL: r.URL, Columns: r.Columns,
		Input:   ledger.Input{Size: r.Bytes},
		Timings: timingsOf(&r.Timings),
	}
	if r.Outcome == outcome.Done {
		for _, v := range r.Refused {
			e.Refused = append(e.Refused, ledger.Refused{Variant: v.Variant, Reason: v.Reason, Detail: v.Detail})
		}
		for _, o := range r.Outputs {
			e.Outputs = append(e.Outputs, ledger.Output{Name: o.Name, Size: o.Size, Width: o.Width, Height: o.Height,
				Sum: o.Sum, Quality: o.Quality})
		}
	}
	if result != nil {
		if len(result.Format) > wire.MaxFormat {
			return e, fmt.Errorf("the name of its format has %d bytes, more than %d", len(result.Format), wire.MaxFormat)
		}
		carried, _ := wire.DecodeCarried(result.Carried) // the decoder of results has checked it
		e.Version = carried.Version
		e.Recipe, e.Stored, e.Content = result.Recipe, result.Stored, contentOf(taskid.Input(result.Input))
		e.Input.Format, e.Input.Width, e.Input.Height = result.Format, result.Width, result.Height
	}
	return e, e.Validate()
}

// timingsOf returns timings as the ledger has them.
func timingsOf(t *wire.Timings) ledger.Timings {
	us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	return ledger.Timings{
		Queued: us(t.Waited), Decode: us(t.Decode), Transform: us(t.Transform), Encode: us(t.Encode), Write: us(t.Write),
		EndToEnd: us(t.Waited + t.Total),
	}
}

// contentOf returns the content of an image whose run hashed it, and zero of another.
func contentOf(input taskid.Input) (content ledger.Content) {
	if digest, ok := input.Digest(); ok {
		copy(content[:], digest[:])
	}
	return content
}

// factsOf returns what is known of a result's image, with its digest if its run hashed it. The worker's word on that
// does not count.
func factsOf(r *wire.Result) *known.Facts {
	return withDigest(r.Known, taskid.Input(r.Input))
}

func withDigest(f *known.Facts, input taskid.Input) *known.Facts {
	all := known.Facts{}
	if f != nil {
		all = *f
	}
	all.SHA256 = nil
	if digest, ok := input.Digest(); ok {
		all.SHA256 = digest[:]
	}
	if all.Empty() {
		return nil
	}
	return &all
}

// receiptOfEntry returns the receipt of a task that the ledger holds.
func receiptOfEntry(e *ledger.Entry) wire.Receipt {
	r := wire.Receipt{
		ID: e.ID.String(), Run: e.Run, Filename: e.Filename, Outcome: e.Outcome, Reason: e.Reason, Detail: e.Detail,
		Worker: e.Worker, Delivery: e.Deliveries, Stranger: e.Stranger, Bytes: e.Input.Size, At: e.Settled,
		Source: e.Source, Dropped: e.Dropped, Warnings: e.Warnings, Known: e.Known, Acknowledged: e.Acknowledged,
		URL: e.URL, Columns: e.Columns,
		Timings: wire.Timings{
			Waited: e.Timings.Queued.Microseconds(), Decode: e.Timings.Decode.Microseconds(),
			Transform: e.Timings.Transform.Microseconds(), Encode: e.Timings.Encode.Microseconds(),
			Write: e.Timings.Write.Microseconds(), Total: (e.Timings.EndToEnd - e.Timings.Queued).Microseconds(),
		},
	}
	for _, v := range e.Refused {
		r.Refused = append(r.Refused, wire.RefusedVariant{Variant: v.Variant, Reason: v.Reason, Detail: v.Detail})
	}
	for _, o := range e.Outputs {
		r.Outputs = append(r.Outputs, wire.OutputInfo{Name: o.Name, Size: o.Size, Width: o.Width, Height: o.Height,
			Sum: o.Sum, Quality: o.Quality, Earlier: o.Earlier})
	}
	return r
}

// runOfRecord returns the counts of a run that the ledger holds.
func runOfRecord(r *ledger.Run) wire.Run {
	return wire.Run{
		ID: r.ID, State: r.State, Started: r.Started, Ended: r.Ended, Recipe: r.Recipe, Host: r.Host, Total: r.Found,
		Found: r.Found, Done: r.Done, Skipped: r.Skipped, Rejected: r.Rejected, Dead: r.Dead, Redeliveries: r.Redeliveries,
		Earlier: r.Earlier, Bytes: r.Bytes, WorkUS: r.WorkUS, LeftOut: r.LeftOut,
	}
}

// runRecord returns the ledger's record of a run.
func runRecord(r *wire.Run) ledger.Run {
	state := outcome.Running
	switch {
	case r.State == outcome.Stalled:
		state = outcome.Stalled
	case !r.Ended.IsZero() && r.State == outcome.Finished:
		state = outcome.Finished
	case !r.Ended.IsZero():
		state = outcome.Interrupted
	}
	return ledger.Run{
		ID: r.ID, State: state, Started: r.Started, Ended: r.Ended, Recipe: r.Recipe, Host: r.Host,
		Found: r.Found, Done: r.Done, Skipped: r.Skipped, Rejected: r.Rejected, Dead: r.Dead, Redeliveries: r.Redeliveries,
		Earlier: r.Earlier, Bytes: r.Bytes, WorkUS: r.WorkUS, LeftOut: r.LeftOut,
	}
}
