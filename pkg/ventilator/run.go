package ventilator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
	"golang.org/x/sync/errgroup"
)

// Ventilator is one run. Make it with New, use it once.
type Ventilator struct {
	cfg    Config
	log    *slog.Logger
	finder *finder
	drain  chan struct{}

	push       *zsock.Push
	sub        *zsock.Sub
	asks       *sinkclient.Client // the feeder's
	talks      *sinkclient.Client // the loop's
	metrics    *metrics
	messages   messages
	sources    sources
	unreadable atomic.Int64
	notReady   atomic.Pointer[string]
	peerEvents mailbox[zsock.PeerEvent]
	handed     mailbox[handover]
	sinkUp     mailbox[struct{}] // connections to the sink's events
}

// New returns a run that has not begun. It looks at the inputs, but starts nothing.
func New(cfg Config) (*Ventilator, error) {
	cfg.setDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Run == "" {
		cfg.Run = fmt.Sprintf("%s-%04x", time.Now().UTC().Format("20060102-150405"), rand.Uint32N(1<<16))
	}
	finder, err := newFinder(&cfg)
	if err != nil {
		return nil, err
	}
	v := &Ventilator{
		cfg: cfg, log: cfg.Logger, finder: finder, drain: make(chan struct{}),
		metrics:    newMetrics(cfg.Registerer),
		peerEvents: newMailbox[zsock.PeerEvent](),
		handed:     newMailbox[handover](),
		sinkUp:     newMailbox[struct{}](),
	}
	v.setReady("not started")
	return v, nil
}

func (v *Ventilator) setReady(why string) {
	if why == "" {
		v.notReady.Store(nil)
		return
	}
	v.notReady.Store(&why)
}

// Drain asks the run to hand out nothing new and to end when what workers hold is settled. Call it at most once.
func (v *Ventilator) Drain() { close(v.drain) }

// handover says that a connection took a message, or was lost before it did.
type handover struct {
	task    *dispatch.Task
	message []byte
	size    int64
	err     error
}

// Run does the run and returns its counts, which balance unless the error says why not: the context's cause when it was
// cut, ErrNoWorkers, ErrStalled, ErrCancelled, a *UsageError before any work, or a fault.
func (v *Ventilator) Run(ctx context.Context) (wire.Run, error) {
	started := time.Now()
	look, err := v.look(ctx, v.cfg.Recipe.OutputNames)
	if errors.Is(err, errDrained) {
		return v.leftAlone(started, look), nil
	}
	if err != nil {
		return wire.Run{}, err
	}
	if v.cfg.DryRun {
		return v.dryRun(ctx, started, look)
	}
	if err := v.open(); err != nil {
		return wire.Run{}, errors.Join(err, v.close(ctx))
	}
	if err := v.checkOwners(ctx); errors.Is(err, errDrained) {
		return v.leftAlone(started, look), v.close(ctx)
	} else if err != nil {
		return wire.Run{}, errors.Join(err, v.close(ctx))
	}
	v.setReady("")
	defer v.setReady("ended")
	group, gctx := errgroup.WithContext(ctx)
	gctx, stop := context.WithCancelCause(gctx)
	defer stop(nil)

	l := v.newLoop(started, look)
	feedCtx, stopFeed := context.WithCancel(gctx)
	defer stopFeed()
	l.stopFeed = stopFeed
	group.Go(func() error {
		err := v.feed(feedCtx, l.feed)
		if err == nil {
			close(l.feed) // or a run that failed would look as if it had found all
		}
		return ignoreEnd(feedCtx, err)
	})
	for range v.cfg.Readers {
		group.Go(func() error { return v.readAll(gctx, l.reads, l.readDone) })
	}
	if v.talks != nil {
		group.Go(func() error { return v.talk(gctx, l.questions, l.answers) })
		group.Go(func() error { return v.listen(gctx, l.events) })
	}
	var ended error
	group.Go(func() error {
		defer stop(errLoopEnded)
		ended = l.run(gctx)
		return nil
	})
	groupErr := group.Wait()
	run := l.result(ctx, ended)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if ctx.Err() != nil || v.talks != nil {
		cancel() // cut, or all is settled and nobody waits for what a worker has not taken: leave at once
	}
	closeErr := v.close(closing)
	switch {
	case ended != nil:
		return run, ended
	case ctx.Err() != nil:
		return run, context.Cause(ctx)
	case groupErr != nil:
		return run, groupErr
	case l.steered == "cancelled":
		return run, ErrCancelled
	case v.talks == nil && closeErr != nil: // tasks that were counted as handed out and never left
		return run, closeErr
	}
	return run, nil
}

var errDrained = errors.New("drained before the first task")

// untilDrain returns a context that also ends, with errDrained, when Drain is called, and what must be called after its
// use. The loop hears of a drain by itself; this is for what comes before it.
func (v *Ventilator) untilDrain(ctx context.Context) (context.Context, func()) {
	ctx, end := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-v.drain:
			v.setReady("draining")
			end(errDrained)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		end(nil)
		<-watched
	}
}

// look is the first walk.
func (v *Ventilator) look(ctx context.Context, outputs func(name string) []string) (survey, error) {
	ctx, done := v.untilDrain(ctx)
	defer done()
	return v.finder.survey(ctx, outputs)
}

// leftAlone is a run that was drained before it handed out anything: what was seen is left for the next.
func (v *Ventilator) leftAlone(started time.Time, look survey) wire.Run {
	v.log.Info("draining before the first task", "seen, left for the next run", look.Images)
	return wire.Run{
		ID: v.cfg.Run, State: "interrupted", Started: started, Ended: time.Now(), Total: look.Images,
		Inputs: v.cfg.Inputs, Recipe: v.cfg.Recipe.String(), Host: v.cfg.Host,
	}
}

// closeTimeout bounds how long the last messages may take to leave.
const closeTimeout = 10 * time.Second

var errLoopEnded = errors.New("the run ended")

// ignoreEnd drops an error that only says that ctx ended.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (v *Ventilator) open() error {
	var err error
	v.push, err = zsock.NewPush(zsock.Config{
		Network: v.cfg.Network, OnPeer: v.peerEvents.put,
		SendHWM: 2 * wire.MaxHeld, SendBytes: 1 << 40, // the dispatcher bounds both
	})
	if err != nil {
		return err
	}
	bound, err := v.push.Listen(v.cfg.Bind)
	if err != nil {
		return err
	}
	v.log.Info("handing out tasks", "run", v.cfg.Run, "endpoint", bound)
	if v.cfg.Listen != nil {
		v.cfg.Listen(bound)
	}
	if v.cfg.Control == NoSink {
		return nil
	}
	if v.asks, err = sinkclient.Dial(v.cfg.Network, v.cfg.Control); err != nil {
		return err
	}
	if v.talks, err = sinkclient.Dial(v.cfg.Network, v.cfg.Control); err != nil {
		return err
	}
	v.sub, err = zsock.NewSub(zsock.Config{Network: v.cfg.Network, RecvHWM: 10_000, MaxMessage: wire.MaxEvent, OnPeer: v.sinkPeer})
	if err != nil {
		return err
	}
	for _, topic := range topics() {
		if err := v.sub.Subscribe(topic); err != nil {
			return err
		}
	}
	return v.sub.Dial(v.cfg.Events)
}

// sinkPeer makes a new connection to the sink a reason to ask: events were missed while there was none.
func (v *Ventilator) sinkPeer(ev zsock.PeerEvent) {
	if ev.Kind == zsock.PeerUp {
		v.sinkUp.put(struct{}{})
	}
}

func (v *Ventilator) close(ctx context.Context) error {
	var errs []error
	if v.push != nil {
		errs = append(errs, v.push.Close(ctx))
	}
	if v.sub != nil {
		errs = append(errs, v.sub.Close(ctx))
	}
	for _, c := range []*sinkclient.Client{v.asks, v.talks} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// jitter spreads a backoff; see dispatch.Config.
func jitter(limit time.Duration) time.Duration { return time.Duration(rand.Int64N(int64(limit) + 1)) }

// Ready returns nil when the run hands out tasks, and otherwise why not.
func (v *Ventilator) Ready() error {
	if why := v.notReady.Load(); why != nil {
		return errors.New(*why)
	}
	return nil
}
