package sink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// Sink is one sink. Make it with New and use it once.
type Sink struct {
	*core
	writers   *writers
	committer *committer
	control   *control
	sockets   sockets

	draining chan struct{} // closed by Drain
	ready    telemetry.Readiness
}

// New returns a sink that has not started.
func New(cfg Config) (*Sink, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	instance := fmt.Sprintf("%08x", rand.Uint32())
	c := &core{
		cfg: cfg, log: cfg.Logger, peerLog: telemetry.Limited(cfg.Logger), publisher: publisher{log: cfg.Logger},
		instance: instance, state: newState(&cfg, time.Now(), instance), disk: newDisk(), runs: newLiveRuns(),
		sealing: make(chan struct{}, 1),
	}
	c.metrics = newMetrics(cfg.Registerer, c.Status)
	w := &writers{core: c, commits: make(chan work, 1024), uncommitted: semaphore.NewWeighted(maxUncommitted)}
	s := &Sink{
		core: c, writers: w,
		committer: &committer{core: c, writers: w},
		control:   &control{core: c, settler: settler{core: c, commits: w.commits}, owners: new(runOwners)},
		draining:  make(chan struct{}),
	}
	return s, nil
}

// Drain asks the sink to receive nothing new, commit what it holds, and end. Call it at most once.
func (s *Sink) Drain() { close(s.draining) }

// Ready returns nil when the sink takes results, and otherwise an error that says why not.
func (s *Sink) Ready() error {
	if err := s.ready.Err(); err != nil {
		return err
	}
	if why, _ := s.trouble(); why != "" {
		return errors.New(why)
	}
	return nil
}

// Run collects results. It returns nil when a drain is complete, the context's cause when ctx ends (a cut), and an
// error when the ledger or the store fails for good. The ventilators redeliver what is not committed then.
func (s *Sink) Run(ctx context.Context) error {
	if err := s.open(); err != nil {
		return errors.Join(err, s.sockets.close(ctx))
	}
	if runs, err := s.control.allRuns(); err == nil { // those who read or add entries report a damaged ledger
		s.runs.restoreLast(runs)
	}
	s.ready.Ready()
	s.publish(wire.TopicSinkStarted, &wire.SinkEvent{Instance: s.instance})

	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	s.runStages(ctx, cut)
	s.ready.NotReady("stopped")
	s.publish(wire.TopicSinkStopping, &wire.SinkEvent{Instance: s.instance})
	closing, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	closeErr := s.sockets.close(closing)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case closeErr != nil:
		s.log.Debug("some events were not sent", "error", closeErr)
	}
	return nil
}

// open opens and binds the sockets.
func (s *Sink) open() (err error) {
	s.sockets, err = openSockets(&s.cfg, s.workerConnection)
	if err != nil {
		return err
	}
	s.pub = s.sockets.pub
	results, events, control, err := s.sockets.listen(&s.cfg)
	if err != nil {
		return err
	}
	s.sockets.listenLocally(&s.cfg)
	s.log.Info("collecting", "results", results, "events", events, "control", control, "out", s.cfg.OutPath, "ledger",
		s.cfg.LedgerPath,
		"strangers", !s.cfg.RefuseStrangers)
	if s.cfg.Listen != nil {
		s.cfg.Listen(results, events, control)
	}
	return nil
}

// runStages runs the stages until all have ended. A cut, by the caller or because nothing can be committed any more,
// ends ctx and with it every stage. In a drain each stage ends when the stage before it has closed its channel, and
// helpers end when the writers have.
func (s *Sink) runStages(ctx context.Context, cut context.CancelCauseFunc) {
	open, stopIntake := context.WithCancel(ctx)
	defer stopIntake()
	helping, stopHelpers := context.WithCancel(ctx)
	defer stopHelpers()
	arrived := make(chan *wire.Result, s.cfg.Writers)
	in := &intake{core: s.core, pull: s.sockets.pull, arrived: arrived, admission: newAdmission(s.core)}
	var writers, helpers, committer sync.WaitGroup
	writers.Go(func() { in.run(ctx, open) })
	for range s.cfg.Writers {
		writers.Go(func() { s.writers.run(ctx, arrived) })
	}
	committer.Go(func() {
		if err := s.committer.run(ctx, s.writers.commits); err != nil {
			cut(fmt.Errorf("nothing can be committed: %w", err))
		}
	})
	local := *s.control
	local.local = true
	serve := func(rep *zsock.Rep, c *control) {
		if err := rep.Serve(helping, c.answer); helping.Err() == nil {
			cut(fmt.Errorf("control calls cannot be answered: %w", err))
		}
	}
	helpers.Go(func() { serve(s.sockets.rep, s.control) })
	helpers.Go(func() { serve(s.sockets.local, &local) })
	helpers.Go(func() { s.monitor(helping) })
	helpers.Go(func() {
		select {
		case <-s.draining:
			s.ready.NotReady("draining")
			s.log.Info("draining")
			stopIntake()
		case <-helping.Done():
		}
	})
	writers.Wait()
	stopHelpers() // control calls commit too, so they end before their channel is closed
	helpers.Wait()
	close(s.writers.commits)
	committer.Wait()
}
