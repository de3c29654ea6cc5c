package sink

import (
	"errors"
	"fmt"
	"time"

	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// workerConnection follows the connections of workers, so that a worker whose connection closes is lost at once,
// without a wait for missing heartbeats.
func (c *core) workerConnection(ev zsock.PeerEvent) {
	w, ok := wire.ParseWorkerIdentity(ev.Peer.Identity)
	if !ok {
		if ev.Kind == zsock.PeerRefused {
			c.refusals.Log(c.peerLog, ev)
		}
		return
	}
	w.Name = pki.Certified(w.Name, ev.Peer.Principal)
	switch ev.Kind {
	case zsock.PeerUp:
		if c.state.connect(w, time.Now()) {
			c.peerLog.Info("worker joined", "worker", w.Name)
			c.publish(wire.TopicWorkerSeen, &wire.WorkerEvent{Worker: w.Name})
		}
	case zsock.PeerDown:
		if c.state.disconnect(w) && !errors.Is(ev.Err, zsock.ErrClosed) { // else this sink ends, and loses nobody
			c.workerLost(w.Name, fmt.Sprint(ev.Err))
		}
	}
}

func (c *core) workerLost(name, why string) {
	c.peerLog.Info("worker lost", "worker", name, "why", why)
	c.publish(wire.TopicWorkerLost, &wire.WorkerEvent{Worker: name, Why: why})
}
