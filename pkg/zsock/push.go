package zsock

import (
	"context"

	"github.com/go-zeromq/zmq4"
)

// Push hands each message to exactly one of its PULL peers.
type Push struct {
	*socket
	passive
	turn    int        // where the search for the least loaded peer starts
	waiting []outgoing // messages of lost peers that no other peer has yet, oldest first
}

// NewPush returns a PUSH socket without endpoints.
func NewPush(cfg Config) (*Push, error) {
	s, err := newSocket(cfg, zmq4.Push)
	if err != nil {
		return nil, err
	}
	p := &Push{socket: s}
	s.pattern, s.flushes = p, true
	return p, nil
}

// Send queues each message for the peer that has the least queued at that moment, and writes those of one call
// together. It blocks while there is no peer or all are full. If ctx ends first, the error wraps ErrNoPeer or
// ErrFull, and at least the last message was not queued. After nil, a message whose peer is lost before it was
// written goes to another peer. Close reports it if none comes.
func (s *Push) Send(ctx context.Context, messages ...Message) error {
	for _, m := range messages {
		if err := m.check(); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	for {
		s.mu.Lock()
		if s.closing {
			s.mu.Unlock()
			return ErrClosed
		}
		if len(s.waiting) == 0 {
			messages = s.queue(messages)
		}
		if len(messages) == 0 {
			s.mu.Unlock()
			return nil
		}
		reason := ErrFull
		if len(s.peers) == 0 {
			reason = ErrNoPeer
		}
		sendable := s.sendable.wait()
		s.mu.Unlock()
		select {
		case <-sendable:
		case <-ctx.Done():
			return waitError(ctx, reason)
		}
	}
}

// queue queues messages as long as a peer has room, and returns those that are left. s.mu must be held.
func (s *Push) queue(messages []Message) (left []Message) {
	for len(messages) > 0 {
		o := outgoing{msg: messages[0], size: messages[0].Size()}
		p := s.pick(o.size)
		if p == nil {
			break
		}
		p.enqueue(o) // the writer waits for s.mu, so one wake-up writes them together
		messages = messages[1:]
	}
	return messages
}

// SendTo queues a message for that peer alone. It never blocks: the error is ErrNoPeer if the peer is not connected,
// and ErrFull at its high-water mark. After nil, written is called exactly once, unless it is nil: with nil when the
// last byte was written, or with an error if the peer was lost first. The socket's goroutines call it without locks;
// it must not block.
func (s *Push) SendTo(id PeerID, m Message, written func(err error)) error {
	if err := m.check(); err != nil {
		return err
	}
	size := m.Size()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ErrClosed
	}
	p := s.find(id)
	if p == nil {
		return ErrNoPeer
	}
	if p.full(size) {
		return ErrFull
	}
	p.enqueue(outgoing{msg: m, size: size, addressed: true, written: written})
	return nil
}

// pick returns the peer with the fewest messages queued, then the fewest bytes, then the next in turn. It returns
// nil if all are full.
func (s *Push) pick(size int64) *peer {
	var best *peer
	at := 0
	n := len(s.peers)
	for i := range n {
		j := s.turn + i
		if j >= n {
			j -= n
		}
		p := s.peers[j]
		if p.full(size) || p.gone() {
			continue
		}
		if best == nil || p.msgs < best.msgs || p.msgs == best.msgs && p.bytes < best.bytes {
			best, at = p, j
			if p.msgs == 0 {
				break
			}
		}
	}
	if best != nil {
		s.turn = (at + 1) % n
	}
	return best
}

// hand moves waiting messages to peers that have room.
func (s *Push) hand() {
	for len(s.waiting) > 0 {
		p := s.pick(s.waiting[0].size)
		if p == nil {
			return
		}
		p.enqueue(s.waiting[0])
		s.waiting[0] = outgoing{}
		s.waiting = s.waiting[1:]
	}
	s.waiting = nil
}

func (s *Push) join(*peer)    { s.hand() }
func (s *Push) written(*peer) { s.hand() }

func (s *Push) leave(_ *peer, lost []outgoing) (kept []outgoing) {
	s.turn = 0
	if s.cutting {
		return nil
	}
	for _, o := range lost {
		if !o.addressed {
			o.touched = false
			kept = append(kept, o)
		}
	}
	s.waiting = append(kept, s.waiting...)
	s.hand()
	return kept
}

func (s *Push) orphans() []outgoing { return s.waiting }
