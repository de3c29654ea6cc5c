package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// Worker is one worker. Make it with New, use it once.
type Worker struct {
	cfg     Config
	log     *slog.Logger
	peerLog *slog.Logger // for what any peer can cause, as often as it likes
	metrics *metrics
	recipes recipes

	pull   *zsock.Pull
	push   *zsock.Push
	tasks  *queue // wait for a slot
	room   *room  // for the tasks in tasks and in the engine
	outbox outbox

	draining chan struct{} // closed by Drain and Return
	drain    sync.Once
	// Whoever runs the worker is told once that its inputs are not where the ventilator finds them.
	warnOutside sync.Once
	returns     atomic.Bool // what is not begun is returned when it drains
	started     time.Time
	ready       telemetry.Readiness
	losses      atomic.Int64           // syncs that failed, each with all outputs written since the one before
	stuck       atomic.Int32           // slots that wait for the store, or for open files
	stuckBy     atomic.Pointer[string] // why slots wait, if any do

	mu      sync.Mutex
	held    map[string]int // ids of tasks that were received and have no result yet, counted
	engaged int            // tasks that the engine has
	counts  wire.Heartbeat // with the tasks that were returned
	idle    time.Duration
	since   time.Time // when engaged last changed
	beat    chan struct{}
}

// New returns a worker that has not begun.
func New(cfg Config) (*Worker, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	w := &Worker{
		cfg: cfg, log: cfg.Logger, peerLog: telemetry.Limited(cfg.Logger), metrics: newMetrics(cfg.Registerer, cfg.Slots),
		tasks:    newQueue(),
		outbox:   outbox{turn: make(chan struct{}, 1)},
		draining: make(chan struct{}), held: make(map[string]int), beat: make(chan struct{}, 1),
	}
	w.room = newRoom(w.mostHeld)
	return w, nil
}

// mostHeld returns what the worker may hold: all that its ventilators and one that was restarted may have sent, so that
// heartbeats list it at once.
func (w *Worker) mostHeld() (tasks int, bytes int64) {
	connected := len(w.pull.Peers())
	return w.cfg.Prefetch * (max(connected, len(w.cfg.Ventilators)) + 1), w.cfg.HeldBytes * int64(max(1, connected))
}

// Drain asks the worker to finish what it holds, to take nothing new and to end. A worker drains once: later calls
// change nothing.
func (w *Worker) Drain() { w.drain.Do(func() { close(w.draining) }) }

// Return asks the worker to finish the tasks that its engine has, to return the others to their ventilators, and to
// end.
func (w *Worker) Return() {
	w.drain.Do(func() {
		w.returns.Store(!w.cfg.Bare) // a sink that knows nothing but names could not pass it on
		close(w.draining)
	})
}

// Ready returns nil when the worker is connected to a ventilator and to its sink, can write its outputs, and does
// not drain.
func (w *Worker) Ready() error {
	if err := w.ready.Err(); err != nil {
		return err
	}
	var errs []error
	if len(w.pull.Peers()) == 0 {
		errs = append(errs, unconnected("a ventilator", w.pull.Unreached()))
	}
	if len(w.push.Peers()) == 0 {
		errs = append(errs, unconnected("the sink", w.push.Unreached()))
	}
	if w.stuck.Load() > 0 {
		errs = append(errs, errors.New(*w.stuckBy.Load()))
	}
	return errors.Join(errs...)
}

// received is a task and when it arrived.
type received struct {
	task  *wire.Task
	frame []byte // the memory that holds the task's data
	at    time.Time
}

// Run works until Drain was called and its work is done, or ctx ends. When ctx ends, the tasks that the worker holds
// are redelivered to another. The error is nil after a drain; otherwise it is the cause of the end of ctx.
func (w *Worker) Run(ctx context.Context) error {
	w.started = time.Now()
	w.since = w.started
	if err := w.open(); err != nil {
		return errors.Join(err, w.close(ctx))
	}
	w.ready.Ready()
	w.log.Info("working", "worker", w.cfg.Name, "slots", w.cfg.Slots, "prefetch", w.cfg.Prefetch,
		"ventilator", w.cfg.Ventilators, "sink", w.cfg.Results)

	intake, stopIntake := context.WithCancel(ctx)
	defer stopIntake()
	beating, stopBeating := context.WithCancel(ctx)
	defer stopBeating()
	var side sync.WaitGroup
	side.Go(func() {
		select {
		case <-w.draining:
			w.ready.NotReady("draining")
			w.log.Info("draining", "held", w.holds())
			w.heartbeatNow()
			stopIntake()
			w.returnWaiting()
		case <-intake.Done():
		}
	})
	side.Go(func() { w.heartbeats(beating) })
	side.Go(func() { w.reportUnreached(beating) })
	var group errgroup.Group
	group.Go(func() error {
		defer w.tasks.close()
		return w.take(ctx, intake)
	})
	unsynced := make(chan written, w.cfg.Prefetch)
	var slots sync.WaitGroup
	for range w.cfg.Slots * (1 + w.cfg.Ahead) {
		slots.Go(func() { w.slot(ctx, unsynced) })
	}
	group.Go(func() error {
		defer close(unsynced)
		slots.Wait()
		return nil
	})
	group.Go(func() error {
		w.syncResults(ctx, unsynced)
		return nil
	})
	err := group.Wait()
	if ctx.Err() == nil {
		_ = w.sendBatch(ctx) // an error means that ctx has ended: the tasks will be redelivered
	}
	stopIntake()
	stopBeating()
	side.Wait()
	w.ready.NotReady("stopped")
	closeErr := w.close(ctx)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	}
	return closeErr
}

func (w *Worker) open() error {
	identity := wire.WorkerIdentity{Name: w.cfg.Name, Slots: w.cfg.Slots, Prefetch: w.cfg.Prefetch,
		Token: wire.NewToken(), References: w.cfg.Inputs != nil}.String()
	var err error
	w.pull, err = zsock.NewPull(zsock.Config{
		Identity: identity, MaxMessage: w.cfg.MaxMessage + wire.MaxText + 2*wire.MaxName,
		RecvHWM: w.cfg.Prefetch, RecvBytes: w.cfg.MaxMessage, Memory: w.cfg.Memory,
		Network: w.cfg.Network, ReconnectMax: maxReconnectPause, OnPeer: w.logPeer("ventilator"),
		PeerRoles: []string{pki.Ventilator},
	})
	if err != nil {
		return err
	}
	w.push, err = zsock.NewPush(zsock.Config{
		Identity: identity, SendHWM: 2*w.cfg.Prefetch + 8, SendBytes: w.cfg.MaxMessage,
		Network: w.cfg.Network, ReconnectMax: maxReconnectPause, OnPeer: w.logPeer("sink"),
		PeerRoles: []string{pki.Sink},
	})
	if err != nil {
		return err
	}
	if err := w.push.Dial(w.cfg.Results); err != nil {
		return err
	}
	for _, v := range w.cfg.Ventilators {
		if err := w.pull.Dial(v); err != nil {
			return err
		}
	}
	return nil
}

func (w *Worker) logPeer(who string) func(zsock.PeerEvent) {
	return func(ev zsock.PeerEvent) {
		switch ev.Kind {
		case zsock.PeerUp:
			w.peerLog.Info("connected", "to", who, "endpoint", ev.Peer.Remote)
			w.room.changed()
			w.heartbeatNow()
		case zsock.PeerDown:
			w.peerLog.Info("disconnected", "from", who, "endpoint", ev.Peer.Remote, "why", ev.Err)
		}
	}
}

// close sends the remaining results before it closes the connection that brings tasks: when the ventilator learns
// that the worker has left, the results are on their way to the sink.
func (w *Worker) close(ctx context.Context) error {
	var errs []error
	if w.push != nil {
		errs = append(errs, w.push.Close(ctx))
	}
	if w.pull != nil {
		errs = append(errs, w.pull.Close(ctx))
	}
	return errors.Join(errs...)
}

// take receives tasks until intake ends, and then those that have arrived already. It returns at once when ctx ends.
func (w *Worker) take(ctx, intake context.Context) error {
	for late := 0; ; {
		message, err := w.pull.Recv(intake)
		if err != nil {
			return nil // drained or cut
		}
		if intake.Err() != nil {
			if late++; late > w.cfg.Prefetch { // a stranger keeps sending while there is room
				w.releaseAll(message)
				return nil
			}
		}
		t, err := decode(message)
		if err != nil {
			w.metrics.malformed.Inc()
			w.peerLog.Warn("a message is not a task and is dropped", "error", err)
			w.releaseAll(message)
			continue
		}
		w.hold(t.ID)
		arrived := time.Now()
		if w.room.enter(ctx, sizeOf(t, message[0])) != nil { // waits when a stranger sends more than the prefetch
			return nil
		}
		w.tasks.put(received{task: t, frame: message[0], at: arrived})
	}
}

// releaseTask gives back the memory and the room of a task.
func (w *Worker) releaseTask(r received) {
	w.cfg.Memory.Release(r.frame)
	w.room.leave(sizeOf(r.task, r.frame))
}

// sizeOf returns how many bytes a task takes in memory, with the image to which it refers.
func sizeOf(t *wire.Task, frame []byte) int {
	if t.Reference == nil {
		return len(frame)
	}
	return len(frame) + int(min(t.Reference.Size, math.MaxInt32))
}

func (w *Worker) releaseAll(m zsock.Message) {
	for _, frame := range m {
		w.cfg.Memory.Release(frame)
	}
}

func decode(m zsock.Message) (*wire.Task, error) {
	if len(m) != 1 {
		return nil, fmt.Errorf("it has %d frames instead of one", len(m))
	}
	return wire.DecodeTask(m[0])
}

// slot transforms one task after another until the queue is closed or ctx ends. Results whose outputs it wrote go to
// unsynced, the others to the outbox.
func (w *Worker) slot(ctx context.Context, unsynced chan<- written) {
	for {
		r, ok := w.tasks.take(ctx)
		if !ok {
			return
		}
		if w.returns.Load() {
			w.giveBack(r)
			continue
		}
		w.setBusy(1)
		losses := w.losses.Load()
		result := w.transform(ctx, r)
		w.tasks.done(r.task.Run, time.Duration(result.Timings.Total)*time.Microsecond)
		w.releaseTask(r)
		w.setBusy(-1)
		if ctx.Err() != nil {
			return // cancelled mid-transform: report nothing; the task will be redelivered
		}
		if !result.Stored {
			if w.finish(ctx, result, r.task.ID) != nil {
				return
			}
			continue
		}
		select {
		case unsynced <- written{result, r.task.ID, losses}:
		case <-ctx.Done():
			return
		}
	}
}

// maxReconnectPause is the longest pause before a reconnect. It is short, so that a run of seconds finds every worker.
const maxReconnectPause = 500 * time.Millisecond
