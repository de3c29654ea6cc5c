// Package farm composes the three roles in one process, over inproc://: the same code and the same messages as between
// machines.
package farm

import (
	"context"
	"errors"
	"fmt"

	"github.com/imagefarm/imagefarm/pkg/sink"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/worker"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// The endpoints of a farm in one process.
const (
	tasksEndpoint   = "inproc://tasks"
	resultsEndpoint = "inproc://results"
	eventsEndpoint  = "inproc://events"
	controlEndpoint = "inproc://control"
)

// Config is the roles' configurations. New gives them their Network, and endpoints where they have none.
type Config struct {
	Network    zsock.Network // of all three roles; New adds the hub where they meet
	Ventilator ventilator.Config
	Worker     worker.Config
	Sink       sink.Config
}

// Farm is one run of all three roles.
type Farm struct {
	ventilator *ventilator.Ventilator
	worker     *worker.Worker
	sink       *sink.Sink
	sinkUp     chan struct{} // closed when the sink listens
	tasksUp    chan struct{} // closed when the ventilator listens
	over       chan struct{} // closed when the ventilator's run has ended
}

// New returns a farm that has not begun.
func New(cfg Config) (*Farm, error) {
	fill := func(endpoint *string, value string) {
		if *endpoint == "" {
			*endpoint = value
		}
	}
	s, v, w := &cfg.Sink, &cfg.Ventilator, &cfg.Worker
	network := cfg.Network
	network.Inproc = zsock.NewInproc()
	s.Network, v.Network, w.Network = network, network, network
	fill(&s.Results, resultsEndpoint)
	fill(&s.Events, eventsEndpoint)
	fill(&s.Control, controlEndpoint)
	fill(&v.Bind, tasksEndpoint)
	fill(&v.Events, s.Events)
	fill(&v.Control, s.Control)
	fill(&w.Results, s.Results)
	if len(w.Ventilators) == 0 {
		w.Ventilators = []string{v.Bind}
	}
	f := &Farm{sinkUp: make(chan struct{}), tasksUp: make(chan struct{}), over: make(chan struct{})}
	v.Listen = func(string) { close(f.tasksUp) }
	s.Listen = func(string, string, string) { close(f.sinkUp) }
	var err error
	if f.ventilator, err = ventilator.New(*v); err != nil {
		return nil, err
	}
	if f.worker, err = worker.New(*w); err != nil {
		return nil, err
	}
	f.sink, err = sink.New(*s)
	return f, err
}

// Drain asks the run to end when the images at work are settled. What the worker has not begun is left for the next run.
// Call it at most once.
func (f *Farm) Drain() {
	f.ventilator.Drain()
	f.worker.Return()
}

// Sink returns the farm's sink, for those who watch.
func (f *Farm) Sink() *sink.Sink { return f.sink }

// LeftOut returns what the run has not taken so far.
func (f *Farm) LeftOut() ventilator.LeftOut { return f.ventilator.LeftOut() }

// Run does the run, as ventilator.Run says, and returns when all three roles have ended.
//
// When ctx ends the ventilator is cut first, so that it can still tell the sink how the run ended; then worker and sink are.
// They are cut, too, when one of the roles fails and when the run stalled: what they hold cannot be settled then, so to wait
// for it would be to wait for ever. A role that has not ended CutTimeout after its cut, because a disk does not answer, is
// left behind; the error then wraps a *StuckError.
func (f *Farm) Run(ctx context.Context) (wire.Run, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	others, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	start := func(role string, run func(context.Context) error) <-chan error {
		ended := make(chan error, 1)
		go func() {
			err := RunRole(others, role, run)
			if err != nil {
				fail(fmt.Errorf("%s: %w", role, err))
			}
			ended <- err
		}()
		return ended
	}
	sinkEnded := start("sink", f.sink.Run)
	workerEnded := start("worker", func(others context.Context) error {
		if !f.listening(ctx) {
			return nil
		}
		return f.worker.Run(others)
	})
	select {
	case <-f.sinkUp: // so that the ventilator's first try to connect succeeds
	case <-ctx.Done():
	}
	run, err := RunVentilator(ctx, f.ventilator)
	close(f.over)
	if err != nil && !errors.Is(err, ventilator.ErrCancelled) {
		cut(err)
	}
	defer context.AfterFunc(ctx, func() { cut(context.Cause(ctx)) })()
	f.worker.Drain()
	workerErr := <-workerEnded
	f.sink.Drain() // nothing more can come
	sinkErr := <-sinkEnded
	if err == nil {
		return run, errors.Join(workerErr, sinkErr)
	}
	return run, errors.Join(err, stuck(workerErr), stuck(sinkErr))
}

// listening waits until the ventilator, which waits for the sink, can be dialled, so that the worker's first try succeeds.
func (f *Farm) listening(ctx context.Context) bool {
	select {
	case <-f.tasksUp:
		return true
	case <-f.over: // before it began
	case <-ctx.Done():
	}
	return false
}
