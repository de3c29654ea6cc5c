package sink

import (
	"context"
	"errors"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// receiveAhead is how many messages of workers the socket holds before the intake takes them. So many useless messages
// can come before the first of them slows its sender down.
const receiveAhead = 256

// intake receives the messages of workers.
type intake struct {
	*core
	pull      *zsock.Pull
	arrived   chan<- *wire.Result // to the writers
	admission *admission
}

// run receives messages until open ends, and then those that the socket already holds. ctx ends only when the sink is
// cut.
func (in *intake) run(ctx, open context.Context) {
	defer close(in.arrived)
	defer func() { in.state.setUnread(true, time.Now()) }()
	for late := 0; ; {
		message, peer, err := in.pull.RecvFrom(open)
		if err != nil {
			return
		}
		if open.Err() != nil {
			if late++; late > receiveAhead {
				return // workers go on sending while there is room; the rest will be redelivered
			}
		}
		if len(message) != 1 {
			in.malformed(errors.New("several frames"), peer)
			continue
		}
		m, err := wire.DecodeFromWorker(message[0])
		if err != nil {
			in.malformed(err, peer)
			continue
		}
		if err := in.admit(&m, peer); err != nil {
			in.refuse(err, peer)
			continue
		}
		switch {
		case m.Heartbeat != nil:
			in.heartbeat(m.Heartbeat)
		case m.BareName != "":
			in.publishBareName(m.BareName)
		default:
			in.publish(wire.TopicTaskAnswered, &wire.Answered{ID: m.Result.ID, Worker: m.Result.Worker, Instance: in.instance})
			if m.Result.Outcome != outcome.Failed && !in.claims.take(claimOf(m.Result)) {
				in.state.countReceipt(&wire.Receipt{Duplicate: true}, time.Now())
				continue
			}
			if !in.passOn(ctx, m.Result) {
				return // no receipt was published, so the task will be redelivered
			}
		}
	}
}

// passOn gives a result to the writers, also during a drain. While they have no room the intake reads nothing, and
// workers' heartbeats lie unread behind the result: reading on would hold more and more in memory. It returns false
// if ctx ends first.
func (in *intake) passOn(ctx context.Context, r *wire.Result) bool {
	select {
	case in.arrived <- r:
		return true
	default:
	}
	in.state.setUnread(true, time.Now())
	defer func() { in.state.setUnread(false, time.Now()) }()
	select {
	case in.arrived <- r:
		return true
	case <-ctx.Done():
		return false
	}
}

// admit returns an error unless a message counts.
func (in *intake) admit(m *wire.FromWorker, peer zsock.PeerInfo) error {
	switch from := in.admission.sender(peer); {
	case m.Heartbeat != nil:
		m.Heartbeat.Worker = pki.Certified(m.Heartbeat.Worker, peer.Principal)
		return in.admission.heartbeat(m.Heartbeat, from, time.Now())
	case m.BareName != "":
		return in.admission.refuseStranger()
	default:
		m.Result.Worker = pki.Certified(m.Result.Worker, peer.Principal)
		return in.admission.result(m.Result, from)
	}
}

func (in *intake) refuse(err error, peer zsock.PeerInfo) {
	in.state.count(func(c *wire.Status) { c.Refused++ })
	in.pull.SlowDown(peer.ID)
	in.peerLog.Warn("refused a worker's message", "from", peer.Remote, "why", err)
}

func (in *intake) malformed(err error, peer zsock.PeerInfo) {
	in.state.count(func(c *wire.Status) { c.Malformed++ })
	in.pull.SlowDown(peer.ID)
	in.peerLog.Warn("dropped a malformed message", "from", peer.Remote, "error", err)
}

func (in *intake) heartbeat(h *wire.Heartbeat) {
	if in.state.heartbeat(h, time.Now()) {
		in.peerLog.Info("worker joined", "worker", h.Worker)
		in.publish(wire.TopicWorkerSeen, &wire.WorkerEvent{Worker: h.Worker})
	}
	in.publish(wire.TopicWorkerHeartbeat, h)
}

// publishBareName publishes the bare result of a worker that cannot echo ids. Only a ventilator knows which task was to
// make an output of that name. When it has heard all names of a task, it calls settle.
func (in *intake) publishBareName(name string) {
	in.state.count(func(c *wire.Status) { c.Strangers++ })
	in.publish(wire.TopicOutput, &wire.BareName{Name: name})
}
