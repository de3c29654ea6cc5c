package zsock

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Dial connects to an endpoint (tcp://HOST:PORT, tls://HOST:PORT, ipc://PATH or inproc://NAME) and connects again
// whenever the connection fails or is lost, until the socket is closed. It returns at once; an error says that the
// endpoint can never work. Unreached says what keeps it from connecting.
func (s *socket) Dial(text string) error {
	e, err := parseEndpoint(text, false)
	if err != nil {
		return err
	}
	via, err := s.cfg.Network.transport(e)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ErrClosed
	}
	s.dialled = append(s.dialled, &dialled{endpoint: text, since: time.Now()})
	if e.host != "" && net.ParseIP(e.host) == nil {
		s.wg.Go(func() { s.resolve(e, via) })
		return nil
	}
	s.wg.Go(func() { s.dial(e, via, &target{address: e.address}) })
	return nil
}

// target is one address of an endpoint.
type target struct {
	address string
	mu      sync.Mutex
	stale   bool // the host name no longer resolves to it: do not connect again
	ended   bool // no goroutine dials it any more
}

// update notes whether the host name still resolves to the address, and reports whether a goroutine still dials it.
func (t *target) update(wanted bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stale = !wanted
	return !t.ended
}

// end ends the target if its address is stale, and reports whether it has ended.
func (t *target) end() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = t.ended || t.stale
	return t.ended
}

// resolve looks up the endpoint's host name again and again, and keeps one target for each address.
func (s *socket) resolve(e endpoint, via transport) {
	targets := make(map[string]*target)
	pause := backoff{cfg: &s.cfg}
	for {
		addresses, err := s.lookUp(e.host)
		if err != nil {
			s.log.Debug("cannot look up", "endpoint", e.text, "err", err)
			s.noteDial(e.text, err)
		} else {
			pause.reset()
			s.updateTargets(e, via, targets, addresses)
		}
		wait := s.cfg.ResolveEvery
		if len(targets) == 0 {
			wait = pause.next()
		}
		if !s.sleep(wait) {
			return
		}
	}
}

func (s *socket) updateTargets(e endpoint, via transport, targets map[string]*target, addresses []string) {
	wanted := make(map[string]bool, len(addresses))
	for _, a := range addresses {
		wanted[net.JoinHostPort(a, e.port)] = true
	}
	for a, t := range targets {
		if !t.update(wanted[a]) {
			delete(targets, a)
		}
	}
	for a := range wanted {
		if targets[a] == nil {
			t := &target{address: a}
			targets[a] = t
			s.wg.Go(func() { s.dial(e, via, t) })
		}
	}
}

// lookUp returns a host's IPv4 addresses, or its IPv6 addresses if it has no others, so that a host with both is one
// peer.
func (s *socket) lookUp(host string) ([]string, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.HandshakeTimeout)
	defer cancel()
	all, err := s.cfg.Network.Resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	var v4, v6 []string
	for _, a := range all {
		if ip := net.ParseIP(a); ip != nil && ip.To4() != nil {
			v4 = append(v4, a)
		} else {
			v6 = append(v6, a)
		}
	}
	if len(v4) > 0 {
		return v4, nil
	}
	return v6, nil
}

// dial connects to a target until it is stale or the socket is closed.
func (s *socket) dial(e endpoint, via transport, t *target) {
	pause := backoff{cfg: &s.cfg}
	for !t.end() {
		conn, err := s.connect(via, t.address)
		if err != nil {
			s.log.Debug("cannot connect", "endpoint", e.text, "address", t.address, "err", err)
		} else {
			var lasted bool
			if lasted, err = s.run(conn, e.text, s.beginHandshake(conn, false)); lasted {
				pause.reset()
			}
		}
		s.noteDial(e.text, err)
		if !s.sleep(pause.next()) {
			return
		}
	}
}

func (s *socket) connect(via transport, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.HandshakeTimeout)
	defer cancel()
	return via.dial(ctx, address, s.cfg.KernelBuffer)
}

// backoff returns growing pauses.
type backoff struct {
	cfg  *Config
	last time.Duration
}

func (b *backoff) reset() { b.last = 0 }

func (b *backoff) next() time.Duration {
	b.last = min(max(b.cfg.ReconnectMin, 2*b.last), b.cfg.ReconnectMax)
	return b.last - rand.N(b.last/2+1)
}
