package worker

import (
	"context"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// A batch of results is sent when its first result has waited for batchDelay, or when it holds batchBytes of outputs.
const (
	batchDelay = 20 * time.Millisecond
	batchBytes = 256 << 10
)

// outbox batches results while enough tasks wait for a slot. The slots stay fed then, and a batch wakes the sink and
// the ventilator once instead of once for each image, which costs up to a tenth of making a thumbnail. The worker
// still holds the tasks of a batch: heartbeats list them, and they count against the prefetch.
type outbox struct {
	turn  chan struct{} // a semaphore: its holder owns the fields below, and may wait for the sink meanwhile
	batch []settled
	bytes int64       // of outputs in the batch
	due   *time.Timer // sends the batch; nil before the first one
}

// take acquires the outbox. The error is the cause of the end of ctx.
func (o *outbox) take(ctx context.Context) error {
	select {
	case o.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (o *outbox) release() { <-o.turn }

// settled is a result and the id of its task as the task brought it.
type settled struct {
	result *wire.Result
	id     string
}

// finish adds a result to the batch, and sends the batch unless enough tasks wait for a slot. The task is released
// when its result is sent. The error is the cause of the end of ctx.
func (w *Worker) finish(ctx context.Context, r *wire.Result, id string) error {
	w.metrics.settled(r)
	o := &w.outbox
	if err := o.take(ctx); err != nil {
		return err
	}
	defer o.release()
	o.batch = append(o.batch, settled{r, id})
	for _, out := range r.Outputs {
		o.bytes += int64(len(out.Data))
	}
	if o.bytes >= batchBytes || !w.hasBacklog() {
		return w.sendBatchLocked(ctx)
	}
	switch {
	case o.due == nil:
		o.due = time.AfterFunc(batchDelay, func() { _ = w.sendBatch(ctx) })
	case len(o.batch) == 1:
		o.due.Reset(batchDelay)
	}
	return nil
}

// hasBacklog reports whether more than half of the tasks that may wait for a slot do. They keep the slots fed until the
// ventilator, which a batch informs late, has sent more.
func (w *Worker) hasBacklog() bool {
	w.mu.Lock()
	ahead := max(0, w.engaged-w.cfg.Slots)
	w.mu.Unlock()
	return w.tasks.len()+ahead > (w.cfg.Prefetch-w.cfg.Slots)/2
}

// sendBatch sends the batch.
func (w *Worker) sendBatch(ctx context.Context) error {
	if err := w.outbox.take(ctx); err != nil {
		return err
	}
	defer w.outbox.release()
	return w.sendBatchLocked(ctx)
}

// sendBatchLocked sends the batch to the sink and waits while the sink has no room. The caller holds the outbox, so
// that other results wait, too.
func (w *Worker) sendBatchLocked(ctx context.Context) error {
	o := &w.outbox
	if o.due != nil {
		o.due.Stop()
	}
	var messages []zsock.Message
	for _, s := range o.batch {
		messages = append(messages, w.messages(s.result)...)
	}
	if err := w.push.Send(ctx, messages...); err != nil {
		return err
	}
	for _, s := range o.batch {
		w.release(s.result, s.id)
	}
	clear(o.batch)
	o.batch, o.bytes = o.batch[:0], 0
	return nil
}

// messages returns the messages of a result: one that has all of it or, with Bare, one for the name of each output.
func (w *Worker) messages(r *wire.Result) []zsock.Message {
	if !w.cfg.Bare {
		return []zsock.Message{{r.Encode()}}
	}
	var names []zsock.Message
	for _, o := range r.Outputs {
		names = append(names, zsock.Message{wire.EncodeBareName(o.Name)})
	}
	return names
}
