package ventilator

import (
	"errors"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// This file sends tasks to workers.

// sentMessage says that a connection sent a message, or lost it.
type sentMessage struct {
	task    *dispatch.Task
	message []byte
	size    int64
	err     error
}

// assemblyTime bounds how long the first task waits. It waits for the sink's events, because some failed deliveries are
// reported only by an event. It also waits for the workers that the sink knows, so that all of them share a short run.
const assemblyTime = time.Second

// assembling reports whether the first task waits.
func (l *loop) assembling(now time.Time) bool {
	if l.v.withoutSink() || now.Sub(l.started) >= assemblyTime || l.d.Counts().Deliveries > 0 {
		return false
	}
	return !l.d.EventsConnected() || l.d.Peers() > 0 && l.d.Peers() < l.sink.workers
}

// sendTasks sends every ready task for which a worker has room.
func (l *loop) sendTasks() {
	if l.runState == outcome.Paused || l.assembling(time.Now()) {
		return
	}
	if !l.v.withoutSink() && !l.sink.registered {
		return // the sink, which does not have the key of the run yet, would refuse the results
	}
	for {
		dl, ok := l.d.Assign(time.Now())
		if !ok {
			return
		}
		l.v.metrics.delivered(dl.Kind)
		wire.SealTask(dl.Message, l.tickets.Of(wire.TicketOf{
			ID: dl.Task.ID.String(), Filename: dl.Task.Name, Recipe: l.v.naming.recipe(dl.Task.Name),
			Delivery: dl.Task.Deliveries(), Proof: dl.Proof,
		}))
		s := sentMessage{task: dl.Task, message: dl.Message, size: dl.Size}
		err := l.v.push.SendTo(zsock.PeerID(dl.Peer), zsock.Message{dl.Message}, func(err error) {
			s := s
			s.err = err
			l.v.sent.put(s)
		})
		if err == nil {
			continue
		}
		l.d.ReleaseBytes(dl.Size)
		if !errors.Is(err, zsock.ErrNoPeer) && !errors.Is(err, zsock.ErrClosed) { // for those, takePeers requeues the task
			l.v.log.Warn("cannot send a task; it is delivered again", "file", dl.Task.Path, "error", err)
			l.d.FailSend(dl, err.Error(), time.Now())
		}
	}
}

// takeSent takes the messages that connections have sent or lost.
func (l *loop) takeSent() {
	for _, s := range l.v.sent.take() {
		l.d.ReleaseBytes(s.size)
		l.v.buffers.put(s.message)
		if l.v.withoutSink() && s.err == nil {
			l.d.HandOver(s.task.ID)
			l.lastSettled = time.Now()
		}
	}
}

// takePeers tells the dispatcher which workers connected or disconnected.
func (l *loop) takePeers() {
	now := time.Now()
	for _, ev := range l.v.peerEvents.take() {
		switch ev.Kind {
		case zsock.PeerUp:
			identity, proof := certifiedIdentity(&ev.Peer)
			if proof == "" && l.v.cfg.RefuseStrangers {
				l.v.log.Warn("a worker without a token gets no tasks; allow it with --allow-strangers", "from", ev.Peer.Remote)
				continue
			}
			l.lastPeer = now
			p := l.d.AddPeer(dispatch.PeerID(ev.Peer.ID), identity, proof)
			l.v.log.Info("worker joined", "worker", p.Name, "stranger", p.Stranger, "from", ev.Peer.Remote, "slots", p.Slots)
		case zsock.PeerDown:
			l.lastPeer = now
			l.askAbout(l.d.RemovePeer(dispatch.PeerID(ev.Peer.ID), now))
			l.v.log.Info("worker left", "from", ev.Peer.Remote, "why", ev.Err)
		case zsock.PeerRefused:
			l.v.log.Warn("refused a connection", "from", ev.Peer.Remote, "why", ev.Err)
		}
	}
}

// advanceTime ends leases and backoffs, and asks the sink about tasks whose lease expired: their results may have
// been committed.
func (l *loop) advanceTime(now time.Time) {
	blocked := l.sink.lastBlocked
	if l.sink.blocked() {
		blocked = now
	}
	for _, t := range l.d.AdvanceTime(now, blocked) {
		l.v.log.Warn("the lease of a task expired; it is delivered again unless the sink has its result",
			"file", t.Path, "delivery", t.Deliveries())
		l.askAbout([]taskid.ID{t.ID})
	}
}
