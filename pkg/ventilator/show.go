package ventilator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// tick shows the counts, looks whether the run goes on, and sends stragglers again.
func (l *loop) tick(now time.Time) error {
	l.watch(now)
	run := l.snapshot(now)
	l.v.metrics.observe(&run, l.d.BytesInFlight(), l.waitingFor())
	l.v.cfg.Watch(run)
	l.d.Speculate(now)
	if l.v.sub != nil {
		l.d.SetEventsConnected(len(l.v.sub.Peers()) > 0)
	}
	if run.Peers > 0 {
		l.lastPeer = now
	}
	if wait := l.v.cfg.WaitWorkers; wait > 0 && run.Peers == 0 && now.Sub(l.lastPeer) > wait && l.d.Unsettled() > 0 {
		return fmt.Errorf("%w within %v", ErrNoWorkers, wait)
	}
	if limit := l.v.cfg.StallTimeout; limit > 0 && now.Sub(l.lastChange) > limit && l.steered != "paused" {
		return fmt.Errorf("%w: nothing was settled for %v; %s", ErrStalled, limit, l.stuck(10))
	}
	return nil
}

// stuck names up to n of the unsettled tasks.
func (l *loop) stuck(n int) string {
	s := fmt.Sprintf("%d unsettled", l.d.Unsettled())
	for t := range l.d.All() {
		if n--; n < 0 {
			return s + ", …"
		}
		s += fmt.Sprintf(", %q (%s)", t.Name, t.State())
	}
	return s
}

func (l *loop) snapshot(now time.Time) wire.Run {
	run := l.d.Counts()
	run.ID, run.Started, run.Total = l.about.ID, l.about.Started, l.about.Total
	run.Inputs, run.Recipe, run.Host = l.about.Inputs, l.about.Recipe, l.about.Host
	run.Pending += int64(len(l.backlog))
	switch {
	case l.ended:
		run.State, run.Ended = "finished", now
	case l.draining:
		run.State = "draining"
	case l.steered == "paused":
		run.State = "paused"
	default:
		run.State = "running"
	}
	run.Total = max(run.Total, run.Found)
	run.WorkUS = l.work.sum.Microseconds()
	run.Waiting = l.waiting()
	return run
}

// waiting says what keeps the run from going on, in words; empty when nothing does.
func (l *loop) waiting() string {
	switch {
	case l.steered == "paused":
		return "paused by an operator"
	case l.sinkStuck != "":
		return "waiting for the sink: " + l.sinkStuck
	case l.sinkGone != "":
		return "waiting for the sink at " + l.v.cfg.Control + ": " + l.sinkGone
	case l.d.Peers() == 0 && l.d.Unsettled() > 0:
		return "waiting for workers on " + l.v.cfg.Bind
	}
	return ""
}

// waitingFor names what holds the flow back, as a metric's label.
func (l *loop) waitingFor() string {
	switch {
	case l.steered == "paused":
		return ""
	case l.d.Ready() > 0:
		return "workers"
	case l.d.Due() == 0:
		return ""
	case l.next == nil:
		return "bytes"
	}
	return "read"
}

// askAbout makes those tasks part of the next question, which is put as soon as may be.
func (l *loop) askAbout(ids []taskid.ID) {
	if len(ids) > 0 {
		l.urgentIDs, l.urgent = append(l.urgentIDs, ids...), true
	}
}

// ask puts the next question to the sink, when there is one and none is under way.
func (l *loop) ask(now time.Time) {
	due := l.urgent || len(l.settle) > 0 || now.Sub(l.lastAudit) >= l.v.cfg.Audit
	if l.v.talks == nil || l.asking || !due {
		return
	}
	age := l.v.cfg.Audit
	if l.urgent {
		age = 0
	}
	q := question{settle: l.settle, run: l.snapshot(now), ids: append(l.urgentIDs, l.d.UnsettledSince(age, now, wire.MaxBatch)...)}
	l.settle, l.urgent, l.urgentIDs, l.lastAudit, l.asking = nil, false, nil, now, true
	l.questions <- q // has room: one question at a time
}

func (l *loop) answered(a answer) {
	l.asking = false
	l.sinkGone = ""
	if a.err != nil {
		l.sinkGone = "no answer"
		if refused(a.err) {
			l.sinkGone = a.err.Error()
		} else {
			l.settle = append(a.unsaid, l.settle...)
		}
		l.v.log.Warn("the sink did not answer", "error", a.err)
	}
	for i := range a.receipts {
		l.settled(&a.receipts[i])
	}
	now := time.Now()
	l.weigh(a, now)
	if a.state.State != "" {
		l.expected = a.state.Workers
	}
	l.sinkStuck = a.state.Trouble
	if l.sinkGone != "" || l.sinkStuck != "" {
		l.lastStuck = now
	}
	l.steer(a.state.State)
}

// weigh takes what the sink knows of tasks that are not settled: deliveries that failed, and answers that died with the
// sink that had them.
func (l *loop) weigh(a answer, now time.Time) {
	for i := range a.failed {
		if id, err := taskid.Parse(a.failed[i].ID); err == nil {
			l.d.RecordMissedFailure(id, &a.failed[i], now)
		}
	}
	if is := a.state.Instance; is != "" {
		if l.sinkIs != "" && l.sinkIs != is {
			l.askAbout(l.d.SinkRestarted(l.sinkIs, is))
		}
		l.sinkIs = is
	}
	if a.instance == "" {
		return
	}
	for _, id := range a.asked { // what is settled is no task of ours any more
		if t := l.d.RequeueLostResult(id, a.instance, now); t != nil {
			l.v.log.Warn("an answer died with the sink before it was committed", "file", t.Path, "delivery", t.Deliveries())
		}
	}
}

// result tells the sink that the run ended, and returns the final counts. When ctx has ended it hardly waits for the sink.
func (l *loop) result(ctx context.Context, err error) wire.Run {
	l.ended = err == nil
	run := l.snapshot(time.Now())
	run.Waiting = ""
	switch {
	case l.draining:
		run.State = "interrupted"
	case errors.Is(err, ErrStalled) || errors.Is(err, ErrNoWorkers):
		run.State = "stalled"
	case err != nil:
		run.State = "interrupted"
	}
	run.Ended = time.Now()
	if run.Unsettled() != 0 {
		run.Missing = l.missing()
	}
	l.v.metrics.observe(&run, l.d.BytesInFlight(), "")
	l.v.cfg.Watch(run)
	if l.v.talks != nil {
		wait := farewell
		if ctx.Err() != nil {
			wait = cutFarewell
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait)
		defer cancel()
		if _, err := l.v.talks.TellRun(ctx, &run); err != nil {
			l.v.log.Warn("the sink could not be told that the run ended", "error", err)
		}
	}
	return run
}

// missing names the images that are not accounted for, as many as a report has room for.
func (l *loop) missing() []string {
	var names []string
	for t := range l.d.All() {
		if len(names) == wire.MaxMissing {
			break
		}
		names = append(names, t.Name)
	}
	slices.Sort(names)
	return names
}

// farewell and cutFarewell bound how long a run's end waits for a sink that is not there.
const (
	farewell    = 3 * time.Second
	cutFarewell = 300 * time.Millisecond
)

// Unreadable returns how many files and directories could not be looked at.
func (v *Ventilator) Unreadable() int64 { return v.unreadable.Load() }
