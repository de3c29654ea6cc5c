package zsock

import (
	"context"
	"time"
)

// lingerMax is how long Close waits for peers to close their end after everything was written. The kernel may still
// be sending until then, and drops what it has left when a connection with unread bytes is closed.
const lingerMax = time.Second

// Close flushes: it accepts no further messages, writes what is queued, and then ends every goroutine and
// connection. While it flushes, lost peers are dialled again. When ctx ends first, Close drops what is left and
// returns an *UnsentError if that was anything. Closing a closed socket waits for the first Close and returns nil.
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

// linger closes the writing half of all connections and waits up to lingerMax until the peers have closed theirs.
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

// cut closes every connection, listener and handshake at once.
func (s *socket) cut() {
	s.cancel()
	s.mu.Lock()
	s.cutting = true
	peers := append([]*peer(nil), s.peers...)
	for _, l := range s.listeners {
		_ = l.Close()
	}
	if s.receiving.sweeper != nil {
		s.receiving.sweeper.Stop()
	}
	for _, h := range s.handshakes {
		h.end(ErrClosed)
	}
	s.mu.Unlock()
	for _, p := range peers {
		p.cut(ErrClosed)
	}
}
