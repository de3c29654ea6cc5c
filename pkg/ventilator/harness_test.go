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

// testbed is all that a ventilator talks to, in memory: a sink that the test controls, and workers that it plays.
type testbed struct {
	t      *testing.T
	ctx    context.Context
	inproc *zsock.Inproc
	log    *slog.Logger
	dir    string
	sink   *fakeSink
}

func newTestbed(t *testing.T, ctx context.Context, images int) *testbed {
	t.Helper()
	s := &testbed{t: t, ctx: ctx, inproc: zsock.NewInproc(), dir: t.TempDir(),
		log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for i := range images {
		path := filepath.Join(s.dir, fmt.Sprintf("%03d.jpg", i))
		if err := os.WriteFile(path, fmt.Appendf(nil, "\xff\xd8\xff%d", i), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *testbed) config() Config {
	return Config{Inputs: []string{s.dir}, Recipe: recipe.Default(), Bind: "inproc://tasks", Control: "inproc://control",
		Events: "inproc://events", Network: zsock.Network{Inproc: s.inproc}, Logger: s.log.With("role", "ventilator")}
}

// ended is how a run ended.
type ended struct {
	run wire.Run
	err error
	at  time.Time
}

func (s *testbed) start(cfg Config) (*Ventilator, <-chan ended) {
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
	synctest.Wait() // until the sink's events are connected
	return v, done
}

// fakeSink settles only what the test tells it to settle.
type fakeSink struct {
	s       *testbed
	mu      sync.Mutex
	settled map[string]wire.Receipt
	failed  map[string]wire.Receipt // the last failed delivery of each task
	name    string                  // its instance
	state   outcome.RunState
	pauses  time.Duration  // before each answer about settled tasks
	refused string         // name of the call that is refused; empty: none
	calls   map[string]int // by name
	runs    []wire.Run
	pub     *zsock.Pub
	rep     *zsock.Rep
	served  chan struct{}
	stop    context.CancelFunc
}

func (s *testbed) newSink() *fakeSink {
	s.t.Helper()
	f := &fakeSink{
		s: s, state: "running",
		settled: make(map[string]wire.Receipt), failed: make(map[string]wire.Receipt), calls: make(map[string]int),
	}
	f.up()
	s.sink = f
	return f
}

func (f *fakeSink) up() {
	t := f.s.t
	t.Helper()
	var err error
	network := zsock.Network{Inproc: f.s.inproc}
	if f.pub, err = zsock.NewPub(zsock.Config{Network: network}); err != nil {
		t.Fatal(err)
	}
	if f.rep, err = zsock.NewRep(zsock.Config{Network: network, MaxMessage: 16 << 20}); err != nil {
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
		err := f.rep.Serve(ctx, f.answer)
		if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, zsock.ErrClosed) {
			t.Error(err)
		}
	}()
}

func (f *fakeSink) down() {
	f.stop()
	<-f.served
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = f.rep.Close(ctx), f.pub.Close(ctx) // unsent messages are lost, as when a sink is killed
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
		time.Sleep(pause) // virtual: the tests run in bubbles
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
		return zsock.Message{wire.EncodeReply(&wire.Steering{Run: run.ID, State: f.state, Instance: f.name})}
	}
	return zsock.Message{wire.EncodeError(errors.New("unknown call"))}
}

// commit settles a task as done; published says whether its event is published or lost.
func (f *fakeSink) commit(task *wire.Task, worker string, published bool) {
	r := wire.Receipt{
		ID: task.ID, Run: task.Run, Filename: task.Filename, Outcome: outcome.Done, Worker: worker, At: time.Now(),
	}
	f.mu.Lock()
	f.settled[task.ID] = r
	f.mu.Unlock()
	if published {
		f.publish(wire.TopicTaskDone, &r)
	}
}

// answered publishes that this instance has received a result, which is not committed yet.
func (f *fakeSink) answered(task *wire.Task, worker string) {
	f.publish(wire.TopicTaskAnswered, &wire.Answered{ID: task.ID, Worker: worker, Instance: f.name})
}

// failBare publishes that a delivery failed, as for a worker that does not echo the number of the delivery.
func (f *fakeSink) failBare(task *wire.Task, detail string) {
	f.publish(wire.TopicTaskFailed, &wire.Receipt{
		ID: task.ID, Filename: task.Filename, Outcome: outcome.Failed, Worker: "w", Detail: detail,
	})
}

// fail remembers that a delivery failed; published says whether its event is published or lost.
func (f *fakeSink) fail(task *wire.Task, worker string, published bool) {
	r := wire.Receipt{ID: task.ID, Run: task.Run, Filename: task.Filename, Outcome: outcome.Failed, Worker: worker,
		Detail: "no disk", Delivery: task.Delivery, At: time.Now()}
	f.mu.Lock()
	f.failed[task.ID] = r
	f.mu.Unlock()
	if published {
		f.publish(wire.TopicTaskFailed, &r)
	}
}

// restart kills the sink and starts another instance: all that was not committed is lost.
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

// refuse makes the sink refuse a call from now on; the function returns how often it was called.
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

func (f *fakeSink) steer(state outcome.RunState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = state
}

// fakeWorker receives tasks; the test does the rest.
type fakeWorker struct {
	s    *testbed
	name string
	pull *zsock.Pull
}

func (s *testbed) worker(name string, prefetch int) *fakeWorker {
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

// die ends the connection as a killed process would.
func (w *fakeWorker) die() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := w.pull.Close(ctx); err != nil {
		w.s.t.Error(err)
	}
}

// serve commits every task as done until the worker dies or the test ends.
func (w *fakeWorker) serve() {
	for {
		task := w.next(time.Hour)
		if task == nil {
			return
		}
		w.s.sink.commit(task, w.name, true)
	}
}

// beat publishes a heartbeat of the worker that lists these tasks.
func (w *fakeWorker) beat(ids ...string) {
	w.s.sink.publish(wire.TopicWorkerHeartbeat, &wire.Heartbeat{Worker: w.name, Slots: 1, Held: ids})
}
