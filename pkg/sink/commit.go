package sink

import (
	"context"
	"errors"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// work is a receipt on its way into the ledger.
type work struct {
	receipt wire.Receipt
	entry   ledger.Entry              // of the receipt
	result  *wire.Result              // with the outputs' bytes, should they have to be written again; may be nil
	losses  int64                     // Sink.losses, before the outputs were written
	weight  int64                     // of Sink.uncommitted, to be given back
	done    func(wire.Receipt, error) // told what was committed, by the committer; may be nil
}

// maxBatch and maxBatchBytes bound a group commit, in receipts and in bytes of outputs; maxUncommitted bounds the bytes of
// the group that is being committed and of the results that wait for it.
const (
	maxBatch       = 4096
	maxBatchBytes  = 64 << 20
	maxUncommitted = 2 * maxBatchBytes
)

// commit commits what comes, in groups, until queue is closed or ctx ends. A group is what came within GroupCommit of its
// first member, or while the group before it was being committed.
func (s *Sink) commit(ctx context.Context, queue <-chan work) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		var batch []work
		select {
		case <-ctx.Done():
			return nil
		case w, ok := <-queue:
			if !ok {
				return nil
			}
			batch = append(batch, w)
		}
		timer.Reset(s.cfg.GroupCommit)
		batch, err := s.commitBatch(ctx, gather(batch, queue, timer.C))
		if err != nil {
			for _, w := range batch {
				if w.done != nil {
					w.done(wire.Receipt{}, err)
				}
			}
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		for _, w := range batch {
			s.uncommitted.Release(w.weight)
		}
	}
}

// gather adds to batch what comes before the time is over.
func gather(batch []work, queue <-chan work, over <-chan time.Time) []work {
	size := batch[0].bytes()
	for len(batch) < maxBatch && size < maxBatchBytes {
		select {
		case w, ok := <-queue:
			if !ok {
				return batch
			}
			size += w.bytes()
			batch = append(batch, w)
		case <-over:
			return batch
		}
	}
	return batch
}

func (w *work) bytes() (n int64) {
	if w.result != nil {
		for _, o := range w.result.Outputs {
			n += int64(len(o.Data))
		}
	}
	return n
}

// commitBatch makes the outputs durable, then the entries, then says so. It returns what of the batch was not given up, with
// an error, too.
func (s *Sink) commitBatch(ctx context.Context, batch []work) ([]work, error) {
	begun := time.Now()
	durable, err := s.makeDurable(ctx, batch)
	if err != nil {
		return batch, err
	}
	if batch = durable; len(batch) == 0 {
		return nil, nil
	}
	entries := make([]ledger.Entry, len(batch))
	for i := range batch {
		entries[i] = batch[i].entry
	}
	var duplicate []bool
	err = s.insist(ctx, "ledger", func() error {
		var err error
		if duplicate, err = s.cfg.Ledger.Append(entries); errors.Is(err, ledger.ErrUnavailable) {
			return errors.Join(blob.ErrUnavailable, err)
		}
		return err
	})
	if err != nil {
		return batch, err
	}
	s.metrics.commit.Observe(time.Since(begun).Seconds())
	now := time.Now()
	for i := range batch {
		receipt := batch[i].receipt
		if duplicate[i] {
			first, ok, err := s.cfg.Ledger.Lookup(entries[i].ID)
			if err != nil {
				return batch, err
			}
			if ok { // else an operator revived it this moment: the word stands that it was settled
				receipt = receiptOfEntry(&first)
			}
			receipt.Duplicate = true
		}
		s.state.took(&receipt, now)
		s.metrics.took(&receipt)
		s.publish(wire.TaskTopic(receipt.Outcome), &receipt)
		if batch[i].done != nil {
			batch[i].done(receipt, nil)
			batch[i].done = nil // told; an error further on concerns the others
		}
	}
	return batch, nil
}

// makeDurable flushes the outputs of a batch, and returns what of it is durable then. Should the store have lost them (its
// directory was replaced), they are written once more from the results; so are, when their turn comes, those that waited
// behind a batch whose outputs were lost. A result whose outputs cannot be written again has failed, and is left out.
func (s *Sink) makeDurable(ctx context.Context, batch []work) ([]work, error) {
	var who *diskCall
	defer func() {
		if who != nil {
			s.state.end(who)
		}
	}()
	for {
		err := s.insist(ctx, "outputs", func() error { return s.cfg.Out.Flush(ctx) })
		lost := errors.Is(err, blob.ErrLost)
		switch {
		case lost && who != nil: // what was written again, too: a disk that takes everything and keeps nothing
			s.state.fails(who, err.Error())
			select {
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			case <-time.After(blob.Pause):
			}
			fallthrough
		case lost:
			s.losses.Add(1)
			s.log.Warn("outputs are written again", "why", err)
			if who == nil {
				who = s.state.begin("outputs", time.Now())
			}
		case err != nil:
			return nil, err
		}
		kept, again, err := s.writeAgain(ctx, batch)
		if err != nil {
			return nil, err
		}
		if batch = kept; !lost && !again {
			return batch, nil
		}
	}
}

// writeAgain writes those outputs of a batch once more that the store has lost since, and reports whether there were any. It
// returns what is left of the batch.
func (s *Sink) writeAgain(ctx context.Context, batch []work) (kept []work, again bool, err error) {
	losses := s.losses.Load()
	for _, w := range batch {
		if w.result != nil && w.losses != losses {
			again = true
			err := s.writeOutputs(ctx, w.result)
			if ctx.Err() != nil {
				return nil, false, context.Cause(ctx)
			}
			if err != nil { // this result's alone: something else has its name by now
				s.giveUp(w.result, err)
				s.uncommitted.Release(w.weight)
				continue
			}
			w.losses = losses
		}
		kept = append(kept, w)
	}
	return kept, again, nil
}
