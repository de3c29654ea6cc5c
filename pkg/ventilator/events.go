package ventilator

import (
	"context"
	"time"

	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// This file receives the sink's events. Events may be lost, so requestSink asks the sink for the same facts.

// event is one decoded event; one of its fields is set, or none if the run ignores the event.
type event struct {
	receipt   *wire.Receipt // of a settled task
	failed    *wire.Receipt // of a failed delivery
	answered  *wire.Answered
	output    string // name of an output that a stranger reported
	heartbeat *wire.Heartbeat
	gap       bool // the sink started, or events were lost
	state     *wire.Steering
}

// topics returns the topics of the events that a run needs. They are whole topics: subscribers of a prefix get events
// in batches, later.
func topics() []string {
	return []string{
		wire.TopicTaskAnswered, wire.TopicTaskDone, wire.TopicTaskRejected, wire.TopicTaskDead, wire.TopicTaskFailed,
		wire.TopicOutput, wire.TopicWorkerHeartbeat, wire.TopicSinkStarted, wire.TopicMissed, wire.TopicRunState,
	}
}

// receiveEvents decodes events for the loop until ctx ends or the socket is closed.
func (v *Ventilator) receiveEvents(ctx context.Context, out chan<- event) error {
	for {
		frames, err := v.sub.Recv(ctx)
		if err != nil {
			return nil
		}
		ev, err := decodeEvent(frames)
		if err != nil {
			v.peerLog.Warn("an event of the sink is malformed; it is ignored", "error", err)
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
	case wire.TopicTaskDone, wire.TopicTaskRejected, wire.TopicTaskDead:
		r := new(wire.Receipt)
		return event{receipt: r}, wire.DecodePayload(payload, r)
	case wire.TopicTaskFailed:
		r := new(wire.Receipt)
		return event{failed: r}, wire.DecodePayload(payload, r)
	case wire.TopicTaskAnswered:
		a := new(wire.Answered)
		return event{answered: a}, wire.DecodePayload(payload, a)
	case wire.TopicOutput:
		var n wire.BareName
		err := wire.DecodePayload(payload, &n)
		return event{output: n.Name}, err
	case wire.TopicWorkerHeartbeat:
		h := new(wire.Heartbeat)
		return event{heartbeat: h}, wire.DecodePayload(payload, h)
	case wire.TopicSinkStarted, wire.TopicMissed:
		return event{gap: true}, nil
	case wire.TopicRunState:
		s := new(wire.Steering)
		return event{state: s}, wire.DecodePayload(payload, s)
	}
	return event{}, nil // a topic of a later version
}

func (l *loop) takeEvent(ev event) {
	now := time.Now()
	switch {
	case ev.receipt != nil:
		l.settle(ev.receipt)
	case ev.failed != nil:
		if id, err := taskid.Parse(ev.failed.ID); err == nil {
			l.tellReach(ev.failed, l.d.RecordFailure(id, ev.failed, now))
		}
	case ev.answered != nil:
		if id, err := taskid.Parse(ev.answered.ID); err == nil {
			l.d.ReleaseWorker(id, ev.answered.Worker, ev.answered.Instance, now)
		}
	case ev.output != "":
		if t := l.d.RecordOutput(ev.output); t != nil {
			l.commitReceipt(t, l.v.strangersReceipt(t, l.v.naming.outputs(t.Name), now))
		}
	case ev.heartbeat != nil:
		l.askAbout(l.d.RecordHeartbeat(ev.heartbeat, now))
	case ev.gap:
		l.coverEventGap(now)
	case ev.state != nil && (ev.state.Run == "" || ev.state.Run == l.v.cfg.Run):
		l.setRunState(ev.state.State)
	}
}

// tellReach says that a worker gets bytes from now on, if it may not open what tasks refer to.
func (l *loop) tellReach(r *wire.Receipt, outOfReach bool) {
	if outOfReach {
		l.v.peerLog.Warn("a worker may not open what tasks refer to (--inputs-root); it gets the bytes from now on",
			"worker", r.Worker, "detail", r.Detail)
	}
}

// coverEventGap asks the sink for the facts in events that may have been lost. The sink cannot repeat the names of
// strangers' outputs, so coverEventGap shortens the leases of strangers' tasks.
func (l *loop) coverEventGap(now time.Time) {
	l.sink.callSoon = true
	l.d.ShortenStrangerLeases(now)
}

// noteEventsConnection tells the loop of each new connection to the sink's events: events that the sink published
// before it were lost.
func (v *Ventilator) noteEventsConnection(ev zsock.PeerEvent) {
	if ev.Kind == zsock.PeerUp {
		v.eventsUp.put(struct{}{})
	}
}

func (l *loop) takeEventsConnection() {
	l.v.eventsUp.take()
	l.d.SetEventsConnected(true)
	l.coverEventGap(time.Now())
}
