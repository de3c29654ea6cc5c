package zsock

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"
)

// handshakeGrace is how long every accepted connection has to shake hands, however many others want its place. Who
// means well and is near needs a millisecond; the scheduler may need some more under a flood.
const handshakeGrace = 20 * time.Millisecond

var errCrowded = errors.New("zsock: handshake ended to make room for others")

// handshake is a connection that is shaking hands.
type handshake struct {
	conn     net.Conn
	since    time.Time
	accepted bool
	heard    atomic.Bool // the peer has said something
	once     sync.Once
	err      error // why it was ended, if it was
}

// end closes the connection, so that shakeHands fails for the given reason.
func (h *handshake) end(reason error) {
	h.once.Do(func() {
		h.err = reason
		_ = h.conn.Close()
	})
}

// beginHandshake counts the connection among those that are shaking hands.
func (s *socket) beginHandshake(conn net.Conn, accepted bool) *handshake {
	h := &handshake{conn: conn, since: time.Now(), accepted: accepted}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cutting {
		h.end(ErrClosed)
	}
	s.handshakes = append(s.handshakes, h)
	return h
}

// awaitHandshakes returns when there is room for one more accepted connection. If there are too many, it ends the
// oldest one that has said nothing, or the oldest, so that a peer that means well gets through a flood of those that
// do not. It returns false when the socket is closed.
func (s *socket) awaitHandshakes() bool {
	for {
		s.mu.Lock()
		crowd, worst := 0, (*handshake)(nil)
		for _, h := range s.handshakes {
			if !h.accepted {
				continue
			}
			crowd++
			if worst == nil || worst.heard.Load() && !h.heard.Load() {
				worst = h
			}
		}
		if crowd < s.cfg.MaxHandshakes {
			s.mu.Unlock()
			return true
		}
		wait := handshakeGrace - time.Since(worst.since)
		if wait <= 0 {
			worst.end(errCrowded)
			s.forget(worst)
		}
		s.mu.Unlock()
		if wait > 0 && !s.sleep(min(wait, handshakeGrace/10)) {
			return false
		}
	}
}

// forget takes h off the list. s.mu must be held.
func (s *socket) forget(h *handshake) {
	s.handshakes = slices.DeleteFunc(s.handshakes, func(other *handshake) bool { return other == h })
}

// endHandshake returns why the handshake was ended from outside, if it was.
func (s *socket) endHandshake(h *handshake) error {
	s.mu.Lock()
	s.forget(h)
	s.mu.Unlock()
	h.once.Do(func() {}) // from here on the peer is cut, not its handshake
	return h.err
}

// shakeHands opens ZMTP on a connection within HandshakeTimeout.
func (s *socket) shakeHands(conn net.Conn, h *handshake) (l *link, zmtp *zmq4.Conn, peer ready, err error) {
	l = newLink(conn)
	l.onBytes = func() { h.heard.Store(true) }
	defer func() {
		if r := recover(); r != nil { // the last resort: nothing that a peer sends is known to get here
			s.log.Error("panic in a handshake", "remote", conn.RemoteAddr().String(), "panic", r)
			err = fmt.Errorf("zsock: panic in a handshake: %v", r)
		}
		if l.readErr != nil {
			err = l.readErr // without zmq4's words around it
		}
		if ended := s.endHandshake(h); ended != nil {
			err = ended
		}
	}()
	if err := conn.SetDeadline(time.Now().Add(s.cfg.HandshakeTimeout)); err != nil {
		return l, nil, ready{}, err
	}
	security := &nullSecurity{kind: s.kind, identity: s.cfg.Identity}
	zmtp, err = zmq4.Open(l, security, s.kind, zmq4.SocketIdentity(s.cfg.Identity), false, nil)
	if err != nil {
		return l, nil, ready{}, err
	}
	return l, zmtp, security.peer, conn.SetDeadline(time.Time{})
}
