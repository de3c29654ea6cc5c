package zsock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// UnreachedError says that a dialled endpoint has no peer at present, and why.
type UnreachedError struct {
	Endpoint string    // as given to Dial
	Since    time.Time // when its last peer was lost, or when it was dialled
	Err      error     // of the last attempt that failed; nil when the first has not ended
}

func (e *UnreachedError) Error() string {
	return fmt.Sprintf("cannot reach %s: %s", strings.TrimPrefix(strings.TrimPrefix(e.Endpoint, "tcp://"), "tls://"),
		e.reason())
}

// Unwrap returns why the last attempt failed.
func (e *UnreachedError) Unwrap() error { return e.Err }

// reason says in a few words why the last attempt failed, without the addresses that Go's errors repeat.
func (e *UnreachedError) reason() string {
	var dns *net.DNSError
	var errno syscall.Errno
	switch {
	case e.Err == nil:
		return "no answer yet"
	case errors.As(e.Err, &dns) && dns.IsTimeout:
		return "no name server answers"
	case errors.As(e.Err, &dns):
		return dns.Err
	case errors.Is(e.Err, os.ErrDeadlineExceeded) || errors.Is(e.Err, context.DeadlineExceeded):
		return "no answer"
	case errors.As(e.Err, &errno):
		return errno.Error()
	}
	return strings.TrimPrefix(e.Err.Error(), "zsock: ")
}

// dialled is an endpoint that the socket connects to. Guarded by socket.mu.
type dialled struct {
	endpoint string
	since    time.Time // as UnreachedError.Since
	err      error     // of the last attempt, nil once it had a peer
}

// Unreached returns the dialled endpoints that have no peer now, in the order of the calls of Dial.
func (s *socket) Unreached() []*UnreachedError {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []*UnreachedError
	for _, d := range s.dialled {
		if !s.reached(d.endpoint) {
			errs = append(errs, &UnreachedError{Endpoint: d.endpoint, Since: d.since, Err: d.err})
		}
	}
	return errs
}

// reached reports whether an endpoint has a peer. s.mu must be held.
func (s *socket) reached(endpoint string) bool {
	for _, p := range s.peers {
		if p.endpoint == endpoint {
			return true
		}
	}
	return false
}

// noteDial notes why an attempt to connect to an endpoint failed, or with a nil error that its last peer was just lost.
func (s *socket) noteDial(endpoint string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.dialled {
		if d.endpoint == endpoint {
			d.err = err
			if err == nil && !s.reached(endpoint) {
				d.since = time.Now()
			}
		}
	}
}
