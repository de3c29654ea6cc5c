package ventilator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage is a ventilator's world in memory: a sink that the test controls, and workers that it plays.
type stage struct {
	t      *testing.T
	ctx    context.Context
	inproc *zsock.Inproc
	log    *slog.Logger
	dir    string
	sink   *fakeSink
}

func newStage(t *testing.T, ctx context.Context, images int) *stage {
	t.Helper()
	s := &stage{t: t, ctx: ctx, inproc: zsock.NewInproc(), dir: t.TempDir(),
		log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for i := range images {
		if err := os.WriteFile(filepath.Join(s.dir, fmt.Sprintf("%03d.jpg", i)), fmt.Appendf(nil, "\xff\xd8\xff%d", i), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *stage) config() Config {
	return Config{Inputs: []string{s.dir}, Recipe: recipe.Default(), Bind: "inproc://tasks", Control: "inproc://control",
		Events: "inproc://events", Network: zsock.Network{Inproc: s.inproc}, Logger: s.log.With("role", "ventilator")}
}

// ended is how a run ended.
type ended struct {
	run wire.Run
	err error
	at  time.Time
}

func (s *stage) start(cfg Config) (*Ventilator, <-chan ended) {
	s.t.Helper()
	v, err := New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	done := make(chan ended, 1)
	go func() {
		run, err := v.Run(s.ctx)
		done <- ended{run, err, time.Now()}
	}()
	synctest.Wait() // until it hears the sink's events
	return v, done
}

// fakeSink settles what it is told to, and remembers.
type fakeSink struct {
	s       *stage
	mu      sync.Mutex
	settled map[string]wire.Receipt
	failed  map[string]wire.Receipt // remembered, by id
	name    string                  // its instance
	state   string
	pauses  time.Duration  // before each answer about what is settled
	refused string         // the call that is refused
	calls   map[string]int // by name
	runs    []wire.Run
	pub     *zsock.Pub
	rep     *zsock.Rep
	served  chan struct{}
	stop    context.CancelFunc
}

func (s *stage) newSink() *fakeSink {
	s.t.Helper()
	f := &fakeSink{s: s, settled: make(map[string]wire.Receipt), failed: make(map[string]wire.Receipt), calls: make(map[string]int), state: "running"}
	f.up()
	s.sink = f
	return f
}

func (f *fakeSink) up() {
	t := f.s.t
	t.Helper()
	var err error
	if f.pub, err = zsock.NewPub(zsock.Config{Network: zsock.Network{Inproc: f.s.inproc}}); err != nil {
		t.Fatal(err)
	}
	if f.rep, err = zsock.NewRep(zsock.Config{Network: zsock.Network{Inproc: f.s.inproc}, MaxMessage: 16 << 20}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.pub.Listen("inproc://events"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.rep.Listen("inproc://control"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(f.s.ctx)
	f.stop, f.served = stop, make(chan struct{})
	go func() {
		defer close(f.served)
		if err := f.rep.Serve(ctx, f.answer); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, zsock.ErrClosed) {
			t.Error(err)
		}
	}()
}

func (f *fakeSink) down() {
	f.stop()
	<-f.served
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = f.rep.Close(ctx), f.pub.Close(ctx) // what is left unsent is the point
}

func (f *fakeSink) answer(_ context.Context, m zsock.Message) zsock.Message {
	req, err := wire.DecodeRequest(m[0])
	if err != nil {
		return zsock.Message{wire.EncodeError(err)}
	}
	f.mu.Lock()
	f.calls[req.Op]++
	pause, no := f.pauses, f.refused == req.Op
	f.mu.Unlock()
	if no {
		return zsock.Message{wire.EncodeError(errors.New("no"))}
	}
	if req.Op == wire.OpSettled {
		time.Sleep(pause)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch req.Op {
	case wire.OpSettled:
		var args wire.SettledArgs
		if err := wire.DecodeRaw(req.Args, &args); err != nil {
			return zsock.Message{wire.EncodeError(err)}
		}
		reply := wire.Receipts{Instance: f.name}
		for _, id := range args.IDs {
			if r, ok := f.settled[id]; ok {
				reply.Receipts = append(reply.Receipts, r)
			}
			if r, ok := f.failed[id]; ok {
				reply.Failed = append(reply.Failed, r)
			}
		}
		return zsock.Message{wire.EncodeReply(&reply)}
	case wire.OpSettle:
		var args wire.Receipts
		if err := wire.DecodeRaw(req.Args, &args); err != nil {
			return zsock.Message{wire.EncodeError(err)}
		}
		for _, r := range args.Receipts {
			f.settled[r.ID] = r
		}
		return zsock.Message{wire.EncodeReply(&args)}
	case wire.OpRun:
		var run wire.Run
		if err := wire.DecodeRaw(req.Args, &run); err != nil {
			return zsock.Message{wire.EncodeError(err)}
		}
		f.runs = append(f.runs, run)
		return zsock.Message{wire.EncodeReply(&wire.RunState{Run: run.ID, State: f.state, Instance: f.name})}
	}
	return zsock.Message{wire.EncodeError(errors.New("unknown call"))}
}

// commit settles a task as done; told says whether the receipt is published or lost.
func (f *fakeSink) commit(task *wire.Task, worker string, told bool) {
	r := wire.Receipt{ID: task.ID, Run: task.Run, Filename: task.Filename, Outcome: outcome.Done, Worker: worker, At: time.Now()}
	f.mu.Lock()
	f.settled[task.ID] = r
	f.mu.Unlock()
	if told {
		f.publish(wire.TopicTaskDone, &r)
	}
}

// answered says that a result has come to this instance and is not committed yet.
func (f *fakeSink) answered(task *wire.Task, worker string) {
	f.publish(wire.TopicTaskAnswered, &wire.Answered{ID: task.ID, Worker: worker, Instance: f.name})
}

// fail remembers that a delivery failed; told says whether the event is published or lost.
func (f *fakeSink) fail(task *wire.Task, worker string, told bool) {
	r := wire.Receipt{ID: task.ID, Run: task.Run, Filename: task.Filename, Outcome: outcome.Failed, Worker: worker,
		Detail: "no disk", Delivery: task.Delivery, At: time.Now()}
	f.mu.Lock()
	f.failed[task.ID] = r
	f.mu.Unlock()
	if told {
		f.publish(wire.TopicTaskFailed, &r)
	}
}

// restart is a kill -9 and another start: what was remembered and not committed is gone.
func (f *fakeSink) restart(name string) {
	f.down()
	f.mu.Lock()
	f.name = name
	clear(f.failed)
	f.mu.Unlock()
	f.up()
}

func (f *fakeSink) publish(topic string, payload any) {
	if err := f.pub.Publish(wire.EncodeEvent(topic, payload)); err != nil {
		f.s.t.Error(err)
	}
}

// refuse makes the sink say no to that call from now on; the function tells how often it was called.
func (f *fakeSink) refuse(op string) func() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused = op
	return func() int {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.calls[op]
	}
}

func (f *fakeSink) pause(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pauses = d
}

func (f *fakeSink) steer(state string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = state
}

// fakeWorker pulls tasks and does nothing with them by itself.
type fakeWorker struct {
	s    *stage
	name string
	pull *zsock.Pull
}

func (s *stage) worker(name string, prefetch int) *fakeWorker {
	s.t.Helper()
	identity := wire.WorkerIdentity{Name: name, Slots: 1, Prefetch: prefetch}.String()
	if prefetch == 0 {
		identity = "" // a stranger
	}
	pull, err := zsock.NewPull(zsock.Config{Network: zsock.Network{Inproc: s.inproc}, Identity: identity})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := pull.Dial("inproc://tasks"); err != nil {
		s.t.Fatal(err)
	}
	return &fakeWorker{s: s, name: name, pull: pull}
}

// next returns the next task, or nil when none comes within d.
func (w *fakeWorker) next(d time.Duration) *wire.Task {
	w.s.t.Helper()
	ctx, cancel := context.WithTimeout(w.s.ctx, d)
	defer cancel()
	m, err := w.pull.Recv(ctx)
	if err != nil {
		return nil
	}
	task, err := wire.DecodeTask(m[0])
	if err != nil {
		w.s.t.Fatal(err)
	}
	return task
}

func (w *fakeWorker) mustNext(d time.Duration) *wire.Task {
	w.s.t.Helper()
	task := w.next(d)
	if task == nil {
		w.s.t.Fatalf("%s got no task within %v", w.name, d)
	}
	return task
}

// die closes the connection as a killed process would.
func (w *fakeWorker) die() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := w.pull.Close(ctx); err != nil {
		w.s.t.Error(err)
	}
}

// serve answers every task with done until the worker dies or the stage ends.
func (w *fakeWorker) serve() {
	for {
		task := w.next(time.Hour)
		if task == nil {
			return
		}
		w.s.sink.commit(task, w.name, true)
	}
}

func (w *fakeWorker) beat(ids ...string) {
	w.s.sink.publish(wire.TopicWorkerHeartbeat, &wire.Heartbeat{Worker: w.name, Slots: 1, Held: ids})
}
