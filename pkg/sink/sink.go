package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// Sink is one sink. Make it with New, use it once.
type Sink struct {
	cfg     Config
	log     *slog.Logger
	metrics *metrics
	state   *state

	instance string // differs from start to start
	failures failures

	pull *zsock.Pull
	pub  *zsock.Pub
	rep  *zsock.Rep

	commits     chan work           // results whose bytes are written, to be committed
	uncommitted *semaphore.Weighted // room for the bytes of their outputs
	losses      atomic.Int64        // how often the store lost what had been written since its last sync
	draining    chan struct{}       // closed by Drain
	ready       telemetry.Readiness
	watchers    watchers
}

// New returns a sink that has not begun.
func New(cfg Config) (*Sink, error) {
	cfg.setDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	instance := fmt.Sprintf("%08x", rand.Uint32())
	s := &Sink{
		cfg: cfg, log: cfg.Logger, instance: instance,
		state:   newState(&cfg, time.Now(), instance),
		commits: make(chan work, 1024), uncommitted: semaphore.NewWeighted(maxUncommitted),
		draining: make(chan struct{}),
	}
	s.metrics = newMetrics(cfg.Registerer, s)
	return s, nil
}

// Drain asks the sink to commit what it holds, to take nothing new, and to end. Call it at most once.
func (s *Sink) Drain() { close(s.draining) }

// Ready returns nil when the sink takes results, and otherwise why not.
func (s *Sink) Ready() error {
	if err := s.ready.Err(); err != nil {
		return err
	}
	if why := s.state.trouble(time.Now()); why != "" {
		return errors.New(why)
	}
	return nil
}

// Status returns the sink's view of the farm.
func (s *Sink) Status() *wire.Status {
	status := s.state.snapshot(time.Now())
	if totals, err := s.cfg.Ledger.Totals(); err == nil { // that it is damaged is told by who reads or adds entries
		status.Settled = uint64(totals.Settled())
	}
	return status
}

// Run collects until Drain is called and done with (nil), or ctx ends, which cuts (the context's cause), or the ledger or
// the store fails for good: what is not committed then is delivered again.
func (s *Sink) Run(ctx context.Context) error {
	if err := s.open(); err != nil {
		return errors.Join(err, s.close(ctx))
	}
	if runs, err := s.Runs(ctx); err == nil { // that the ledger is damaged is told by who reads or adds entries
		s.state.remember(runs)
	}
	s.ready.Ready()
	s.publish(wire.TopicSinkStarted, &wire.SinkEvent{Instance: s.instance})

	// What is cut, by the caller or because nothing can be committed any more, ends with ctx. Otherwise each stage ends when
	// the one before it has closed its channel, and helpers end with aside.
	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	intake, stopIntake := context.WithCancel(ctx)
	defer stopIntake()
	aside, stopAside := context.WithCancel(ctx)
	defer stopAside()
	arrived := make(chan *wire.Result, s.cfg.Writers)
	var writers, helpers, committer sync.WaitGroup
	writers.Go(func() {
		defer close(arrived)
		s.receive(ctx, intake, arrived)
	})
	for range s.cfg.Writers {
		writers.Go(func() { s.write(ctx, arrived) })
	}
	committer.Go(func() {
		if err := s.commit(ctx, s.commits); err != nil {
			cut(fmt.Errorf("nothing can be committed: %w", err))
		}
	})
	helpers.Go(func() {
		if err := s.rep.Serve(aside, s.answer); aside.Err() == nil {
			cut(fmt.Errorf("nothing can be asked: %w", err))
		}
	})
	helpers.Go(func() { s.tick(aside) })
	helpers.Go(func() {
		select {
		case <-s.draining:
			s.ready.NotReady("draining")
			s.log.Info("draining")
			stopIntake()
		case <-aside.Done():
		}
	})
	writers.Wait()
	stopAside() // control calls submit commits, too: they end before the channel does
	helpers.Wait()
	close(s.commits)
	committer.Wait()
	s.ready.NotReady("stopped")
	s.publish(wire.TopicSinkStopping, &wire.SinkEvent{Instance: s.instance})
	closing, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	closeErr := s.close(closing)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case closeErr != nil:
		s.log.Debug("some events were left unsent", "error", closeErr)
	}
	return nil
}

// closeTimeout bounds how long subscribers may take for the last events.
const closeTimeout = 2 * time.Second

func (s *Sink) open() error {
	var err error
	s.pull, err = zsock.NewPull(zsock.Config{
		MaxMessage: s.cfg.MaxMessage + wire.MaxText + wire.MaxOutputs*wire.MaxName, RecvHWM: receiveAhead, RecvBytes: s.cfg.MaxMessage,
		Network: s.cfg.Network, OnPeer: s.workerPeer,
	})
	if err != nil {
		return err
	}
	s.pub, err = zsock.NewPub(zsock.Config{
		SendHWM: 10_000, SendBytes: 32 << 20, Network: s.cfg.Network,
		PrefixBatchDelay: onlookersWait,
		Missed:           func(n uint64) zsock.Message { return wire.EncodeEvent(wire.TopicMissed, &wire.Missed{Count: n}) },
	})
	if err != nil {
		return err
	}
	s.rep, err = zsock.NewRep(zsock.Config{MaxMessage: 16 << 20, Network: s.cfg.Network})
	if err != nil {
		return err
	}
	// Control first: who connects to the others may ask at once.
	control, err := s.rep.Listen(s.cfg.Control)
	if err != nil {
		return err
	}
	events, err := s.pub.Listen(s.cfg.Events)
	if err != nil {
		return err
	}
	results, err := s.pull.Listen(s.cfg.Results)
	if err != nil {
		return err
	}
	s.listenLocally()
	s.log.Info("collecting", "results", results, "events", events, "control", control, "out", s.cfg.OutPath, "ledger", s.cfg.LedgerPath)
	if s.cfg.Listen != nil {
		s.cfg.Listen(results, events, control)
	}
	return nil
}

// listenLocally listens on the further endpoints for operators.
func (s *Sink) listenLocally() {
	for _, local := range []struct {
		endpoint string
		listen   func(string) (string, error)
	}{{s.cfg.LocalControl, s.rep.Listen}, {s.cfg.LocalEvents, s.pub.Listen}} {
		if local.endpoint == "" {
			continue
		}
		if _, err := local.listen(local.endpoint); err != nil {
			s.log.Info("operators' commands on this machine need --sink: cannot listen",
				"endpoint", local.endpoint, "error", err)
		}
	}
}

func (s *Sink) close(ctx context.Context) error {
	var errs []error
	if s.pull != nil {
		errs = append(errs, s.pull.Close(ctx))
	}
	if s.rep != nil {
		errs = append(errs, s.rep.Close(ctx))
	}
	if s.pub != nil {
		errs = append(errs, s.pub.Close(ctx))
	}
	return errors.Join(errs...)
}

// workerPeer notes workers' connections: that one is lost is known when its connection closes, not only when its
// heartbeats are missed.
func (s *Sink) workerPeer(ev zsock.PeerEvent) {
	w, ok := wire.ParseWorkerIdentity(ev.Peer.Identity)
	if !ok {
		if ev.Kind == zsock.PeerRefused {
			s.log.Warn("a connection was refused", "from", ev.Peer.Remote, "why", ev.Err)
		}
		return
	}
	switch ev.Kind {
	case zsock.PeerUp:
		s.workerConnected(w)
	case zsock.PeerDown:
		s.workerGone(w.Name, fmt.Sprint(ev.Err))
	}
}

func (s *Sink) workerConnected(w wire.WorkerIdentity) {
	s.state.mu.Lock()
	m, seen := s.state.roster.heard(w.Name, time.Now())
	if m != nil {
		m.Slots = w.Slots
		m.conns++
	}
	s.state.mu.Unlock()
	if seen {
		s.log.Info("worker seen", "worker", w.Name)
		s.publish(wire.TopicWorkerSeen, &wire.WorkerEvent{Worker: w.Name})
	}
}

func (s *Sink) workerGone(name, why string) {
	s.state.mu.Lock()
	m := s.state.roster.workers[name]
	lost := false
	if m != nil {
		if m.conns--; m.conns <= 0 {
			m.conns = 0
			lost = s.state.roster.gone(name)
		}
	}
	s.state.mu.Unlock()
	if lost {
		s.log.Info("worker lost", "worker", name, "why", why)
		s.publish(wire.TopicWorkerLost, &wire.WorkerEvent{Worker: name, Why: why})
	}
}

// tick does what time asks for: throughput each second, trouble that came or went, workers and runs that fell silent.
func (s *Sink) tick(ctx context.Context) {
	trouble := ""
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := time.Now()
		t := s.state.throughput(now)
		s.publish(wire.TopicThroughput, &t)
		switch now := s.state.trouble(now); {
		case now == trouble:
		case now == "":
			s.log.Info("can write again")
			trouble = now
		default:
			s.log.Error("cannot write; trying again", "why", now)
			trouble = now
		}
		for _, name := range s.state.lose(s.cfg.WorkerTimeout, now) {
			s.log.Info("worker lost", "worker", name, "why", "no sign of life")
			s.publish(wire.TopicWorkerLost, &wire.WorkerEvent{Worker: name, Why: "no sign of life"})
		}
		for _, run := range s.state.interrupted(now) {
			s.countSettled(&run)
			s.log.Warn("run interrupted: its ventilator fell silent", "run", run.ID, "unsettled", run.Unsettled())
			s.keepRun(run)
			s.publish(wire.TopicRunFinished, &run)
		}
	}
}

// onlookersWait is how long events are kept for those who look on: people see no difference, and the farm is not slowed by
// being watched.
const onlookersWait = 50 * time.Millisecond

// publish tells everybody who listens: subscribers over the network, and watchers in this process. It never blocks.
func (s *Sink) publish(topic string, payload any) {
	if err := s.pub.Publish(wire.EncodeEvent(topic, payload)); err != nil {
		s.log.Debug("an event was not published", "topic", topic, "error", err)
	}
	s.watchers.tell(topic, payload)
}
