package zsock

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// Network is what the sockets of one process have in common. A program makes one and hands it to everything that opens
// sockets. The zero value is usable: each zero field means its default.
type Network struct {
	// Inproc is where the inproc:// endpoints of this process meet. Nil: inproc endpoints are refused.
	Inproc *Inproc

	// Security authenticates the peers of tls:// endpoints. Nil: tls endpoints are refused.
	Security Security

	// Passwords authenticates peers that identify by PLAIN, inside TLS, over ipc and on loopback. Nil: PLAIN is refused.
	Passwords Passwords

	// Heartbeat is how long a peer may be silent before it is sent a PING. Negative: no heartbeats. Default 1 s.
	Heartbeat time.Duration
	// HeartbeatTimeout is how long a peer that answers PINGs may be silent before it is dropped. It is how long a frozen
	// machine goes unnoticed. Default 5 × Heartbeat.
	HeartbeatTimeout time.Duration

	// MaxConns is how many accepted connections each socket may have, those in their handshake included: the defaults of
	// Config.MaxPeers and Config.MaxHandshakes are lowered to it. It keeps peers from using up the process's files.
	// Default 0: those defaults stay.
	MaxConns int

	// Resolve looks up the addresses of a host name. Default: the system's resolver.
	Resolve func(ctx context.Context, host string) ([]string, error)

	// Logger gets a line at debug level for each peer that comes or goes, and a warning for what an operator should look
	// at. Default: nothing is logged.
	Logger *slog.Logger
}

// minConns is the smallest MaxConns: there is a place for a handshake, and one address has not all others.
const minConns = 8

// WithLogger returns n with the given logger, unless n has one already. A role uses it to label the lines of its
// sockets.
func (n Network) WithLogger(log *slog.Logger) Network {
	if n.Logger == nil {
		n.Logger = log
	}
	return n
}

func (n Network) withDefaults() Network {
	orDefault(&n.Heartbeat, time.Second)
	orDefault(&n.HeartbeatTimeout, 5*n.Heartbeat)
	if n.Resolve == nil {
		n.Resolve = net.DefaultResolver.LookupHost
	}
	if n.Logger == nil {
		n.Logger = slog.New(slog.DiscardHandler)
	}
	return n
}

func (n Network) validate() error {
	if n.HeartbeatTimeout < 0 {
		return fmt.Errorf("zsock: HeartbeatTimeout is %v; it must not be negative", n.HeartbeatTimeout)
	}
	if n.MaxConns < 0 || n.MaxConns > 0 && n.MaxConns < minConns {
		return fmt.Errorf("zsock: MaxConns is %d; it must be 0 or at least %d", n.MaxConns, minConns)
	}
	d := n.withDefaults()
	if d.Heartbeat > 0 && d.HeartbeatTimeout < d.Heartbeat {
		return fmt.Errorf("zsock: HeartbeatTimeout %v is less than Heartbeat %v", d.HeartbeatTimeout, d.Heartbeat)
	}
	return nil
}

// transport returns what makes the connections of an endpoint's scheme.
func (n Network) transport(e endpoint) (transport, error) {
	switch e.scheme {
	case "tcp":
		return tcp{}, nil
	case "ipc":
		return ipc{}, nil
	case "tls":
		if n.Security == nil {
			return nil, fmt.Errorf("zsock: endpoint %s: Network.Security is nil", e.text)
		}
		return secureTransport{n.Security}, nil
	}
	if n.Inproc == nil {
		return nil, fmt.Errorf("zsock: endpoint %s: Network.Inproc is nil", e.text)
	}
	return n.Inproc, nil
}
