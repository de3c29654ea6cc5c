package ventilator

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// question is what the loop wants to tell and ask the sink in one go; answer is what came of it.
type question struct {
	ids    []taskid.ID    // are these settled?
	settle []wire.Receipt // commit these
	run    wire.Run       // our counts
}

type answer struct {
	receipts []wire.Receipt
	failed   []wire.Receipt // deliveries of this run of which the sink heard that they failed
	asked    []taskid.ID    // question.ids, when the sink answered about them; what has no receipt is not settled
	instance string         // of the sink that did; empty: unknown
	unsaid   []wire.Receipt // question.settle, when it failed: to be said again, but for what the sink refused
	state    wire.RunState  // what an operator wants of the run; zero: unknown
	err      error
}

// askTimeout bounds one call, so that a sink that went away is noticed.
const askTimeout = 10 * time.Second

// askPause is how long a sink whose answer failed is left alone.
const askPause = time.Second

// talk answers questions one after another until ctx ends.
func (v *Ventilator) talk(ctx context.Context, questions <-chan question, answers chan<- answer) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case q := <-questions:
			a := v.ask(ctx, q)
			select {
			case answers <- a:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

func (v *Ventilator) ask(ctx context.Context, q question) (a answer) {
	// First: a sink that can commit nothing still steers.
	a.state, a.err = bounded(ctx, func(ctx context.Context) (wire.RunState, error) {
		return v.talks.TellRun(ctx, &q.run)
	})
	if a.err != nil {
		a.unsaid = q.settle
		return a
	}
	if len(q.settle) > 0 {
		a.receipts, a.err = bounded(ctx, func(ctx context.Context) ([]wire.Receipt, error) {
			return v.talks.Settle(ctx, q.settle)
		})
		if a.err != nil {
			a.unsaid = q.settle
			return a
		}
	}
	if len(q.ids) > 0 {
		var known wire.Receipts
		known, a.err = bounded(ctx, func(ctx context.Context) (wire.Receipts, error) {
			return v.talks.Settled(ctx, q.ids, false)
		})
		if a.err != nil {
			return a
		}
		a.receipts = append(a.receipts, ofThisRun(known.Receipts, q.run.ID)...)
		a.failed = slices.DeleteFunc(known.Failed, func(r wire.Receipt) bool { return r.Run != q.run.ID })
		a.asked, a.instance = q.ids, known.Instance
	}
	return a
}

// ofThisRun leaves out what an earlier run settled: a task is sent although it is in the ledger when its outputs are gone,
// or everything is to be made again, and then only its new result ends it. That of another run at the same time is heard
// as an event. Results that name no run are a stranger's.
func ofThisRun(receipts []wire.Receipt, run string) []wire.Receipt {
	return slices.DeleteFunc(receipts, func(r wire.Receipt) bool { return r.Run != "" && r.Run != run })
}

func bounded[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return call(ctx)
}

// refused reports whether the sink itself said no, so that asking again is in vain. A settlement that is refused is left to
// the task's alarm: it is delivered again.
func refused(err error) bool {
	var r *sinkclient.RefusedError
	return errors.As(err, &r)
}

// event is what the loop learns from the sink's events.
type event struct {
	receipt   *wire.Receipt
	failed    bool // receipt is of a failed delivery
	name      string
	answered  *wire.Answered
	heartbeat *wire.Heartbeat
	restarted bool // the sink began anew, or events were missed: ask
	state     *wire.RunState
}

// topics are the events that a run needs.
func topics() []string {
	return []string{
		// Whole topics, not their prefix: those who name them are told at once.
		wire.TopicTaskAnswered, wire.TopicTaskDone, wire.TopicTaskRejected, wire.TopicTaskDead, wire.TopicTaskFailed,
		wire.TopicOutput, wire.TopicWorkerHeartbeat, wire.TopicSinkStarted, wire.TopicMissed, wire.TopicRunState,
	}
}

// listen turns the sink's events into the loop's until ctx ends.
func (v *Ventilator) listen(ctx context.Context, out chan<- event) error {
	for {
		frames, err := v.sub.Recv(ctx)
		if err != nil {
			return nil // the context's end, or the socket's, which is ours to close
		}
		ev, err := decodeEvent(frames)
		if err != nil {
			v.log.Warn("an event of the sink was not understood", "error", err)
			continue
		}
		select {
		case out <- ev:
		case <-ctx.Done():
			return nil
		}
	}
}

func decodeEvent(frames [][]byte) (event, error) {
	topic, payload, err := wire.DecodeEvent(frames)
	if err != nil {
		return event{}, err
	}
	switch topic {
	case wire.TopicTaskDone, wire.TopicTaskRejected, wire.TopicTaskDead, wire.TopicTaskFailed:
		r := new(wire.Receipt)
		return event{receipt: r, failed: topic == wire.TopicTaskFailed}, wire.DecodePayload(payload, r)
	case wire.TopicTaskAnswered:
		a := new(wire.Answered)
		return event{answered: a}, wire.DecodePayload(payload, a)
	case wire.TopicOutput:
		var n wire.BareName
		err := wire.DecodePayload(payload, &n)
		return event{name: n.Name}, err
	case wire.TopicWorkerHeartbeat:
		h := new(wire.Heartbeat)
		return event{heartbeat: h}, wire.DecodePayload(payload, h)
	case wire.TopicSinkStarted, wire.TopicMissed:
		return event{restarted: true}, nil
	case wire.TopicRunState:
		s := new(wire.RunState)
		return event{state: s}, wire.DecodePayload(payload, s)
	}
	return event{}, nil // a topic of a later version
}
