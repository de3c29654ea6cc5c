package worker

import (
	"context"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// Results that are kept back are told after that time, or when they hold that many bytes.
const (
	keepFor   = 20 * time.Millisecond
	keepBytes = 256 << 10
)

// outbox keeps results back for a moment while tasks enough are waiting: nobody needs to hear of them then, and told together
// they wake the sink, and through it the ventilator, once for several images instead of once for each, which costs as much as
// a tenth of making a thumbnail. What is kept is still held: heartbeats list it, and it counts against the prefetch.
type outbox struct {
	turn  chan struct{} // holds one while somebody is at it, who may wait for the sink meanwhile
	kept  []settled
	bytes int64
	due   *time.Timer // tells what is kept; nil before anything was
}

// take waits for the outbox to be free, until ctx ends.
func (o *outbox) take(ctx context.Context) error {
	select {
	case o.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (o *outbox) release() { <-o.turn }

// settled is a result with the id of its task, as it came.
type settled struct {
	result *wire.Result
	id     string
}

// finish tells a result and lets go of its task, now or, if there is plenty to do, soon. The error is the context's.
func (w *Worker) finish(ctx context.Context, r *wire.Result, id string) error {
	w.metrics.settled(r)
	o := &w.outbox
	if err := o.take(ctx); err != nil {
		return err
	}
	defer o.release()
	o.kept = append(o.kept, settled{r, id})
	for _, out := range r.Outputs {
		o.bytes += int64(len(out.Data))
	}
	if o.bytes >= keepBytes || !w.plentyToDo() {
		return w.tellKept(ctx)
	}
	switch {
	case o.due == nil:
		o.due = time.AfterFunc(keepFor, func() { _ = w.tellAll(ctx) })
	case len(o.kept) == 1:
		o.due.Reset(keepFor)
	}
	return nil
}

// plentyToDo reports whether more than half of what may wait for a slot does: enough until the ventilator, told late, has
// sent more.
func (w *Worker) plentyToDo() bool {
	w.mu.Lock()
	ahead := max(0, w.engaged-w.cfg.Slots)
	w.mu.Unlock()
	return len(w.tasks)+ahead > (w.cfg.Prefetch-w.cfg.Slots)/2
}

// tellAll tells what is kept.
func (w *Worker) tellAll(ctx context.Context) error {
	if err := w.outbox.take(ctx); err != nil {
		return err
	}
	defer w.outbox.release()
	return w.tellKept(ctx)
}

// tellKept sends what is kept to the sink, waiting as long as that has no room. The caller has the outbox: others who have
// something to tell wait, too.
func (w *Worker) tellKept(ctx context.Context) error {
	o := &w.outbox
	if o.due != nil {
		o.due.Stop()
	}
	var messages []zsock.Message
	for _, s := range o.kept {
		messages = append(messages, w.messages(s.result)...)
	}
	if err := w.push.Send(ctx, messages...); err != nil {
		return err
	}
	for _, s := range o.kept {
		w.release(s.result, s.id)
	}
	clear(o.kept)
	o.kept, o.bytes = o.kept[:0], 0
	return nil
}

// messages returns what is said of a result: all of it, or nothing but the names of its outputs.
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
