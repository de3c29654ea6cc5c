package sink

import (
	"log/slog"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// monitorBatchDelay is how long events for subscribers of a prefix are batched, so that watching does not slow the
// farm.
const monitorBatchDelay = 50 * time.Millisecond

// publisher publishes events to subscribers on the network and to watchers in this process.
type publisher struct {
	pub      *zsock.Pub // nil until the sink has opened its sockets
	watchers watchers
	log      *slog.Logger
}

// publish never blocks. A subscriber that is too slow misses the event and is told so.
func (p *publisher) publish(topic string, payload any) {
	if err := p.pub.Publish(wire.EncodeEvent(topic, payload)); err != nil {
		p.log.Debug("cannot publish an event", "topic", topic, "error", err)
	}
	p.watchers.send(topic, payload)
}
