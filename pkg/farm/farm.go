// Package farm runs the three roles in one process. They exchange the same messages as on several machines, over
// inproc://.
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

// Config configures the three roles. New sets their Network, and the endpoints that are empty.
type Config struct {
	Network    zsock.Network // for all three roles; New adds the in-process hub
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

// Drain asks the run to end when the images at work are settled. What the worker has not begun is left for the next
// run. Call it at most once.
func (f *Farm) Drain() {
	f.ventilator.Drain()
	f.worker.Return()
}

// Sink returns the farm's sink, for the page and the report.
func (f *Farm) Sink() *sink.Sink { return f.sink }

// LeftOut returns what the run has left out so far.
func (f *Farm) LeftOut() ventilator.LeftOut { return f.ventilator.LeftOut() }

// Run does the run, as ventilator.Run says, and returns when all three roles have ended.
//
// When ctx ends, Run cuts the ventilator first, so that it can still tell the sink how the run ended, and then
// worker and sink. It also cuts worker and sink when a role fails and when the run stalled: they could wait for ever
// to settle what they hold. A role that has not ended CutTimeout after its cut, because a disk does not answer, is
// left running; the error then wraps a *StuckError.
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
	case <-f.sinkUp: // so that the ventilator's first connection attempt succeeds
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

// listening waits until the ventilator listens, so that the worker's first connection attempt succeeds. It returns
// false if the run ended before.
func (f *Farm) listening(ctx context.Context) bool {
	select {
	case <-f.tasksUp:
		return true
	case <-f.over: // the run ended before it began
	case <-ctx.Done():
	}
	return false
}
