package sink

import (
	"sync"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// watchers are subscribers in the same process: the live page, the copier of rejects, the webhook. Each is a buffered
// channel. One that is full misses events, like a slow subscriber on the network.
type watchers struct {
	mu  sync.Mutex
	all map[*watcher]struct{}
}

type watcher struct {
	events chan wire.Event
	missed uint64
}

// add returns the events from now on, and a function that ends the watch and closes the channel.
func (ws *watchers) add(buffer int) (<-chan wire.Event, func()) {
	w := &watcher{events: make(chan wire.Event, buffer)}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.all == nil {
		ws.all = make(map[*watcher]struct{})
	}
	ws.all[w] = struct{}{}
	return w.events, func() {
		ws.mu.Lock()
		defer ws.mu.Unlock()
		if _, ok := ws.all[w]; ok {
			delete(ws.all, w)
			close(w.events)
		}
	}
}

// send gives an event to all watchers. It never blocks.
func (ws *watchers) send(topic string, payload any) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		w.send(wire.Event{Topic: topic, Payload: payload})
	}
}

func (w *watcher) send(ev wire.Event) {
	if w.missed > 0 {
		select {
		case w.events <- wire.Event{Topic: wire.TopicMissed, Payload: &wire.Missed{Count: w.missed}}:
			w.missed = 0
		default:
			w.missed++
			return
		}
	}
	select {
	case w.events <- ev:
	default:
		w.missed++
	}
}
