package zsock

import (
	"errors"
	"fmt"
)

// The errors that callers tell apart with errors.Is.
var (
	ErrClosed   = errors.New("zsock: socket closed")
	ErrNoPeer   = errors.New("zsock: no peer")
	ErrFull     = errors.New("zsock: queue full")
	ErrPeerLost = errors.New("zsock: peer lost")                          // it was lost before it answered
	ErrSilent   = errors.New("zsock: peer silent for too long")           // a PeerDown's error
	ErrStalled  = errors.New("zsock: peer has read nothing for too long") // a PeerDown's error
	ErrProtocol = errors.New("zsock: peer does not keep to ZMTP")         // a PeerDown's or PeerRefused's error

	// ErrGuessing is a PeerRefused's error.
	ErrGuessing = errors.New("zsock: too many wrong passwords; wait a minute")

	// ErrUngreeted is an UnreachedError's cause. A server of TLS closes a connection that does not begin with TLS.
	ErrUngreeted = errors.New(
		"zsock: the peer closes connections without a greeting; if it speaks TLS, give --tls")
)

// LimitError says which limit was exceeded, and by how much.
type LimitError struct {
	What string // what is limited, in words such as "bytes in a message"
	Max  uint64
	Got  uint64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("zsock: %s: %d exceeds the limit of %d", e.What, e.Got, e.Max)
}

// UnsentError is the error of a Close whose context ended before everything queued was written.
type UnsentError struct {
	Messages int
	Bytes    int64
}

func (e *UnsentError) Error() string {
	return fmt.Sprintf("zsock: closed with %d messages (%d bytes) unsent", e.Messages, e.Bytes)
}

func protocolError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
}
