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
}

// readResult answers a readOrder.
type readResult struct {
	task    *dispatch.Task
	message []byte
	err     error
}

// readTasks is a reader: it turns tasks into messages until ctx ends.
func (v *Ventilator) readTasks(ctx context.Context, reads <-chan readOrder, done chan<- readResult) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case o := <-reads:
			o.info.Source = v.sourceOf(o.image)
			var message []byte
			err := v.readCarried(ctx, o.image, &o.info)
			if err == nil {
				message, err = v.readTask(ctx, o.image, o.info)
			}
			select {
			case done <- readResult{task: o.task, message: message, err: err}:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// readCarried completes info with what travels with the image.
func (v *Ventilator) readCarried(ctx context.Context, im *image, info *wire.TaskInfo) error {
	sidecars, err := source.Sidecars(ctx, im.source, im.entry)
	info.Carried = wire.Carried{URL: v.urlOf(im), Columns: im.entry.Columns, Sidecars: sidecars}.Encode()
	return err
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
	o := readOrder{task: t, image: t.Origin.(*image), info: wire.TaskInfo{
		ID: t.ID.String(), Run: l.v.cfg.Run, Delivery: t.Deliveries() + 1, Recipe: l.v.naming.recipe(t.Name),
		Ticket: wire.BlankTicket(), Location: l.v.cfg.Location,
	}}
	if len(o.image.only) > 0 && t.Detail() == "" { // a delivery may have failed because an earlier output was gone
		o.info.Only = o.image.only
	}
	if (l.v.cfg.Checksum || len(o.info.Only) > 0) && len(o.image.input) <= wire.MaxInput {
		o.info.Input = []byte(o.image.input)
	}
	return l.readOrders, o
}

// takeRead passes the result of a read order to the dispatcher.
func (l *loop) takeRead(r readResult) {
	var rejection *outcome.Rejection
	switch {
	case r.err == nil:
		l.d.FinishRead(r.task, r.message)
	case errors.As(r.err, &rejection):
		if l.d.RejectRead(r.task, time.Now()) {
			l.rejectUnsent(r.task, rejection)
		}
	default:
		l.v.log.Warn("cannot read an image; it is tried again", "file", r.task.Path, "error", r.err)
		l.d.FailRead(r.task, r.err.Error(), time.Now())
	}
}
