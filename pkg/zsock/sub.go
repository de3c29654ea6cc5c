package zsock

import (
	"github.com/go-zeromq/zmq4"
)

// maxPrefixBytes is how many bytes all prefixes of a Sub, or of one subscriber of a Pub, may have together.
const maxPrefixBytes = 64 << 10

// Sub receives the messages of its PUB peers whose first frame starts with a prefix that it subscribed to. The peers
// filter: messages that were on their way when a prefix was cancelled still arrive.
type Sub struct {
	*inbox
	prefixes map[string]int // how often each was subscribed to
	size     int            // bytes in prefixes
}

// NewSub returns a SUB socket without endpoints and subscriptions.
func NewSub(cfg Config) (*Sub, error) {
	in, err := newInbox(cfg, zmq4.Sub)
	if err != nil {
		return nil, err
	}
	s := &Sub{inbox: in, prefixes: make(map[string]int)}
	in.pattern = s
	return s, nil
}

// Subscribe asks all peers, present and future, for messages that start with prefix; "" means all. Each Subscribe
// needs an Unsubscribe of its own. Beyond Config.MaxSubscriptions prefixes or 64 KiB of them the error is a
// *LimitError.
func (s *Sub) Subscribe(prefix string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ErrClosed
	}
	if s.prefixes[prefix] == 0 {
		if n := len(s.prefixes) + 1; n > s.cfg.MaxSubscriptions {
			return &LimitError{What: "subscriptions", Max: uint64(s.cfg.MaxSubscriptions), Got: uint64(n)}
		}
		if n := s.size + len(prefix); n > maxPrefixBytes || len(prefix)+1 > maxCommand {
			return &LimitError{What: "bytes of subscriptions", Max: maxPrefixBytes, Got: uint64(n)}
		}
		s.size += len(prefix)
		s.tellPeers(1, prefix)
	}
	s.prefixes[prefix]++
	return nil
}

// Unsubscribe undoes one Subscribe of the same prefix. Without one it does nothing.
func (s *Sub) Unsubscribe(prefix string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ErrClosed
	}
	switch s.prefixes[prefix] {
	case 0:
	case 1:
		delete(s.prefixes, prefix)
		s.size -= len(prefix)
		s.tellPeers(0, prefix)
	default:
		s.prefixes[prefix]--
	}
	return nil
}

// tellPeers queues a subscription for every peer. A peer whose queue is full is cut: it gets all subscriptions when
// it is connected again.
func (s *Sub) tellPeers(flag byte, prefix string) {
	for _, p := range s.peers {
		if p.msgs > 2*s.cfg.MaxSubscriptions {
			p.cut(&LimitError{What: "unread subscriptions", Max: uint64(2 * s.cfg.MaxSubscriptions), Got: uint64(p.msgs)})
			continue
		}
		p.enqueue(subscriptionMessage(flag, prefix))
	}
}

// subscriptionMessage returns a subscription in the form of ZMTP 3.0, which a zsock announces.
func subscriptionMessage(flag byte, prefix string) outgoing {
	frame := append([]byte{flag}, prefix...)
	return outgoing{msg: Message{frame}, size: int64(len(frame)), internal: true}
}

func (s *Sub) join(p *peer) {
	for prefix := range s.prefixes {
		p.enqueue(subscriptionMessage(1, prefix))
	}
}
