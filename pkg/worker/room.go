package worker

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// room bounds the tasks that a worker holds until its engine has transformed them, by number and by bytes, whatever a
// ventilator sends. Tasks beyond it wait in the socket, whose own limits then stop the ventilator.
type room struct {
	tasks    *semaphore.Weighted
	bytes    *semaphore.Weighted
	capacity int64 // bytes
}

func newRoom(tasks int, bytes int64) *room {
	return &room{semaphore.NewWeighted(int64(tasks)), semaphore.NewWeighted(bytes), bytes}
}

// enter waits until there is room for a task of size bytes. A task larger than the room gets all of it. The error is
// that of ctx.
func (r *room) enter(ctx context.Context, size int) error {
	if err := r.tasks.Acquire(ctx, 1); err != nil {
		return err
	}
	if err := r.bytes.Acquire(ctx, min(int64(size), r.capacity)); err != nil {
		r.tasks.Release(1)
		return err
	}
	return nil
}

// leave makes the room of a task of size bytes free.
func (r *room) leave(size int) {
	r.tasks.Release(1)
	r.bytes.Release(min(int64(size), r.capacity))
}
