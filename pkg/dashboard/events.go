package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/httpreply"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Bounds on a subscription to events.
const (
	eventBuffer = 1024 // events that may wait for a subscriber
	maxTopics   = 16
	maxTopic    = 255 // bytes
)

// subscribers are the clients that stream events over HTTP.
type subscribers struct {
	mu  sync.Mutex
	all map[*subscriber]struct{}
}

type subscriber struct {
	prefixes []string // none: everything
	events   chan []byte
	missed   uint64
}

func (ss *subscribers) add(prefixes []string) *subscriber {
	s := &subscriber{prefixes: prefixes, events: make(chan []byte, eventBuffer)}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.all == nil {
		ss.all = make(map[*subscriber]struct{})
	}
	ss.all[s] = struct{}{}
	return s
}

func (ss *subscribers) remove(s *subscriber) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if _, ok := ss.all[s]; ok {
		delete(ss.all, s)
		close(s.events)
	}
}

// closeAll ends every subscription.
func (ss *subscribers) closeAll() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for s := range ss.all {
		delete(ss.all, s)
		close(s.events)
	}
}

// publish sends an event to its subscribers. It encodes the event once, and only if it has a subscriber.
func (ss *subscribers) publish(ev wire.Event) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	var text []byte
	for s := range ss.all {
		if !s.wants(ev.Topic) {
			continue
		}
		if text == nil {
			text = eventText(ev.Topic, ev.Payload)
		}
		s.send(text)
	}
}

func (s *subscriber) wants(topic string) bool {
	if len(s.prefixes) == 0 {
		return true
	}
	for _, p := range s.prefixes {
		if strings.HasPrefix(topic, p) {
			return true
		}
	}
	return false
}

// send queues an event. When the queue is full it counts the event as missed, and reports the count later.
func (s *subscriber) send(text []byte) {
	if s.missed > 0 {
		select {
		case s.events <- eventText(wire.TopicMissed, &wire.Missed{Count: s.missed}):
			s.missed = 0
		default:
			s.missed++
			return
		}
	}
	select {
	case s.events <- text:
	default:
		s.missed++
	}
}

func eventText(topic string, payload any) []byte {
	b, err := json.Marshal(struct {
		Topic   string `json:"topic"`
		Payload any    `json:"payload"`
	}{topic, payload})
	if err != nil { // every payload can be encoded
		return nil
	}
	return fmt.Appendf(nil, "data: %s\n\n", b)
}

// events streams the sink's events to a client.
func (d *Dashboard) events(w http.ResponseWriter, r *http.Request) {
	topics := r.URL.Query()["topic"]
	if len(topics) > maxTopics {
		httpreply.Refuse(w, http.StatusBadRequest, fmt.Sprintf("%d topics; at most %d", len(topics), maxTopics))
		return
	}
	for _, t := range topics {
		if len(t) > maxTopic {
			httpreply.Refuse(w, http.StatusBadRequest, fmt.Sprintf("a topic of %d bytes; at most %d", len(t), maxTopic))
			return
		}
	}
	s, done, ok := d.listen(w, r)
	if !ok {
		return
	}
	defer done()
	sub := d.subs.add(topics)
	defer d.subs.remove(sub)
	ticker := time.NewTicker(pulse)
	defer ticker.Stop()
	for {
		text := ": no events\n\n"
		select {
		case b, ok := <-sub.events:
			if !ok {
				return
			}
			text = string(b)
		case <-ticker.C:
		case <-d.final:
			return
		case <-r.Context().Done():
			return
		}
		if err := s.send(text); err != nil {
			d.log.Debug("closed an event stream: the client takes nothing", "from", r.RemoteAddr, "error", err)
			return
		}
	}
}
