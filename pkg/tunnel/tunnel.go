// Package tunnel carries connections of programs without TLS to a farm with TLS. It listens on this machine only, and
// passes bytes on as they are: inside, a program identifies to the farm itself, by ZMTP's PLAIN mechanism.
package tunnel

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// dialTimeout bounds a connection to the farm, its TLS handshake included.
const dialTimeout = 5 * time.Second

// A program that connects sends a signature at once (ZMTP 3.0, RFC 23), by which the tunnel tells it from one that
// keeps silent. The rest of its greeting may wait for the farm's.
const (
	signatureSize    = 10
	signatureTimeout = 5 * time.Second
)

// Connections without a place have sent no signature yet, or wait for a place. There are half as many as places, but at
// least minWaiting and at most maxWaiting. They hold a file descriptor each.
const (
	minWaiting = 16
	maxWaiting = 128
)

// A connection that ends within refusedWithin is taken for a refused one. Its program is told so after refusedPause.
const (
	refusedWithin = time.Second
	refusedPause  = time.Second
)

// lastWords is how long one direction of a connection outlives the other.
const lastWords = 2 * time.Second

// Config configures a tunnel.
type Config struct {
	Ways      []Way          // at least one
	Security  zsock.Security // authenticates both ends of the farm's connections
	PeerRoles []string       // those of which the farm's certificate must name one
	MaxConns  int            // to the farm at the same time, of two file descriptors each; default 256
	Logger    *slog.Logger   // nil: no logging
}

// Way leads from an endpoint on this machine to one of the farm.
type Way struct {
	From string // tcp://HOST:PORT with a loopback address, or ipc://PATH
	To   string // tls://HOST:PORT
}

// Validate returns an error that says what is wrong with c.
func (c Config) Validate() error {
	if len(c.Ways) == 0 || c.Security == nil {
		return errors.New("a tunnel needs a way and a certificate")
	}
	for _, w := range c.Ways {
		if address, ok := strings.CutPrefix(w.From, "tcp://"); ok {
			host, _, err := net.SplitHostPort(address)
			if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
				return fmt.Errorf("the tunnel cannot begin at %s: its inside must be a loopback address or ipc", w.From)
			}
		} else if !strings.HasPrefix(w.From, "ipc://") {
			return fmt.Errorf("the tunnel cannot begin at %s: it must be tcp:// or ipc://", w.From)
		}
		if !strings.HasPrefix(w.To, "tls://") {
			return fmt.Errorf("the tunnel cannot lead to %s: it must be tls://", w.To)
		}
	}
	return nil
}

// Run carries connections until ctx ends, and returns nil. It returns an error when it cannot listen.
func Run(ctx context.Context, c Config) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.MaxConns == 0 {
		c.MaxConns = 256
	}
	waiting := min(maxWaiting, max(minWaiting, c.MaxConns/2))
	t := &tunnel{cfg: c, waiting: newPlaces(waiting, greetingGrace), places: newPlaces(c.MaxConns, admissionGrace)}
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range c.Ways {
		l, err := listen(ctx, w.From)
		if err != nil {
			return fmt.Errorf("cannot listen on %s: %w", w.From, err)
		}
		stop := context.AfterFunc(ctx, func() { l.Close() })
		defer stop()
		defer l.Close()
		c.Logger.Info("tunnel", "from", w.From, "to", w.To)
		group.Go(func() error { return t.accept(ctx, l, w) })
	}
	err := group.Wait()
	t.conns.Wait()
	return err
}

// listen binds an endpoint. No other user can connect to an ipc endpoint.
func listen(ctx context.Context, endpoint string) (net.Listener, error) {
	if address, ok := strings.CutPrefix(endpoint, "tcp://"); ok {
		return new(net.ListenConfig).Listen(ctx, "tcp", address)
	}
	path := strings.TrimPrefix(endpoint, "ipc://")
	l, err := zsock.ListenUnix(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

type tunnel struct {
	cfg     Config
	waiting *places // for those that have none of the places below
	places  *places // with a connection to the farm
	conns   sync.WaitGroup
}

func (t *tunnel) accept(ctx context.Context, l net.Listener, w Way) error {
	for t.waiting.take(ctx) {
		inside, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			t.waiting.giveBack()
			t.cfg.Logger.Warn("cannot accept a connection", "at", w.From, "error", err)
			select {
			case <-time.After(100 * time.Millisecond): // most often the process has no free file descriptor
			case <-ctx.Done():
				return nil
			}
			continue
		}
		ctx, cut := context.WithCancel(ctx)
		p := t.waiting.begin(cut)
		t.conns.Go(func() {
			defer cut()
			defer inside.Close()
			signature, ok := t.hear(ctx, p, inside, w.From)
			ok = ok && t.places.take(ctx)
			t.waiting.end(p)
			if ok {
				t.serve(ctx, cut, &greeted{inside, io.MultiReader(bytes.NewReader(signature), inside)}, w)
			}
		})
	}
	return nil
}

// hear waits for the signature of a program. While it waits, the program makes room for others.
func (t *tunnel) hear(ctx context.Context, p *passage, inside net.Conn, from string) (signature []byte, ok bool) {
	stop := context.AfterFunc(ctx, func() { inside.Close() })
	defer stop()
	_ = inside.SetReadDeadline(time.Now().Add(signatureTimeout))
	signature = make([]byte, signatureSize)
	if _, err := io.ReadFull(inside, signature); err != nil {
		return nil, false
	}
	if signature[0] != 0xFF || signature[signatureSize-1]&1 == 0 {
		t.cfg.Logger.Warn("closed a connection of a program that does not speak ZMTP 3", "at", from)
		return nil, false
	}
	_ = inside.SetReadDeadline(time.Time{})
	p.admitted.Store(true)
	return signature, true
}

// greeted is the connection of a program that has sent its signature.
type greeted struct {
	net.Conn
	said io.Reader // the signature, and all that follows
}

func (g *greeted) Read(b []byte) (int, error) { return g.said.Read(b) }

// CloseWrite tells the program that the farm says no more.
func (g *greeted) CloseWrite() error {
	if half, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// serve connects a program that has a place, and frees the place at the end.
func (t *tunnel) serve(ctx context.Context, cut context.CancelFunc, inside net.Conn, w Way) {
	p := t.places.begin(cut)
	defer t.places.end(p)
	began := time.Now()
	if err := t.carry(ctx, p, inside, w.To); err != nil && ctx.Err() == nil {
		t.cfg.Logger.Warn("cannot connect to the farm", "from", w.From, "to", w.To, "why", err)
	}
	if time.Since(began) < refusedWithin { // libzmq would try again ten times a second
		select {
		case <-time.After(refusedPause):
		case <-ctx.Done():
		}
	}
}

// carry connects to the farm and passes bytes on until one end closes.
func (t *tunnel) carry(ctx context.Context, p *passage, inside net.Conn, to string) error {
	outside, err := t.dial(ctx, strings.TrimPrefix(to, "tls://"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		inside.Close()
		outside.NetConn().Close() // at once: the Close of tls.Conn would wait for a peer that does not read
	})
	defer stop()
	var both sync.WaitGroup
	for _, d := range []struct {
		to   net.Conn
		from io.Reader
	}{{outside, inside}, {inside, &heard{Reader: outside, passage: p}}} {
		both.Go(func() {
			_, _ = io.Copy(d.to, d.from)
			if half, ok := d.to.(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
			time.AfterFunc(lastWords, cancel) // what is on its way arrives, and nobody answers any more
		})
	}
	both.Wait()
	return nil
}

// dial connects to the farm, and checks that its end has one of the roles.
func (t *tunnel) dial(ctx context.Context, address string) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, t.cfg.Security.TLS())
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, fmt.Errorf("TLS with %s: %w", address, err)
	}
	p, err := t.cfg.Security.Principal(conn.ConnectionState())
	if err == nil && !slices.Contains(t.cfg.PeerRoles, p.Role) {
		err = fmt.Errorf("%s is %s, none of %v", address, p, t.cfg.PeerRoles)
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}
