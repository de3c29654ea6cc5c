package zsock

import (
	"context"
	"time"
)

// lingerMax is how long Close waits, after everything was handed to the kernel, for peers to close their end: until
// then the kernel may still be sending, and would stop when a connection with unread bytes is closed.
const lingerMax = time.Second

// Close takes nothing new, hands what is queued to the transport, and then ends every goroutine and connection. When
// ctx ends first, it cuts, and returns an *UnsentError if messages are left. Meanwhile lost peers are connected again,
// so that they can still be sent to. Closing a closed socket returns nil (after the first Close has done its work).
func (s *socket) Close(ctx context.Context) error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		select {
		case <-s.ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.closing = true
	s.broadcastAll()
	s.mu.Unlock()
	defer close(s.ended)
	if s.flushes && s.flush(ctx) {
		s.linger(ctx)
	}
	s.cut()
	s.wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broadcastAll()
	if o, ok := s.pattern.(interface{ orphans() []outgoing }); ok {
		s.countUnsent(o.orphans())
	}
	if s.unsent.Messages > 0 {
		return &UnsentError{s.unsent.Messages, s.unsent.Bytes}
	}
	return nil
}

func (s *socket) broadcastAll() {
	s.sendable.broadcast()
	s.arrived.broadcast()
}

// flush waits until nothing is queued, and reports whether that came before ctx ended.
func (s *socket) flush(ctx context.Context) bool {
	for {
		s.mu.Lock()
		pending := false
		for _, p := range s.peers {
			pending = pending || p.msgs > 0
		}
		if o, ok := s.pattern.(interface{ orphans() []outgoing }); ok && len(o.orphans()) > 0 {
			pending = true
		}
		changed := s.sendable.wait()
		s.mu.Unlock()
		if !pending {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// linger says goodbye to all peers and waits a little until they have said it too.
func (s *socket) linger(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lingerMax)
	defer cancel()
	s.mu.Lock()
	peers := append([]*peer(nil), s.peers...)
	for _, p := range peers {
		p.finishing = true
		p.wakeWriter()
	}
	s.mu.Unlock()
	for _, p := range peers {
		select {
		case <-p.ctx.Done():
		case <-ctx.Done():
			return
		}
	}
}

// cut ends everything.
func (s *socket) cut() {
	s.cancel()
	s.mu.Lock()
	s.cutting = true
	peers := append([]*peer(nil), s.peers...)
	for _, l := range s.listeners {
		_ = l.Close()
	}
	for _, h := range s.handshakes {
		h.end(ErrClosed)
	}
	s.mu.Unlock()
	for _, p := range peers {
		p.cut(ErrClosed)
	}
}
