package worker

import (
	"context"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// hold notes that the worker has the task id.
func (w *Worker) hold(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held[id]++
}

func (w *Worker) holds() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.held)
}

// release counts a result that was sent and forgets its task.
func (w *Worker) release(r *wire.Result, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unhold(id)
	switch r.Outcome {
	case outcome.Done:
		w.counts.Done++
	case outcome.Rejected:
		w.counts.Rejected++
	case outcome.Failed:
		w.counts.Failed++
	}
}

// unhold notes that a task is no longer held. The caller holds mu.
func (w *Worker) unhold(id string) {
	if w.held[id]--; w.held[id] <= 0 {
		delete(w.held, id)
	}
}

// giveBack returns a task that was taken and not begun. The next heartbeat tells its ventilator.
func (w *Worker) giveBack(r received) {
	w.tasks.done(r.task.Run, 0)
	w.mu.Lock()
	w.unhold(r.task.ID)
	if r.task.ID != "" {
		w.counts.Returned = append(w.counts.Returned, r.task.ID)
	}
	w.mu.Unlock()
	w.releaseTask(r)
}

// returnWaiting gives back what waits for a slot, if the worker is to return it, and says so. It returns when the
// intake has ended and nothing waits.
func (w *Worker) returnWaiting() {
	if !w.returns.Load() {
		return
	}
	for r, ok := w.tasks.take(context.Background()); ok; r, ok = w.tasks.take(context.Background()) {
		w.giveBack(r)
	}
	w.sendHeartbeat()
}

// setBusy adds change to the number of tasks that the engine has, and accounts for the idle time until now.
func (w *Worker) setBusy(change int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settleIdle()
	w.engaged += change
	w.metrics.busy.Set(float64(w.busy()))
}

// busy is the number of slots at work. The caller holds mu.
func (w *Worker) busy() int { return min(w.engaged, w.cfg.Slots) }

func (w *Worker) settleIdle() {
	now := time.Now()
	idle := now.Sub(w.since) * time.Duration(w.cfg.Slots-w.busy())
	w.idle += idle
	w.since = now
	w.metrics.idle.Add(idle.Seconds())
}

// heartbeat returns the worker's state as heartbeats report it.
func (w *Worker) heartbeat() *wire.Heartbeat {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settleIdle()
	h := w.counts
	h.Returned = slices.Clone(h.Returned)
	h.Worker, h.Slots, h.Busy = w.cfg.Name, w.cfg.Slots, w.busy()
	h.IdleUS, h.UpUS = w.idle.Microseconds(), time.Since(w.started).Microseconds()
	for id := range w.held {
		if id != "" {
			h.Held = append(h.Held, id)
		}
	}
	select {
	case <-w.draining:
		h.Draining = true
	default:
	}
	return &h
}

// heartbeatNow requests a heartbeat at once.
func (w *Worker) heartbeatNow() {
	select {
	case w.beat <- struct{}{}:
	default:
	}
}

// heartbeats sends the sink a heartbeat at each interval, and when one is requested. A heartbeat that finds no room
// in the queue is dropped, since the next one replaces it.
func (w *Worker) heartbeats(ctx context.Context) {
	if w.cfg.Bare {
		return // a sink that takes bare names does not know heartbeats
	}
	ticker := time.NewTicker(w.cfg.Heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-w.beat:
		}
		w.sendHeartbeat()
	}
}

func (w *Worker) sendHeartbeat() {
	for _, p := range w.push.Peers() {
		if err := w.push.SendTo(p.ID, zsock.Message{w.heartbeat().Encode()}, nil); err != nil {
			w.log.Debug("a heartbeat is dropped", "error", err)
		}
	}
}
