package worker

import (
	"context"
	"sync"
)

// room bounds the tasks that a worker holds until its engine has transformed them, by number and by bytes, whatever a
// ventilator sends. Tasks beyond it wait in the socket, whose own limits then stop the ventilator. One goroutine
// enters.
type room struct {
	most func() (tasks int, bytes int64) // what there is room for, which may change

	mu    sync.Mutex
	tasks int
	bytes int64
	freed chan struct{} // holds a value after there may be more room
}

func newRoom(most func() (tasks int, bytes int64)) *room {
	return &room{most: most, freed: make(chan struct{}, 1)}
}

// enter waits until there is room for a task of size bytes. A task larger than the room gets all of it. The error is
// that of ctx.
func (r *room) enter(ctx context.Context, size int) error {
	for !r.tryEnter(int64(size)) {
		select {
		case <-r.freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (r *room) tryEnter(size int64) bool {
	tasks, bytes := r.most()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tasks >= tasks || r.bytes > 0 && r.bytes+size > bytes {
		return false
	}
	r.tasks++
	r.bytes += size
	return true
}

// leave makes the room of a task of size bytes free.
func (r *room) leave(size int) {
	r.mu.Lock()
	r.tasks--
	r.bytes -= int64(size)
	r.mu.Unlock()
	r.changed()
}

// changed lets who waits look whether there is more room now.
func (r *room) changed() {
	select {
	case r.freed <- struct{}{}:
	default:
	}
}
