package zsock

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// Security authenticates both ends of tls:// connections. Its methods may be called from any goroutine.
type Security interface {
	// TLS returns the configuration of the next connection, for either end. It must require a certificate of the peer, and
	// TLS 1.3.
	TLS() *tls.Config
	// Principal returns whom the peer's certificate names. It verifies the certificate; an error refuses the peer.
	Principal(state tls.ConnectionState) (Principal, error)
	// Expires returns when the certificate of this end expires.
	Expires() time.Time
	// Check returns an error if the certificate of a connected peer has expired or was revoked. The peer is then dropped.
	Check(p Principal) error
}

// Principal is whom a certificate names.
type Principal struct {
	Role, Name string // both empty: nobody
	Serial     string // of the certificate; empty for a password
	Expires    time.Time
	Carrier    bool // it carries the connections of others, which must identify by PLAIN: a tunnel
}

// String returns ROLE/NAME, or "" for nobody.
func (p Principal) String() string {
	if p.Role == "" {
		return ""
	}
	return p.Role + "/" + p.Name
}

// checkPrincipalsEvery is how often a socket asks Security.Check about its peers.
const checkPrincipalsEvery = 5 * time.Second

// PrincipalOf returns the principal of the peer whose request a handler of Rep.Serve answers. secured says whether the
// connection is authenticated; it is not over tcp, ipc and inproc.
func PrincipalOf(ctx context.Context) (p Principal, secured bool) {
	p, secured = ctx.Value(principalKey{}).(Principal)
	return p, secured
}

type principalKey struct{}

// WithPrincipal returns a context of which PrincipalOf returns p.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// secureTransport is tcp inside TLS.
type secureTransport struct{ security Security }

var _ transport = secureTransport{}

func (t secureTransport) listen(ctx context.Context, e endpoint, kernelBuffer int) (net.Listener, string, error) {
	l, bound, err := tcp{}.listen(ctx, e, kernelBuffer)
	if err != nil {
		return nil, "", err
	}
	return secureListener{l, t.security}, bound, nil
}

func (t secureTransport) dial(ctx context.Context, address string, kernelBuffer int) (net.Conn, error) {
	conn, err := tcp{}.dial(ctx, address, kernelBuffer)
	if err != nil {
		return nil, err
	}
	return newSecureConn(conn, t.security, tls.Client), nil
}

type secureListener struct {
	net.Listener
	security Security
}

// Accept returns a connection before its TLS handshake, which shakeHands does within HandshakeTimeout.
func (l secureListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newSecureConn(conn, l.security, tls.Server), nil
}

// secureConn is a connection inside TLS.
type secureConn struct {
	*tls.Conn
	raw      *recordConn
	security Security

	// The reader's.
	fetched int  // bytes of a frame's memory, from where the next read begins, that are in the cache
	sum     byte // what fetch returned; the compiler would remove reads that nothing uses
}

func newSecureConn(raw net.Conn, security Security, end func(net.Conn, *tls.Config) *tls.Conn) *secureConn {
	records := &recordConn{Conn: raw}
	return &secureConn{Conn: end(records, security.TLS()), raw: records, security: security}
}

// fetchAhead is how many bytes of a frame's memory are fetched at once.
const fetchAhead = 128 << 10

// Read reads from one record, of which crypto/tls copies 16 KiB at most to p from its buffer. Memory of a frame that is
// in no cache would keep the processor waiting at each record; it comes faster in long stretches.
func (c *secureConn) Read(p []byte) (int, error) {
	if c.fetched <= 0 && len(p) > readAhead {
		c.fetched = min(len(p), fetchAhead)
		c.sum = fetch(p[:c.fetched])
	}
	n, err := c.Conn.Read(p)
	c.fetched -= n
	return n, err
}

// fetch reads each cache line of p.
func fetch(p []byte) (sum byte) {
	for i := 0; i < len(p); i += 64 {
		sum |= p[i]
	}
	return sum
}

// writePieces writes all pieces, and returns how many of their bytes were certainly written.
func (c *secureConn) writePieces(pieces *net.Buffers) (int64, error) {
	c.raw.gather()
	n, err := pieces.WriteTo(c.Conn)
	lost, flushErr := c.raw.flush()
	if err == nil {
		err = flushErr
	}
	return max(0, n-int64(lost)), err
}

// Close closes the connection at once. The Close of tls.Conn would wait up to 5 s for a peer that does not read.
func (c *secureConn) Close() error { return c.raw.Close() }

// authenticate does the TLS handshake and returns whom the peer's certificate names. Over other transports it does
// nothing. The certificate of a carrier is enough for an accepted connection: PLAIN inside it proves the role.
func (s *socket) authenticate(conn net.Conn, accepted bool) (Principal, error) {
	c, ok := conn.(*secureConn)
	if !ok {
		return Principal{}, nil
	}
	if err := c.HandshakeContext(s.ctx); err != nil {
		return Principal{}, fmt.Errorf("zsock: TLS: %w", err)
	}
	p, err := c.security.Principal(c.ConnectionState())
	if err != nil {
		return Principal{}, fmt.Errorf("zsock: TLS: %w", err)
	}
	if p.Role == "" {
		return Principal{}, errors.New("zsock: TLS: the peer's certificate names no role")
	}
	if p.Carrier && accepted {
		return p, nil
	}
	if len(s.cfg.PeerRoles) > 0 && !slices.Contains(s.cfg.PeerRoles, p.Role) {
		return Principal{}, fmt.Errorf("zsock: %s may not connect here: its certificate needs a role of %v",
			p, s.cfg.PeerRoles)
	}
	return p, nil
}

// watchPrincipal drops the peer when its certificate or password expires, or check says so. stop ends the watch.
func (p *peer) watchPrincipal(who Principal, check func(Principal) error) (stop func()) {
	var timer *time.Timer
	wait := func() time.Duration {
		return max(min(checkPrincipalsEvery, time.Until(who.Expires)+time.Millisecond), time.Millisecond)
	}
	started := make(chan struct{})
	timer = time.AfterFunc(wait(), func() {
		<-started
		if err := check(who); err != nil {
			p.cut(fmt.Errorf("zsock: %w", err))
			return
		}
		if !p.gone() {
			timer.Reset(wait())
		}
	})
	close(started)
	return func() { timer.Stop() }
}
