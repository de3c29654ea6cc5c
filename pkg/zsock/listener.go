package zsock

import (
	"fmt"
	"net"
	"time"
)

// The pause after a failed accept. Most often the process has no free file descriptor.
const (
	acceptPauseMin = 5 * time.Millisecond
	acceptPauseMax = time.Second
)

// Listen accepts peers on an endpoint (tcp://HOST:PORT, tls://HOST:PORT, ipc://PATH or inproc://NAME) until the
// socket is closed. It returns the endpoint with the port that was chosen if it was given as 0 or *.
func (s *socket) Listen(text string) (bound string, err error) {
	e, err := parseEndpoint(text, true)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return "", ErrClosed
	}
	t, err := s.cfg.Network.transport(e)
	if err != nil {
		return "", err
	}
	l, bound, err := t.listen(s.ctx, e, s.cfg.KernelBuffer)
	if err != nil {
		return "", fmt.Errorf("zsock: listen on %s: %w", e.text, err)
	}
	s.listeners = append(s.listeners, l)
	s.wg.Go(func() { s.accept(l, bound) })
	return bound, nil
}

// accept makes every connection a peer with goroutines of its own.
func (s *socket) accept(l net.Listener, bound string) {
	pause := acceptPauseMin
	for s.awaitHandshakes() {
		conn, err := l.Accept()
		if err != nil {
			if s.ctx.Err() != nil {
				return
			}
			s.log.Warn("cannot accept a connection; trying again", "endpoint", bound, "err", err, "pause", pause)
			if !s.sleep(pause) {
				return
			}
			pause = min(2*pause, acceptPauseMax)
			continue
		}
		pause = acceptPauseMin
		h := s.beginHandshake(conn, true)
		s.wg.Go(func() { _, _ = s.run(conn, bound, h) }) // OnPeer hears of a refusal
	}
}

// sleep returns true after d, and false as soon as the socket is closed.
func (s *socket) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}
