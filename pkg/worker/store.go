package worker

import (
	"context"
	"errors"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// written is a result whose outputs are written and not durable yet.
type written struct {
	result *wire.Result
	id     string // of its task, as the task brought it
	losses int64  // Worker.losses before the first output was written
}

// syncResults makes the outputs of results durable, then passes the results on to be sent. What slots write during
// one sync becomes the group of the next: one sync serves several tasks, and no slot waits for it. syncResults
// returns when all is closed and synced, or ctx ends.
func (w *Worker) syncResults(ctx context.Context, all <-chan written) {
	for first := range all {
		group := []written{first}
		for more := true; more; {
			select {
			case next, ok := <-all:
				if more = ok; ok {
					group = append(group, next)
				}
			default:
				more = false
			}
		}
		begun := time.Now()
		err := w.insist(ctx, "outputs cannot be written", func() error { return w.cfg.Out.Flush(ctx) })
		if ctx.Err() != nil {
			return // cancelled: report nothing; the tasks will be redelivered
		}
		if err != nil {
			w.losses.Add(1)
		}
		share := time.Since(begun).Microseconds() / int64(len(group))
		for _, one := range group {
			one.result.Timings.Write += share
			one.result.Timings.Total += share
			switch {
			case err != nil:
				fail(one.result, err)
			case one.losses < w.losses.Load(): // an earlier sync that failed covered some of its outputs
				fail(one.result, errLostBefore)
			}
			if w.finish(ctx, one.result, one.id) != nil {
				return
			}
		}
	}
}

var errLostBefore = errors.New("the store lost outputs of this image and others")

// store writes an output, and waits while the store is unavailable.
func (w *Worker) store(ctx context.Context, name string, data []byte) error {
	return w.insist(ctx, "outputs cannot be written", func() error { return w.cfg.Out.Put(ctx, name, data) })
}

// insist repeats do while it fails with blob.ErrUnavailable, and keeps the task meanwhile. what says for the log
// what cannot be done. The worker is not ready then.
func (w *Worker) insist(ctx context.Context, what string, do func() error) error {
	stuck := false
	err := blob.Insist(ctx, do, func(err error) {
		why := err.Error()
		w.stuckBy.Store(&why) // before the count, for those who see the count
		if stuck {
			return
		}
		stuck = true
		if w.stuck.Add(1) == 1 {
			w.log.Error(what+"; trying again", "error", err)
		}
	})
	if stuck && w.stuck.Add(-1) == 0 && err == nil {
		w.log.Info("the worker goes on")
	}
	return err
}
