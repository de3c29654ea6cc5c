package ventilator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file turns images into messages.

// readOrder asks a reader for the message of a task. It copies the fields that only the loop may read from the task.
type readOrder struct {
	task  *dispatch.Task
	image *image
	info  wire.TaskInfo
	bytes bool // although the run sends references
}

// readResult answers a readOrder.
type readResult struct {
	task    *dispatch.Task
	message []byte
	err     error

	referred bool   // the message refers to the image, instead of having its bytes
	place    func() // to be called when nobody fetches the image any more; nil: nothing waits for that
}

// readTasks is a reader: it turns tasks into messages until ctx ends.
func (v *Ventilator) readTasks(ctx context.Context, reads <-chan readOrder, done chan<- readResult) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case o := <-reads:
			r := v.prepare(ctx, o)
			select {
			case done <- r:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// readCarried completes info with what travels with the image.
func (v *Ventilator) readCarried(ctx context.Context, im *image, info *wire.TaskInfo) error {
	sidecars, err := source.Sidecars(ctx, im.source, im.entry)
	info.Source = v.sourceOf(im)
	info.Carried = wire.Carried{
		URL: v.urlOf(im), Columns: im.entry.Columns, Version: source.Validators(im.source, im.entry), Sidecars: sidecars,
	}.Encode()
	return err
}

// prepare makes the message of a task, with the image or with a reference to it.
func (v *Ventilator) prepare(ctx context.Context, o readOrder) readResult {
	r := readResult{task: o.task}
	if r.err = v.readCarried(ctx, o.image, &o.info); r.err != nil {
		return r
	}
	if v.cfg.ByReference && !o.bytes {
		if ref, ok := source.Refer(o.image.source, o.image.entry); ok && len(ref.At) <= wire.MaxReference {
			r.referred = true
			if r.place, r.err = source.Admit(ctx, o.image.source, o.image.entry); r.err != nil {
				return r
			}
			o.info.Reference = &wire.Reference{At: ref.At, Size: ref.Size, Modified: ref.Modified, ETag: ref.ETag}
			r.message = wire.NewTaskBuffer(v.buffers.get, o.image.Name, 0, o.info).Message
			return r
		}
	}
	r.message, r.err = v.readTask(ctx, o.image, o.info)
	return r
}

// readTask reads the image straight into the message of its task.
func (v *Ventilator) readTask(ctx context.Context, im *image, info wire.TaskInfo) ([]byte, error) {
	file, err := im.open(ctx)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if limit := v.cfg.MaxMessage; file.Size > limit {
		return nil, outcome.Reject(outcome.TooLarge, "%d bytes, the limit is %d", file.Size, limit)
	}
	buf := wire.NewTaskBuffer(v.buffers.get, im.Name, int(file.Size), info)
	if _, err := io.ReadFull(file, buf.Data); err != nil {
		return nil, fmt.Errorf("%q shrank while it was read: %w", im.Path, err)
	}
	return buf.Message, nil
}

// nextOrder returns the next order for a reader, and the channel to send it on; nil: no task is to be read now.
func (l *loop) nextOrder() (chan<- readOrder, readOrder) {
	if l.nextRead == nil && l.runState != outcome.Paused {
		l.nextRead = l.d.NextRead()
	}
	t := l.nextRead
	if t == nil {
		return nil, readOrder{}
	}
	return l.readOrders, l.order(t, t.Deliveries()+1)
}

// order returns the order to make the message of a delivery of a task.
func (l *loop) order(t *dispatch.Task, delivery int) readOrder {
	o := readOrder{task: t, image: t.Origin.(*image), bytes: t.Unreferred(), info: wire.TaskInfo{
		ID: t.ID.String(), Run: l.v.cfg.Run, Delivery: delivery, Recipe: l.v.naming.recipe(t.Name),
		Ticket: wire.BlankTicket(), Location: l.v.cfg.Location,
	}}
	if len(o.image.only) > 0 && t.Detail() == "" { // a delivery may have failed because an earlier output was gone
		o.info.Only = o.image.only
	}
	if (l.v.cfg.Checksum || len(o.info.Only) > 0) && len(o.image.input) <= wire.MaxInput {
		o.info.Input = []byte(o.image.input)
	}
	return o
}

// takeRead passes the result of a read order to the dispatcher.
func (l *loop) takeRead(r readResult) {
	var rejection *outcome.Rejection
	switch {
	case r.err == nil:
		r.task.Origin.(*image).referred = r.referred
		l.holdPlace(r.task, r.place)
		if r.referred {
			l.d.BudgetReference(r.task, int64(len(r.message)))
		}
		l.d.FinishRead(r.task, r.message)
	case errors.As(r.err, &rejection):
		if l.d.RejectRead(r.task, time.Now()) {
			l.rejectUnsent(r.task, rejection)
		}
	case l.v.cfg.Watching && source.IsOutdated(r.err):
		l.v.log.Info("an image changed or went before it was read", "file", r.task.Path)
		l.d.WithdrawRead(r.task, time.Now())
	default:
		l.v.log.Warn("cannot read an image; it is tried again", "file", r.task.Path, "error", r.err)
		l.d.FailRead(r.task, r.err.Error(), time.Now())
	}
}
