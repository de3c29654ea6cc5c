package worker

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Inputs are the places from which a worker fetches images that tasks refer to; source.Inputs are.
type Inputs interface {
	Open(ctx context.Context, r source.Reference) (*source.File, error)
}

// failFetch turns r into the failure of a fetch. What the worker may not open, the ventilator is to send.
func (w *Worker) failFetch(r *wire.Result, err error) *wire.Result {
	var outside *source.OutsideError
	if r.OutOfReach = errors.As(err, &outside); r.OutOfReach {
		w.warnOutside.Do(func() {
			w.log.Warn("a task refers to an image outside of this worker's inputs; the ventilator sends it the bytes instead",
				"reference", outside.At, "inputs_root", strings.Join(outside.Places, " "))
		})
	}
	return fail(r, err)
}

// fetch reads the image that a task refers to into memory, which the caller releases. The worker does it itself: its
// child processes open nothing. The error is an *outcome.Rejection when the image is at fault.
func (w *Worker) fetch(ctx context.Context, t *wire.Task) ([]byte, error) {
	if w.cfg.Inputs == nil {
		return nil, &source.OutsideError{At: t.Reference.At}
	}
	r := t.Reference
	file, err := w.cfg.Inputs.Open(ctx, source.Reference{At: r.At, Size: r.Size, Modified: r.Modified, ETag: r.ETag})
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.Size > w.cfg.MaxMessage {
		return nil, outcome.Reject(outcome.TooLarge, "%d bytes, the limit is %d", file.Size, w.cfg.MaxMessage)
	}
	data := w.cfg.Memory.Buffer(int(file.Size))
	if _, err = io.ReadFull(file, data); err != nil {
		err = fmt.Errorf("%q shrank while it was read: %w", r.At, err)
	} else if digest, known := taskid.Input(t.Input).Digest(); known && digest != sha256.Sum256(data) {
		err = fmt.Errorf("read %s: %w", r.At, source.ErrChanged)
	}
	if err != nil {
		w.cfg.Memory.Release(data)
		return nil, err
	}
	return data, nil
}
