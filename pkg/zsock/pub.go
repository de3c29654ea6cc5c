package zsock

import (
	"time"

	"github.com/go-zeromq/zmq4"
)

// Pub sends each message to all SUB peers that subscribed to a prefix of its first frame. It never waits for any of
// them.
type Pub struct {
	*socket
	passive
	topics topics
	stamp  uint64      // counts publications
	later  *time.Timer // wakes the writers of the batches; nil: nothing is held back
	armed  bool
}

// NewPub returns a PUB socket without endpoints.
func NewPub(cfg Config) (*Pub, error) {
	s, err := newSocket(cfg, zmq4.Pub)
	if err != nil {
		return nil, err
	}
	p := &Pub{socket: s, topics: newTopics()}
	s.pattern, s.flushes = p, true
	s.maxRecv = maxCommand // subscriptions
	return p, nil
}

// Publish queues m for every subscriber of its first frame. It never blocks. A subscriber whose queue is full misses
// the message, and gets Config.Missed when there is room again. Subscribers of the whole first frame get the message
// at once, prefix subscribers within Config.PrefixBatchDelay.
func (s *Pub) Publish(m Message) error {
	if err := m.check(); err != nil {
		return err
	}
	o := outgoing{msg: m, size: m.Size()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ErrClosed
	}
	s.stamp++
	s.topics.each(m[0], func(p *peer) {
		if p.stamp == s.stamp { // several of its prefixes match
			return
		}
		p.stamp = s.stamp
		s.tellMissed(p)
		if p.full(o.size) || s.overShare(p, o.size) {
			p.missedAll++
			if s.cfg.Missed != nil {
				p.missed++
			}
			return
		}
		if s.cfg.PrefixBatchDelay == 0 || p.topics[string(m[0])] || p.msgs >= s.cfg.SendHWM/2 ||
			p.bytes >= s.cfg.SendBytes/2 {
			p.enqueue(o)
			return
		}
		p.add(o)
		s.wakeLater()
	})
	return nil
}

// overShare reports whether a message of so many bytes would exceed what all subscribers may be owed, and p's equal
// share of it. s.mu must be held.
func (s *Pub) overShare(p *peer, size int64) bool {
	return p.msgs > 0 && s.queuedBytes+size > s.cfg.OwedBytes && p.bytes+size > s.cfg.OwedBytes/int64(len(s.peers))
}

// wakeLater wakes all writers after PrefixBatchDelay.
func (s *Pub) wakeLater() {
	if s.armed {
		return
	}
	s.armed = true
	if s.later != nil {
		s.later.Reset(s.cfg.PrefixBatchDelay)
		return
	}
	s.later = time.AfterFunc(s.cfg.PrefixBatchDelay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.armed = false
		for _, p := range s.peers {
			if p.queue.len() > 0 {
				p.wakeWriter()
			}
		}
	})
}

// tellMissed queues a notice of the messages that p missed, if there are any and there is room.
func (s *Pub) tellMissed(p *peer) {
	if p.missed == 0 || p.full(0) {
		return
	}
	p.enqueue(outgoing{missed: p.missed})
	p.missed = 0
}

func (s *Pub) written(p *peer) { s.tellMissed(p) }

func (s *Pub) join(p *peer) { p.topics = make(map[string]bool) }

func (s *Pub) leave(p *peer, _ []outgoing) []outgoing {
	for prefix := range p.topics {
		s.topics.remove(prefix, p)
	}
	p.topics = nil
	if len(s.peers) == 0 && s.later != nil {
		s.later.Stop()
		s.armed = false
	}
	return nil
}

// receive takes subscriptions in the form of ZMTP 3.0 and before; handleCommand takes the other.
func (s *Pub) receive(p *peer, m Message) error {
	if prefix, subscribe, ok := parseSubscription(m); ok {
		return s.subscription(p, prefix, subscribe)
	}
	return nil // other messages of an XSUB mean nothing to a PUB
}

func (s *Pub) subscription(p *peer, prefix []byte, subscribe bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.topics[string(prefix)] == subscribe {
		return nil
	}
	topic := string(prefix)
	if !subscribe {
		delete(p.topics, topic)
		p.topicSize -= len(topic)
		s.topics.remove(topic, p)
		return nil
	}
	if n := len(p.topics) + 1; n > s.cfg.MaxSubscriptions {
		return &LimitError{What: "subscriptions", Max: uint64(s.cfg.MaxSubscriptions), Got: uint64(n)}
	}
	if n := p.topicSize + len(topic); n > maxPrefixBytes {
		return &LimitError{What: "bytes of subscriptions", Max: maxPrefixBytes, Got: uint64(n)}
	}
	p.topics[topic] = true
	p.topicSize += len(topic)
	s.topics.add(topic, p)
	return nil
}
