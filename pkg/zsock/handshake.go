package zsock

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
)

var errCrowded = errors.New("zsock: handshake ended to make room for others")

// handshake is a connection that is shaking hands.
type handshake struct {
	conn net.Conn
	once sync.Once
	err  error // why it was ended, if it was
}

// end closes the connection, so that shakeHands fails for the given reason.
func (h *handshake) end(reason error) {
	h.once.Do(func() {
		h.err = reason
		_ = h.conn.Close()
	})
}

// beginHandshake counts the connection among those that are shaking hands. One accepted connection too many ends the
// oldest: a peer that means well needs a moment only, so it gets through a flood of those that say nothing.
func (s *socket) beginHandshake(conn net.Conn, accepted bool) *handshake {
	h := &handshake{conn: conn}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cutting {
		h.end(ErrClosed)
	}
	if accepted && len(s.handshakes) >= s.cfg.MaxHandshakes {
		s.handshakes[0].end(errCrowded)
		s.handshakes = slices.Delete(s.handshakes, 0, 1)
	}
	s.handshakes = append(s.handshakes, h)
	return h
}

// endHandshake returns why the handshake was ended from outside, if it was.
func (s *socket) endHandshake(h *handshake) error {
	s.mu.Lock()
	s.handshakes = slices.DeleteFunc(s.handshakes, func(other *handshake) bool { return other == h })
	s.mu.Unlock()
	h.once.Do(func() {}) // from here on the peer is cut, not its handshake
	return h.err
}

// shakeHands opens ZMTP on a connection within HandshakeTimeout.
func (s *socket) shakeHands(conn net.Conn, h *handshake) (l *link, zmtp *zmq4.Conn, peer ready, err error) {
	l = newLink(conn)
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
