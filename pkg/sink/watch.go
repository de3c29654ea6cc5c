package sink

import (
	"sync"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// watchers are listeners in the same process: the live page, the rejects' copier, the webhook. Each is a buffered
// channel; one that is full misses events, as a slow subscriber does.
type watchers struct {
	mu  sync.Mutex
	all map[*watcher]struct{}
}

type watcher struct {
	events chan wire.Event
	missed uint64
}

// Watch returns the events from now on, and a function that ends the watch. At most buffer events wait; when there is
// room again after some were missed, an event of topic "events.missed" says how many.
func (s *Sink) Watch(buffer int) (<-chan wire.Event, func()) {
	w := &watcher{events: make(chan wire.Event, buffer)}
	s.watchers.mu.Lock()
	defer s.watchers.mu.Unlock()
	if s.watchers.all == nil {
		s.watchers.all = make(map[*watcher]struct{})
	}
	s.watchers.all[w] = struct{}{}
	return w.events, func() {
		s.watchers.mu.Lock()
		defer s.watchers.mu.Unlock()
		if _, ok := s.watchers.all[w]; ok {
			delete(s.watchers.all, w)
			close(w.events)
		}
	}
}

func (ws *watchers) tell(topic string, payload any) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		w.tell(wire.Event{Topic: topic, Payload: payload})
	}
}

func (w *watcher) tell(ev wire.Event) {
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
