package ventilator

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Run does the run and returns its counts. They account for every found image unless Run returns an error: the
// context's cause when it ended, ErrNoWorkers, ErrStalled, ErrCancelled, a *UsageError before any work, or a fault.
func (v *Ventilator) Run(ctx context.Context) (wire.Run, error) {
	started := time.Now()
	look, err := v.look(ctx)
	if errors.Is(err, errDrained) {
		return v.drainedEarly(started, look), nil
	}
	if err != nil {
		return wire.Run{}, err
	}
	if v.cfg.DryRun {
		return v.dryRun(ctx, started, look)
	}
	if look.Images == 0 && !look.Others && !v.cfg.Watching {
		if err := v.refuseEmpty(ctx); err != nil {
			return wire.Run{}, err
		}
	}
	if err := v.open(); err != nil {
		return wire.Run{}, errors.Join(err, v.close(ctx))
	}
	v.ready.Ready()
	defer v.ready.NotReady("ended")

	l := v.newLoop(started, look)
	ended, groupErr := v.runStages(ctx, l)
	run := l.finish(ctx, ended)
	closeErr := v.closeAfter(ctx)
	var refusal *UsageError
	switch {
	case errors.As(groupErr, &refusal): // before the first task
		return wire.Run{}, groupErr
	case ended != nil:
		return run, ended
	case ctx.Err() != nil:
		return run, context.Cause(ctx)
	case groupErr != nil:
		return run, groupErr
	case l.runState == outcome.Cancelled:
		return run, ErrCancelled
	case v.withoutSink() && closeErr != nil: // tasks that count as handed out were not sent
		return run, closeErr
	}
	return run, nil
}

// runStages runs the walk, the readers, the calls of the sink and the loop, until the loop ends. It returns the
// loop's error and the first error of the other stages.
func (v *Ventilator) runStages(ctx context.Context, l *loop) (ended, failed error) {
	group, ctx := errgroup.WithContext(ctx)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	walkCtx, stopWalk := context.WithCancel(ctx)
	defer stopWalk()
	l.stopWalk, l.spawn = stopWalk, group.Go
	group.Go(func() error {
		err := v.findImages(walkCtx, l.found, v.omit)
		if err == nil {
			close(l.found) // not after an error: closing means that all images were found
		}
		return ignoreEnd(walkCtx, err)
	})
	for range v.cfg.Readers {
		group.Go(func() error { return v.readTasks(ctx, l.readOrders, l.readResults) })
	}
	if !v.withoutSink() {
		group.Go(func() error { return v.serveSinkRequests(ctx, l.sinkRequests, l.sinkReplies) })
		group.Go(func() error { return v.receiveEvents(ctx, l.events) })
	}
	group.Go(func() error {
		defer stop(errLoopEnded)
		ended = l.run(ctx)
		return nil
	})
	failed = group.Wait()
	return ended, failed
}

var (
	errDrained   = errors.New("drained before the first task")
	errLoopEnded = errors.New("the run ended")
)

// ignoreEnd drops an error that only says that ctx ended.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// closeTimeout bounds how long the last messages of a run without a sink may take to be sent.
const closeTimeout = 10 * time.Second

// closeAfter closes the sockets at the end of a run. With a sink all tasks are settled, so it drops unsent copies at
// once. Without a sink it waits until all messages are sent,
// for closeTimeout at most, and not at all when ctx has ended.
func (v *Ventilator) closeAfter(ctx context.Context) error {
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if ctx.Err() != nil || !v.withoutSink() {
		cancel()
	}
	return v.close(closing)
}

// untilDrain returns a context that also ends, with errDrained, when Drain is called, and a function to be called
// after its use. Use it only before the loop runs: the loop itself receives from v.drain.
func (v *Ventilator) untilDrain(ctx context.Context) (context.Context, func()) {
	ctx, end := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-v.drain:
			v.ready.NotReady("draining")
			end(errDrained)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		end(nil)
		<-watched
	}
}

// look is the first walk: it counts the images and refuses conflicts among their outputs.
func (v *Ventilator) look(ctx context.Context) (survey, error) {
	ctx, done := v.untilDrain(ctx)
	defer done()
	look, err := v.finder.survey(ctx, v.cfg.Recipe)
	v.naming = look.naming
	return look, err
}

// drainedEarly returns the counts of a run that was drained during the first walk: all images are left for the next
// run.
func (v *Ventilator) drainedEarly(started time.Time, look survey) wire.Run {
	v.log.Info("draining before the first task", "seen, left for the next run", look.Images)
	return wire.Run{
		ID: v.cfg.Run, State: "interrupted", Started: started, Ended: time.Now(), Total: look.Images,
		Inputs: v.cfg.Inputs, Recipe: v.cfg.Recipe.String(), Host: v.cfg.Host,
	}
}
