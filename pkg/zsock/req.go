package zsock

import (
	"context"
	"fmt"

	"github.com/go-zeromq/zmq4"
)

// Req sends requests to its REP peers, one at a time to each. Further requests wait, or go to another peer.
type Req struct {
	*socket
	passive
	turn int
}

// NewReq returns a REQ socket without endpoints.
func NewReq(cfg Config) (*Req, error) {
	s, err := newSocket(cfg, zmq4.Req)
	if err != nil {
		return nil, err
	}
	r := &Req{socket: s}
	s.pattern, s.maxRecv = r, s.cfg.MaxMessage
	return r, nil
}

// Do waits for a peer without a request, sends it m and returns the reply. If ctx ends before a peer is free, the
// error wraps ErrNoPeer: nothing was sent. If ctx ends before the reply, Do drops the connection, which is dialled
// again, so that a late reply cannot answer another request. If the peer is lost first, the error wraps ErrPeerLost.
// In both cases nobody knows whether the request was carried out.
func (s *Req) Do(ctx context.Context, m Message) (Message, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	p, reply, err := s.ask(ctx, m)
	if err != nil {
		return nil, err
	}
	select {
	case m := <-reply:
		return m, nil
	case <-ctx.Done():
		p.cut(fmt.Errorf("zsock: request given up: %w", ctx.Err()))
		return nil, ctx.Err()
	case <-p.ctx.Done():
		select {
		case m := <-reply: // it answered before it was lost
			return m, nil
		default:
			return nil, fmt.Errorf("%w: %w", ErrPeerLost, p.reason())
		}
	}
}

// ask queues the request at a free peer, and returns the channel of the reply.
func (s *Req) ask(ctx context.Context, m Message) (*peer, <-chan Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	frames := append(Message{nil}, m...) // an empty frame ends the envelope, which is empty
	for {
		s.mu.Lock()
		if s.closing {
			s.mu.Unlock()
			return nil, nil, ErrClosed
		}
		if p := s.idle(); p != nil {
			reply := make(chan Message, 1)
			p.busy, p.reply = true, reply
			p.enqueue(outgoing{msg: frames, size: m.Size()})
			s.mu.Unlock()
			return p, reply, nil
		}
		sendable := s.sendable.wait()
		s.mu.Unlock()
		select {
		case <-sendable:
		case <-ctx.Done():
			return nil, nil, waitError(ctx, ErrNoPeer)
		}
	}
}

func (s *Req) idle() *peer {
	n := len(s.peers)
	for i := range n {
		at := (s.turn + i) % n
		if p := s.peers[at]; !p.busy && !p.gone() {
			s.turn = at + 1
			return p
		}
	}
	return nil
}

func (s *Req) receive(p *peer, m Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.reply == nil {
		return protocolError("a reply without a request")
	}
	if len(m) < 2 || len(m[0]) != 0 {
		return protocolError("a reply without an empty first frame")
	}
	p.reply <- m[1:]
	p.busy, p.reply = false, nil
	s.sendable.broadcast()
	return nil
}
