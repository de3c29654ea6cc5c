package ventilator

import (
	"context"
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

	unread *dispatch.Delivery // that could not be sent, because the image could not be read; nil: another fault, or none
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
func (l *loop) sendTasks(ctx context.Context) {
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
		ticket := l.tickets.Of(wire.TicketOf{
			ID: dl.Task.ID.String(), Filename: dl.Task.Name, Recipe: l.v.naming.recipe(dl.Task.Name),
			Delivery: dl.Task.Deliveries(), Proof: dl.Proof,
		})
		if dl.Task.Origin.(*image).referred && !dl.References {
			l.sendBytes(ctx, dl, ticket)
			continue
		}
		err := l.v.send(dl, dl.Message, ticket)
		if err == nil {
			continue
		}
		l.d.ReleaseBytes(dl.Size)
		if !errors.Is(err, zsock.ErrNoPeer) && !errors.Is(err, zsock.ErrClosed) { // for those, takePeers requeues the task
			l.v.peerLog.Warn("cannot send a task; it is delivered again", "file", dl.Task.Path, "error", err)
			l.d.FailSend(dl, err.Error(), time.Now())
		}
	}
}

// send hands a message to the connection of its peer. What becomes of it comes to takeSent.
func (v *Ventilator) send(dl dispatch.Delivery, message []byte, ticket wire.Ticket) error {
	wire.SealTask(message, ticket)
	s := sentMessage{task: dl.Task, message: message, size: dl.Size}
	return v.push.SendTo(zsock.PeerID(dl.Peer), zsock.Message{message}, func(err error) {
		s := s
		s.err = err
		v.sent.put(s)
	})
}

// sendBytes sends a task to a peer that fetches no images, such as a stranger: with the bytes, not with the reference
// that is ready. These peers hold few tasks, so that little is read at a time.
func (l *loop) sendBytes(ctx context.Context, dl dispatch.Delivery, ticket wire.Ticket) {
	o := l.order(dl.Task, dl.Task.Deliveries())
	o.bytes = true
	l.spawn(func() error {
		r := l.v.prepare(ctx, o)
		err := r.err
		if err == nil {
			err = l.v.send(dl, r.message, ticket)
		}
		if err != nil {
			l.v.sent.put(sentMessage{task: dl.Task, size: dl.Size, err: err, unread: &dl})
		}
		return nil
	})
}

// takeSent takes the messages that connections have sent or lost.
func (l *loop) takeSent() {
	for _, s := range l.v.sent.take() {
		l.d.ReleaseBytes(s.size)
		l.v.buffers.put(s.message)
		if s.unread != nil && l.d.Task(s.task.ID) == s.task && !errors.Is(s.err, zsock.ErrNoPeer) {
			l.v.peerLog.Warn("cannot send an image; it is delivered again", "file", s.task.Path, "error", s.err)
			l.d.FailSend(*s.unread, s.err.Error(), time.Now())
		}
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
				l.v.peerLog.Warn("a worker without a token gets no tasks; allow it with --allow-strangers", "from", ev.Peer.Remote)
				continue
			}
			l.lastPeer = now
			p := l.d.AddPeer(dispatch.PeerID(ev.Peer.ID), identity, proof)
			l.v.peerLog.Info("worker joined", "worker", p.Name, "stranger", p.Stranger, "from", ev.Peer.Remote, "slots", p.Slots)
		case zsock.PeerDown:
			l.lastPeer = now
			l.askAbout(l.d.RemovePeer(dispatch.PeerID(ev.Peer.ID), now))
			l.v.peerLog.Info("worker left", "from", ev.Peer.Remote, "why", ev.Err)
		case zsock.PeerRefused:
			l.v.refusals.Log(l.v.peerLog, ev)
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
		l.v.peerLog.Warn("the lease of a task expired; it is delivered again unless the sink has its result",
			"file", t.Path, "delivery", t.Deliveries())
		l.askAbout([]taskid.ID{t.ID})
	}
}
