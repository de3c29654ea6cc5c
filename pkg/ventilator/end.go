package ventilator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file decides when a run ends, and reports the end to the sink.

// tickPeriod is how often the counts are shown and checkProgress is called.
const tickPeriod = 200 * time.Millisecond

// tick shows the counts, sends stragglers to a second worker, and returns an error when the run must end.
func (l *loop) tick(now time.Time) error {
	l.updateWorking(now)
	run := l.counts(now)
	l.v.metrics.observe(&run, l.d.BytesInFlight(), l.blockedOn())
	l.v.cfg.Watch(run)
	l.d.Speculate(now)
	l.freePlaces()
	l.releaseHeld()
	if l.v.sub != nil {
		l.d.SetEventsConnected(len(l.v.sub.Peers()) > 0)
	}
	return l.checkProgress(now)
}

// checkProgress returns an error when the run has waited too long for a worker or for a receipt.
func (l *loop) checkProgress(now time.Time) error {
	if l.d.Peers() > 0 {
		l.lastPeer = now
	}
	if wait := l.v.cfg.WaitWorkers; wait > 0 && now.Sub(l.lastPeer) > wait {
		switch {
		case l.d.Unsettled() > 0:
			return fmt.Errorf("%w within %v", ErrNoWorkers, wait)
		case !l.v.withoutSink() && !l.d.EventsConnected(): // the sink is missing, too: say so
			return fmt.Errorf("%w within %v; the sink does not answer either (%s)", ErrNoWorkers, wait, l.v.cfg.Control)
		}
	}
	if l.v.cfg.Watching && l.d.Unsettled() == 0 {
		l.lastSettled = now
	}
	if limit := l.v.cfg.StallTimeout; limit > 0 && now.Sub(l.lastSettled) > limit && l.runState != outcome.Paused {
		why := "; "
		if waits := l.waitingFor(); waits != "" {
			why = ", " + waits + "; "
		}
		return fmt.Errorf("%w: nothing was settled for %v%s%s", ErrStalled, limit, why, l.describeUnsettled(10))
	}
	return nil
}

// setRunState applies the state that an operator requests for the run.
func (l *loop) setRunState(state outcome.RunState) {
	if state == "" || state == l.runState || l.runState == outcome.Cancelled {
		return
	}
	l.v.peerLog.Info("an operator changed the state of the run", "state", state)
	l.runState = state
	l.sink.callSoon = true     // so that whoever asks the sink sees the new state
	l.lastSettled = time.Now() // a pause is not a stall
	if state == outcome.Cancelled {
		l.startDrain()
	}
}

// startDrain leaves everything that no worker holds for the next run.
func (l *loop) startDrain() {
	if l.draining {
		return
	}
	l.draining = true
	l.v.ready.NotReady("draining")
	l.stopWalk()
	left := l.d.Drain(time.Now())
	l.backlog = nil
	l.v.log.Info("draining", "held by workers", l.d.Unsettled(), "left for the next run", left)
}

// finalCallTimeout and cutCallTimeout bound how long the end of a run waits for a sink that does not answer.
const (
	finalCallTimeout = 3 * time.Second
	cutCallTimeout   = 300 * time.Millisecond // when ctx has ended, or the sink was never there
)

// finish tells the sink that the run ended with err, and returns the final counts.
func (l *loop) finish(ctx context.Context, err error) wire.Run {
	l.ended = err == nil
	run := l.counts(time.Now())
	run.Waiting = ""
	switch {
	case l.draining && l.v.cfg.Watching && err == nil && l.runState != outcome.Cancelled: // it ends no other way
	case l.draining:
		run.State = outcome.Interrupted
	case errors.Is(err, ErrStalled) || errors.Is(err, ErrNoWorkers):
		run.State = outcome.Stalled
	case err != nil:
		run.State = outcome.Interrupted
	}
	run.Ended = time.Now()
	if run.Unsettled() != 0 {
		run.Missing = l.missing()
		run.Trim()
	}
	l.v.metrics.observe(&run, l.d.BytesInFlight(), "")
	l.v.cfg.Watch(run)
	if !l.v.withoutSink() {
		l.tellEnd(ctx, &run, err)
	}
	return run
}

func (l *loop) tellEnd(ctx context.Context, run *wire.Run, err error) {
	wait := finalCallTimeout
	if ctx.Err() != nil || errors.Is(err, ErrNoWorkers) && !l.d.EventsConnected() {
		wait = cutCallTimeout
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait)
	defer cancel()
	if _, err := l.v.loopClient.TellRun(ctx, run); err != nil {
		l.v.log.Warn("cannot tell the sink that the run ended; its list of runs will lack the final counts", "error", err)
	}
}
