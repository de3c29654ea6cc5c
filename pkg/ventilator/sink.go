package ventilator

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file makes the run's calls to the sink.
//
// The loop owns all state; it never waits for the sink. It hands one sinkRequest at a time to serveSinkRequests,
// which makes the calls and returns a sinkReply.

// sinkRequest is what the loop sends to the sink in one round of calls.
type sinkRequest struct {
	run    wire.Run       // the counts of the run
	commit []wire.Receipt // receipts to be committed
	ask    []taskid.ID    // tasks that may be settled
}

// sinkReply answers a sinkRequest.
type sinkReply struct {
	state       wire.Steering  // the state that an operator requests; zero: unknown
	receipts    []wire.Receipt // of settled tasks
	failed      []wire.Receipt // of deliveries of this run that failed
	asked       []taskid.ID    // sinkRequest.ask, if the sink answered it: those without a receipt are not settled
	instance    string         // of the sink that answered it; empty: unknown
	uncommitted []wire.Receipt // sinkRequest.commit, if the sink did not answer
	err         error
}

const (
	callTimeout = 10 * time.Second // for one call, so that the loop notices a dead sink
	retryPause  = time.Second      // after a call that failed
)

// serveSinkRequests answers requests one after another until ctx ends.
func (v *Ventilator) serveSinkRequests(
	ctx context.Context, requests <-chan sinkRequest, replies chan<- sinkReply,
) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case q := <-requests:
			a := v.callSink(ctx, q)
			select {
			case replies <- a:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// callSink makes the calls of a request. The counts go first: a sink that can commit nothing still passes on what an
// operator wants.
func (v *Ventilator) callSink(ctx context.Context, q sinkRequest) (a sinkReply) {
	a.state, a.err = callWithTimeout(ctx, func(ctx context.Context) (wire.Steering, error) {
		return v.loopClient.TellRun(ctx, &q.run)
	})
	if a.err != nil {
		a.uncommitted = q.commit
		return a
	}
	if len(q.commit) > 0 {
		a.receipts, a.err = callWithTimeout(ctx, func(ctx context.Context) ([]wire.Receipt, error) {
			return v.loopClient.Settle(ctx, q.commit)
		})
		if a.err != nil {
			a.uncommitted = q.commit
			return a
		}
	}
	if len(q.ask) > 0 {
		var known wire.Receipts
		known, a.err = callWithTimeout(ctx, func(ctx context.Context) (wire.Receipts, error) {
			return v.loopClient.Settled(ctx, q.ask, false)
		})
		if a.err != nil {
			return a
		}
		a.receipts = append(a.receipts, ofRun(q.run.ID, known.Receipts)...)
		a.failed = slices.DeleteFunc(known.Failed, func(r wire.Receipt) bool { return r.Run != q.run.ID })
		a.asked, a.instance = q.ask, known.Instance
	}
	return a
}

// ofRun removes receipts of other runs. A task that is in the ledger is still sent when its outputs are missing or
// with --force; then only its new result may settle it. A receipt without a run is a stranger's.
func ofRun(run string, receipts []wire.Receipt) []wire.Receipt {
	return slices.DeleteFunc(receipts, func(r wire.Receipt) bool { return r.Run != "" && r.Run != run })
}

func callWithTimeout[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return call(ctx)
}

// untilAnswered makes a call again and again until the sink answers or refuses, or ctx ends. It is for the walk,
// which cannot go on without the answer.
func untilAnswered[T any](ctx context.Context, v *Ventilator, call func(context.Context) (T, error)) (T, error) {
	slow := time.AfterFunc(callTimeout, func() { v.log.Warn("waiting for the sink", "control", v.cfg.Control) })
	defer slow.Stop()
	for {
		value, err := call(ctx)
		switch {
		case err == nil:
			return value, nil
		case ctx.Err() != nil:
			return value, context.Cause(ctx)
		case isRefusal(err):
			return value, err
		}
		v.log.Warn("cannot reach the sink; the run waits and calls it again", "control", v.cfg.Control, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(retryPause):
		}
	}
}

// isRefusal reports whether the sink answered and refused, so that the same call would be refused again.
func isRefusal(err error) bool {
	var r *sinkclient.RefusedError
	return errors.As(err, &r)
}

// sinkState is what the loop knows of the sink, and what its next request will hold. The loop owns it.
type sinkState struct {
	calling    bool           // a request is under way
	callSoon   bool           // the next request does not wait for the next audit, and asks about all tasks
	reportSoon bool           // the next request does not wait for the next audit
	commit     []wire.Receipt // for the next request
	ask        []taskid.ID    // for the next request, beside those that are due for an audit
	lastCall   time.Time

	registered  bool      // the sink has the key of the run
	instance    string    // the instance that answered last; empty: unknown
	unreachable string    // why the sink does not answer; empty: it does
	trouble     string    // why the sink cannot work; empty: it can
	lastBlocked time.Time // when unreachable or trouble was last set
	workers     int       // workers that the sink knows; -1: unknown
}

// commitReceipt settles a task by a receipt that the ventilator made. With a sink the task is settled when the sink has
// committed the receipt, without one at once.
func (l *loop) commitReceipt(t *dispatch.Task, r wire.Receipt) {
	im := t.Origin.(*image)
	r.URL, r.Columns = l.v.urlOf(im), wire.TrimColumns(im.entry.Columns)
	if l.v.withoutSink() {
		l.settle(&r)
		return
	}
	l.sink.commit = append(l.sink.commit, r)
}

// askAbout adds tasks to the next request, and lets that request be sent soon.
func (l *loop) askAbout(ids []taskid.ID) {
	if len(ids) > 0 {
		l.sink.ask, l.sink.callSoon = append(l.sink.ask, ids...), true
	}
}

// requestSink makes the next request, if there is reason for one and none is under way.
func (l *loop) requestSink(now time.Time) {
	due := l.sink.callSoon || l.sink.reportSoon || len(l.sink.commit) > 0 ||
		now.Sub(l.sink.lastCall) >= l.v.cfg.Audit
	if l.v.withoutSink() || l.sink.calling || !due {
		return
	}
	age := l.v.cfg.Audit
	if l.sink.callSoon {
		age = 0
	}
	q := sinkRequest{
		run: l.counts(now), commit: l.sink.commit,
		ask: append(l.sink.ask, l.d.UnsettledSince(age, now, wire.MaxBatch)...),
	}
	l.sink.commit, l.sink.ask, l.sink.lastCall, l.sink.calling = nil, nil, now, true
	l.sink.callSoon, l.sink.reportSoon = false, false
	l.sinkRequests <- q // has room: only one request is under way at a time
}

func (l *loop) takeSinkReply(a sinkReply) {
	l.sink.calling, l.sink.unreachable = false, ""
	switch {
	case a.err == nil:
	case isRefusal(a.err): // a refused receipt is not sent again: its task is delivered again when its deadline comes
		l.sink.unreachable = a.err.Error()
	default:
		l.sink.unreachable = "no answer"
		l.sink.commit = append(a.uncommitted, l.sink.commit...)
	}
	if a.err != nil {
		l.v.peerLog.Warn("cannot reach the sink; the run goes on and calls it again",
			"control", l.v.cfg.Control, "error", a.err)
	}
	for i := range a.receipts {
		l.settle(&a.receipts[i])
	}
	now := time.Now()
	l.takeFailures(a.failed, now)
	l.noteInstance(a.state.Instance)
	l.requeueLostResults(a, now)
	if a.state.State != "" {
		if !l.sink.registered {
			close(l.v.registered)
		}
		l.sink.registered = true
		l.sink.workers = a.state.Workers
	}
	l.sink.trouble = a.state.Trouble
	if l.sink.blocked() {
		l.sink.lastBlocked = now
	}
	l.setRunState(a.state.State)
}

// blocked reports whether the sink does not answer or cannot work.
func (s *sinkState) blocked() bool { return s.unreachable != "" || s.trouble != "" }

// takeFailures records failed deliveries that the sink listed, because their events may have been lost.
func (l *loop) takeFailures(failed []wire.Receipt, now time.Time) {
	for i := range failed {
		if id, err := taskid.Parse(failed[i].ID); err == nil {
			l.tellReach(&failed[i], l.d.RecordMissedFailure(id, &failed[i], now))
		}
	}
}

// noteInstance detects that another instance of the sink answered. It then asks about the results that the instance
// before had received.
func (l *loop) noteInstance(instance string) {
	if instance == "" {
		return
	}
	if l.sink.instance != "" && l.sink.instance != instance {
		l.askAbout(l.d.SinkRestarted(l.sink.instance, instance))
	}
	l.sink.instance = instance
}

// requeueLostResults requeues tasks whose results an earlier instance of the sink received, but this one lacks.
func (l *loop) requeueLostResults(a sinkReply, now time.Time) {
	if a.instance == "" {
		return
	}
	for _, id := range a.asked { // the dispatcher no longer knows those that are settled
		if t := l.d.RequeueLostResult(id, a.instance, now); t != nil {
			l.v.peerLog.Warn("the sink restarted before it committed a result; the task is delivered again",
				"file", t.Path, "delivery", t.Deliveries())
		}
	}
}

// awaitSinkReply waits for the request that is under way, at the end of a run. Cancelling it would close the connection
// on which the run reports its end.
func (l *loop) awaitSinkReply(ctx context.Context) {
	if !l.sink.calling {
		return
	}
	select {
	case <-l.sinkReplies:
	case <-ctx.Done():
	case <-time.After(finalCallTimeout):
	}
}
