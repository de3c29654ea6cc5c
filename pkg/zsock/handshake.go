package zsock

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-zeromq/zmq4"
)

// handshakeGrace is how long no accepted connection is closed to make room for others. An honest peer on the same
// network needs a millisecond for its handshake; the scheduler may add some under a flood.
const handshakeGrace = 20 * time.Millisecond

var errCrowded = errors.New("zsock: handshake ended to make room for others")

// handshake is a connection during its handshake.
type handshake struct {
	conn     net.Conn
	since    time.Time
	accepted bool
	account  string       // of its address
	heard    *atomic.Bool // the peer has sent something
	once     sync.Once
	err      error // why end was called
}

// end closes the connection; shakeHands then fails with the given reason.
func (h *handshake) end(reason error) {
	h.once.Do(func() {
		h.err = reason
		_ = h.conn.Close()
	})
}

// beginHandshake adds the connection to the list of handshakes.
func (s *socket) beginHandshake(conn net.Conn, accepted bool) *handshake {
	h := &handshake{conn: conn, since: time.Now(), accepted: accepted, heard: new(atomic.Bool)}
	if accepted {
		h.account = accountOf(conn, Principal{})
	}
	if secured, ok := conn.(*secureConn); ok {
		h.heard = &secured.raw.heard
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cutting {
		h.end(ErrClosed)
	}
	s.handshakes = append(s.handshakes, h)
	return h
}

// awaitHandshakes returns true when there is room for another accepted connection, and false when the socket is
// closed. To make room it ends a handshake, so that an honest peer gets through a flood of others.
func (s *socket) awaitHandshakes() bool {
	for {
		s.mu.Lock()
		crowded, victim, wait := s.crowd(time.Now())
		if victim != nil {
			victim.end(errCrowded)
			s.forget(victim)
		}
		s.mu.Unlock()
		switch {
		case !crowded:
			return true
		case victim == nil && !s.sleep(min(wait, handshakeGrace/10)):
			return false
		}
	}
}

// crowd reports whether there is no room for another accepted connection, and which handshake makes room: of those that
// have lasted for handshakeGrace one of the address with the most handshakes, one whose peer has sent nothing, and the
// oldest, in this order. victim is nil while all are younger; wait is how long that lasts. s.mu must be held.
func (s *socket) crowd(now time.Time) (crowded bool, victim *handshake, wait time.Duration) {
	accepted, ofAccount := 0, make(map[string]int)
	wait = handshakeGrace
	for _, h := range s.handshakes {
		if h.accepted {
			accepted++
			ofAccount[h.account]++
		}
	}
	if accepted < s.cfg.MaxHandshakes {
		return false, nil, 0
	}
	for _, h := range s.handshakes {
		if !h.accepted {
			continue
		}
		if left := handshakeGrace - now.Sub(h.since); left > 0 {
			wait = min(wait, left)
			continue
		}
		if victim == nil || h.endsBefore(victim, ofAccount) {
			victim = h
		}
	}
	return true, victim, wait
}

// endsBefore reports whether h, which is younger, is ended to make room rather than other.
func (h *handshake) endsBefore(other *handshake, ofAccount map[string]int) bool {
	if own, others := ofAccount[h.account], ofAccount[other.account]; own != others {
		return own > others
	}
	return other.heard.Load() && !h.heard.Load()
}

// forget takes h off the list. s.mu must be held.
func (s *socket) forget(h *handshake) {
	s.handshakes = slices.DeleteFunc(s.handshakes, func(other *handshake) bool { return other == h })
}

// endHandshake removes h from the list and returns why another goroutine ended it, if one did.
func (s *socket) endHandshake(h *handshake) error {
	s.mu.Lock()
	s.forget(h)
	s.mu.Unlock()
	h.once.Do(func() {}) // end does nothing any more: from here on the peer is cut instead
	return h.err
}

// closedByPeer reports whether the peer closed a connection. Data that it has not read make that a reset.
func closedByPeer(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// shakeHands does the TLS handshake, if there is one, and the ZMTP handshake on a connection within HandshakeTimeout.
func (s *socket) shakeHands(conn net.Conn, h *handshake) (l *link, zmtp *zmq4.Conn, peer ready, err error) {
	l = newLink(conn)
	l.onBytes = func() { h.heard.Store(true) }
	defer func() {
		if r := recover(); r != nil { // the last defence: no known input gets here
			s.log.Error("panic in a handshake", "remote", conn.RemoteAddr().String(), "panic", r)
			err = fmt.Errorf("zsock: panic in a handshake: %v", r)
		}
		if l.readErr != nil {
			err = l.readErr // zmq4 wraps it in words of its own
		}
		if !h.accepted && !h.heard.Load() && closedByPeer(err) {
			err = ErrUngreeted
		}
		if ended := s.endHandshake(h); ended != nil {
			err = ended
		}
	}()
	if err := conn.SetDeadline(time.Now().Add(s.cfg.HandshakeTimeout)); err != nil {
		return l, nil, ready{}, err
	}
	certificate, err := s.authenticate(conn, h.accepted)
	if err != nil {
		return l, nil, ready{}, err
	}
	mechanism := mechanismNull
	if h.accepted && s.takesPlain(conn) {
		if mechanism, err = l.awaitMechanism(); err != nil {
			return l, nil, ready{}, err
		}
	}
	security := &plainSecurity{
		null: nullSecurity{kind: s.kind, identity: s.cfg.Identity},
		admit: func(user, password string) (Principal, error) {
			return s.admitPlain(user, password, accountOf(conn, certificate))
		},
		flush: l.flush,
	}
	var chosen zmq4.Security = security
	switch {
	case mechanism == mechanismNull && certificate.Carrier:
		return l, nil, ready{}, fmt.Errorf("zsock: who comes by %s must identify by PLAIN", certificate)
	case mechanism == mechanismNull:
		chosen = &security.null
	}
	zmtp, err = zmq4.Open(l, chosen, s.kind, zmq4.SocketIdentity(s.cfg.Identity), false, nil)
	if security.refused != nil {
		err = security.refused // zmq4 wraps it in words of its own
	}
	if err != nil {
		return l, nil, ready{}, err
	}
	peer = security.null.peer
	if mechanism == mechanismNull {
		peer.principal = certificate
	}
	peer.certificate = certificate
	return l, zmtp, peer, conn.SetDeadline(time.Time{})
}
