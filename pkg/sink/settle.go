package sink

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// settler answers which tasks are settled, and settles tasks at a ventilator's request.
type settler struct {
	*core
	commits chan<- work // to the committer
}

// settled answers which tasks are settled, without their outputs, and which of the tasks have failed lately.
func (s *settler) settled(ctx context.Context, args *wire.SettledArgs) (any, error) {
	if len(args.IDs) > wire.MaxBatch {
		return nil, fmt.Errorf("%d ids, at most %d", len(args.IDs), wire.MaxBatch)
	}
	ids := make([]taskid.ID, 0, len(args.IDs))
	for _, text := range args.IDs {
		id, err := taskid.Parse(text)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	entries, err := s.lookUp(ctx, ids, args.Present)
	if err != nil {
		return nil, err
	}
	reply := wire.Receipts{Instance: s.instance}
	for i, id := range ids {
		if e := entries[i]; e != nil {
			e.Outputs = nil // or a reply to MaxBatch ids might have too many values to be decoded
			reply.Receipts = append(reply.Receipts, receiptOfEntry(e))
		}
		// Also beside a receipt, which may be that of an earlier run.
		if f, known := s.failures.of(id.String()); known {
			reply.Failed = append(reply.Failed, f)
		}
	}
	return &reply, nil
}

// lookers is how many tasks' outputs are looked for at once: a store on a network answers late.
const lookers = 16

// lookUp returns the entries of tasks; nil for a task that is not settled. With present, an entry whose outputs are
// gone counts as none.
func (s *settler) lookUp(ctx context.Context, ids []taskid.ID, present bool) ([]*ledger.Entry, error) {
	entries := make([]*ledger.Entry, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lookers)
	for i, id := range ids {
		group.Go(func() error {
			e, ok, err := s.cfg.Ledger.Lookup(id)
			if ok && err == nil && present {
				ok, err = s.present(ctx, &e)
			}
			if ok && err == nil {
				entries[i] = &e
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return entries, nil
}

// present reports whether the outputs of a done task are still there and still its own; findOutputs says where it
// looks. The error is the context's cause or the ledger's.
func (c *core) present(ctx context.Context, e *ledger.Entry) (bool, error) {
	if e.Outcome != outcome.Done {
		return true, nil
	}
	if replaced, err := c.cfg.Ledger.Superseded(e); err != nil || len(replaced) > 0 {
		return false, err
	}
	here, err := c.findOutputs(ctx, e)
	return err == nil && !slices.Contains(here, false), err
}

// settle commits what a ventilator settles itself: dead letters, images rejected before they were sent, and the work of
// workers that cannot echo ids.
func (s *settler) settle(ctx context.Context, args *wire.Receipts) (any, error) {
	if len(args.Receipts) > wire.MaxBatch {
		return nil, fmt.Errorf("%d receipts, at most %d", len(args.Receipts), wire.MaxBatch)
	}
	ticketKey, err := ticketKeyOf(args.Key)
	if err != nil {
		return nil, err
	}
	all := make([]work, len(args.Receipts))
	for i, r := range args.Receipts {
		if err := s.checkSettlement(&r); err != nil {
			return nil, err
		}
		if err := s.authorizeSettlement(&r, ticketKey); err != nil {
			return nil, err
		}
		r.At = time.Now()
		entry, err := entryOf(&r, nil)
		if err != nil {
			return nil, err
		}
		all[i] = work{receipt: r, entry: entry}
	}
	return s.commit(ctx, all)
}

// commit hands work to the committer, and returns the receipts when all of it is committed.
func (s *settler) commit(ctx context.Context, all []work) (*wire.Receipts, error) {
	type committed struct {
		receipt wire.Receipt
		err     error
	}
	answers := make(chan committed, len(all))
	for _, w := range all {
		w.queued = time.Now()
		w.done = func(r wire.Receipt, err error) { answers <- committed{r, err} }
		select {
		case s.commits <- w:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	var reply wire.Receipts
	for range all {
		select {
		case a := <-answers:
			if a.err != nil {
				return nil, a.err
			}
			reply.Receipts = append(reply.Receipts, a.receipt)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return &reply, nil
}

// checkSettlement refuses settlements that only a worker's result can make. It looks up the sizes of outputs that a
// worker only named.
func (s *settler) checkSettlement(r *wire.Receipt) error {
	if err := r.Check(); err != nil {
		return err
	}
	switch {
	case r.Outcome == outcome.Rejected || r.Outcome == outcome.Dead:
		r.Outputs = nil
	case r.Outcome == outcome.Done && r.Stranger && s.cfg.Shards != nil:
		return errStored
	case r.Outcome == outcome.Done && r.Stranger:
		if err := s.strangersOutputs(r); err != nil {
			return err
		}
		for i := range r.Outputs {
			if size, err := s.cfg.Outputs().Stat(r.Outputs[i].Name); err == nil {
				r.Outputs[i].Size = size
			}
		}
	default:
		return fmt.Errorf("%.40q: only a worker's result can settle a task with this outcome", r.Outcome)
	}
	return nil
}
