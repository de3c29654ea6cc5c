package sink

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// work is a receipt on its way into the ledger.
type work struct {
	receipt wire.Receipt
	entry   ledger.Entry // of the receipt
	result  *wire.Result // with the outputs' bytes, in case they must be written again; may be nil
	copies  []outputCopy // of outputs, in case they must be made again
	losses  int64        // core.losses before the outputs were written
	weight  int64        // of writers.uncommitted, to be released
	claim   string       // of core.claims, to be released; empty: none
	// unwritten says that the outputs were not written, because the run had settled the task before.
	unwritten bool
	queued    time.Time                 // when it was passed to the committer
	done      func(wire.Receipt, error) // the committer calls it with the committed receipt; may be nil
}

// written reports whether outputs were written for w.
func (w *work) written() bool { return w.result != nil || len(w.copies) > 0 }

// bytes returns the bytes of the outputs that w holds in memory.
func (w *work) bytes() (n int64) {
	if w.result != nil {
		for _, o := range w.result.Outputs {
			n += int64(len(o.Data))
		}
	}
	return n
}

// maxUncommitted bounds the bytes of outputs that wait for their commit, those of the group being committed included.
const maxUncommitted = 2 * maxBatchBytes

// writers write the bytes that come with results.
type writers struct {
	*core
	commits     chan work           // to the committer
	uncommitted *semaphore.Weighted // room for the bytes of outputs that wait for their commit
}

// run writes the outputs of results and passes the results on to the committer. It ends when arrived is closed or
// ctx ends.
func (ws *writers) run(ctx context.Context, arrived <-chan *wire.Result) {
	for r := range arrived {
		if r.Outcome == outcome.Failed {
			ws.failed(r)
			continue
		}
		w, err := ws.prepare(ctx, r)
		if ctx.Err() != nil {
			return // cut
		}
		if err != nil {
			ws.claims.release(claimOf(r))
			ws.fail(r, err)
			continue
		}
		w.claim = claimOf(r)
		w.weight = min(w.bytes(), maxUncommitted)
		if ws.uncommitted.Acquire(ctx, w.weight) != nil {
			return // cut
		}
		w.queued = time.Now()
		select {
		case ws.commits <- *w:
		case <-ctx.Done():
			return
		}
	}
}

// prepare checks all of a result, then writes its outputs, and returns what is to be committed. It writes nothing for a
// task that its run has settled.
func (ws *writers) prepare(ctx context.Context, r *wire.Result) (*work, error) {
	w := &work{receipt: receiptOf(r), result: r, losses: ws.losses.Load()}
	var err error
	if w.entry, err = entryOf(&w.receipt, r); err != nil {
		return nil, err
	}
	settled, err := ws.settledBy(ctx, r.Run, w.entry.ID)
	if err != nil {
		return nil, err
	}
	if settled {
		w.unwritten, w.result = true, nil
		return w, nil
	}
	if err := ws.complete(ctx, w); err != nil {
		return nil, err
	}
	if err = ws.writeOutputs(ctx, r); err != nil {
		why := blob.Rejection(err)
		if why == nil {
			return nil, err
		}
		// The fault concerns this image's outputs alone.
		r.Outcome, r.Reason, r.Detail, r.Outputs = outcome.Rejected, why.Reason, why.Detail, nil
		w.receipt = receiptOf(r)
		if w.entry, err = entryOf(&w.receipt, r); err != nil {
			return nil, err
		}
	}
	w.receipt.Timings, w.entry.Timings = r.Timings, timingsOf(&r.Timings)
	return w, nil
}

// settledBy reports whether a run has settled a task, and its outputs are still there. The commit reports a damaged
// ledger.
func (ws *writers) settledBy(ctx context.Context, run string, id taskid.ID) (bool, error) {
	e, ok, err := ws.cfg.Ledger.Lookup(id)
	if err != nil || !ok || e.Run != run || e.Settled.Before(ws.runs.since(run)) {
		return false, nil
	}
	return ws.present(ctx, &e)
}

// fail turns a result whose outputs cannot be written into a failed delivery.
func (ws *writers) fail(r *wire.Result, err error) {
	r.Outcome, r.Reason, r.Detail, r.Outputs = outcome.Failed, "", err.Error(), nil
	ws.failed(r)
}

// failed publishes that a delivery failed, which is the farm's fault. Nothing is committed, and the ventilator
// redelivers the task.
func (ws *writers) failed(r *wire.Result) {
	ws.state.count(func(c *wire.Status) { c.Failed++ })
	ws.peerLog.Warn("a delivery failed", "file", r.Filename, "worker", r.Worker, "detail", r.Detail)
	receipt := receiptOf(r)
	ws.failures.add(&receipt) // before the event, since a ventilator may ask as soon as it gets the event
	ws.publish(wire.TopicTaskFailed, &receipt)
}

// writeOutputs writes the outputs whose bytes came with r. While the store is unavailable (full, read-only, missing) it
// tries again, and everything behind it waits. Other errors concern this result alone.
func (ws *writers) writeOutputs(ctx context.Context, r *wire.Result) error {
	begun := time.Now()
	if ws.cfg.Shards != nil {
		return ws.reserve(ctx, r)
	}
	for _, o := range r.Outputs {
		if o.Data == nil {
			continue
		}
		err := ws.retryDisk(ctx, "outputs", func() error { return ws.cfg.Out.Put(ctx, o.Name, o.Data) })
		if err != nil {
			return err
		}
	}
	if !r.Stored {
		r.Timings.Write = time.Since(begun).Microseconds()
		r.Timings.Total += r.Timings.Write // the worker's ended when it passed the outputs on
		r.Timings.Normalize()
	}
	return nil
}

// makeDurable flushes the outputs of a batch and returns the part of the batch that is durable then. If the store
// has lost outputs, because its directory was replaced, it writes them again from the results. Batches that waited
// behind such a batch are written again at their turn. A result whose outputs cannot be written again fails and is
// left out.
func (ws *writers) makeDurable(ctx context.Context, batch []work) ([]work, error) {
	var pending *diskCall // set once outputs were lost
	defer func() {
		if pending != nil {
			ws.disk.end(pending)
		}
	}()
	for {
		err := ws.retryDisk(ctx, "outputs", func() error { return ws.cfg.Out.Flush(ctx) })
		lost := errors.Is(err, blob.ErrLost)
		if err != nil && !lost {
			return nil, err
		}
		if lost && pending != nil { // also the outputs that were written again: the disk keeps nothing
			ws.disk.failed(pending, err)
			select {
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			case <-time.After(blob.Pause):
			}
		}
		if lost {
			ws.losses.Add(1)
			ws.log.Warn("the store lost outputs; writing them again", "why", err)
			if pending == nil {
				pending = ws.disk.begin("outputs", time.Now())
			}
		}
		kept, again, err := ws.rewriteLost(ctx, batch)
		if err != nil {
			return nil, err
		}
		if batch = kept; !lost && !again {
			return batch, nil
		}
	}
}

// rewriteLost writes the outputs of a batch again that the store has lost since they were written, and reports
// whether there were any. It returns the rest of the batch, without the results that failed.
func (ws *writers) rewriteLost(ctx context.Context, batch []work) (kept []work, again bool, err error) {
	losses := ws.losses.Load()
	for _, w := range batch {
		if w.written() && w.losses != losses {
			again = true
			err := ws.writeAgain(ctx, &w)
			if ctx.Err() != nil {
				return nil, false, context.Cause(ctx)
			}
			if err != nil { // of this result alone: something else has the output's name by now
				if w.result != nil {
					ws.fail(w.result, err)
				} else {
					w.done(wire.Receipt{}, err)
				}
				ws.uncommitted.Release(w.weight)
				ws.claims.release(w.claim)
				continue
			}
			w.losses = losses
		}
		kept = append(kept, w)
	}
	return kept, again, nil
}

// writeAgain writes all outputs of w.
func (ws *writers) writeAgain(ctx context.Context, w *work) error {
	if w.result != nil {
		if err := ws.writeOutputs(ctx, w.result); err != nil {
			return err
		}
	}
	return ws.copyOutputs(ctx, w.copies)
}
