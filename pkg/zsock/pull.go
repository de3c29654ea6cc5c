package zsock

import (
	"context"

	"github.com/go-zeromq/zmq4"
)

// inbox holds what Pull and Sub have received and the application has not taken: a queue for each peer, served in
// turn. The socket's mutex guards it.
type inbox struct {
	*socket
	passive
	ready   fifo[*peer] // peers with messages
	msgs    int
	bytes   int64
	waiting fifo[*peer] // peers whose readers wait for room, first come first served
}

func newInbox(cfg Config, kind zmq4.SocketType) (*inbox, error) {
	s, err := newSocket(cfg, kind)
	if err != nil {
		return nil, err
	}
	s.maxRecv = s.cfg.MaxMessage
	return &inbox{socket: s}, nil
}

func (in *inbox) room(p *peer, size uint64) *signal {
	full := in.msgs >= in.cfg.RecvHWM || in.msgs > 0 && in.bytes+int64(size) > in.cfg.RecvBytes
	switch {
	case !p.waiting && !full && in.waiting.len() == 0:
		return nil
	case !p.waiting:
		p.waiting = true
		in.waiting.push(p)
	case !full && *in.waiting.front() == p:
		in.waiting.pop()
		p.waiting = false
		in.wakeFirst()
		return nil
	}
	return &p.turn
}

// wakeFirst wakes the reader that has waited longest for room.
func (in *inbox) wakeFirst() {
	for in.waiting.len() > 0 {
		p := *in.waiting.front()
		if !p.gone() {
			p.turn.broadcast()
			return
		}
		in.waiting.pop()
	}
}

func (in *inbox) leave(*peer, []outgoing) []outgoing {
	in.wakeFirst()
	return nil
}

func (in *inbox) receive(p *peer, m Message) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.msgs++
	in.bytes += m.Size()
	p.inbox.push(m)
	if p.inbox.len() == 1 {
		in.ready.push(p)
	}
	in.arrived.broadcast()
	return nil
}

// next takes the next message of the next peer in turn.
func (in *inbox) next(ctx context.Context) (Message, *peer, error) {
	for {
		in.mu.Lock()
		if in.closing {
			in.mu.Unlock()
			return nil, nil, ErrClosed
		}
		if in.ready.len() > 0 {
			p := in.ready.pop()
			m := p.inbox.pop()
			if p.inbox.len() > 0 {
				in.ready.push(p)
			}
			in.msgs--
			in.bytes -= m.Size()
			in.wakeFirst()
			in.mu.Unlock()
			return m, p, nil
		}
		arrived := in.arrived.wait()
		in.mu.Unlock()
		select {
		case <-arrived:
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// Recv waits for a message and returns it. Peers are served in turn.
func (in *inbox) Recv(ctx context.Context) (Message, error) {
	m, _, err := in.next(ctx)
	return m, err
}

// Pull receives what its PUSH peers send.
type Pull struct{ *inbox }

// NewPull returns a PULL socket without endpoints.
func NewPull(cfg Config) (*Pull, error) {
	in, err := newInbox(cfg, zmq4.Pull)
	if err != nil {
		return nil, err
	}
	in.pattern = in
	return &Pull{in}, nil
}

// RecvFrom is Recv that also returns who sent the message. That peer may be lost by now.
func (s *Pull) RecvFrom(ctx context.Context) (Message, PeerInfo, error) {
	m, p, err := s.next(ctx)
	if err != nil {
		return nil, PeerInfo{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return m, p.info(), nil
}
