package telemetry

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/account"
)

// Bounds on connections, besides their number.
const (
	writeChunk  = 16 << 10         // bytes that a client has to take within writeWithin
	writeWithin = 10 * time.Second // longest wait for a client to take writeChunk
	evictStuck  = time.Second      // a client that has taken nothing for this long makes room for another one
)

// crowd bounds the connections of one listener, in all and of one address, so that no client can use up the places or
// the descriptors of the process. When there are too many, it closes the connection that has been idle longest, or
// else the one that has taken nothing of an answer for longest.
type crowd struct {
	net.Listener
	total, perAddress int
	refused           func(account string, of int)

	mu     sync.Mutex
	guests map[*guest]struct{}
	counts map[string]int
}

// newCrowd returns a listener that has at most total connections. One address has at most three quarters of them.
func newCrowd(l net.Listener, total int, refused func(account string, of int)) *crowd {
	return &crowd{
		Listener: l, total: total, perAddress: max(1, total-total/4), refused: refused,
		guests: make(map[*guest]struct{}), counts: make(map[string]int),
	}
}

// Accept implements net.Listener.
func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g := &guest{Conn: conn, crowd: c, account: account.OfRemote(conn.RemoteAddr().String()), idleSince: time.Now()}
		if c.admit(g, time.Now()) {
			return g, nil
		}
		conn.Close()
	}
}

func (c *crowd) admit(g *guest, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	ownFull := c.counts[g.account] >= c.perAddress
	if ownFull || len(c.guests) >= c.total {
		var victim *guest
		var worst time.Duration
		for q := range c.guests {
			if ownFull && q.account != g.account {
				continue
			}
			if w := q.useless(now); w > 0 && (victim == nil || w > worst) {
				victim, worst = q, w
			}
		}
		c.refused(g.account, c.counts[g.account])
		if victim == nil {
			return false
		}
		c.forgetLocked(victim)
		victim.Conn.Close()
	}
	c.guests[g] = struct{}{}
	c.counts[g.account]++
	return true
}

func (c *crowd) forgetLocked(g *guest) {
	if _, ok := c.guests[g]; !ok {
		return
	}
	delete(c.guests, g)
	if c.counts[g.account]--; c.counts[g.account] == 0 {
		delete(c.counts, g.account)
	}
}

// guest is a connection of a crowd. Each part of an answer has its own write deadline, so that a slow reader is served
// while it makes progress, and no longer.
type guest struct {
	net.Conn
	crowd   *crowd
	account string

	mu         sync.Mutex
	idleSince  time.Time // when it began to wait for a request; zero: a handler works for it
	stuckSince time.Time // when the write in progress began; zero: there is none
	until      time.Time // the handler's own write deadline; zero: none
}

// useless returns for how long a guest has been idle or stuck, and idle ones first. 0 means that it is neither.
func (g *guest) useless(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	const idleFirst = 24 * time.Hour
	switch {
	case !g.idleSince.IsZero():
		return idleFirst + now.Sub(g.idleSince)
	case !g.stuckSince.IsZero() && now.Sub(g.stuckSince) >= evictStuck:
		return now.Sub(g.stuckSince)
	}
	return 0
}

func (g *guest) setIdle(idle bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idleSince = time.Time{}
	if idle {
		g.idleSince = time.Now()
	}
}

// Write implements net.Conn.
func (g *guest) Write(b []byte) (n int, err error) {
	for first := true; first || len(b) > 0; first = false {
		part := b[:min(len(b), writeChunk)]
		if err := g.begin(time.Now()); err != nil {
			return n, err
		}
		m, err := g.Conn.Write(part)
		n += m
		g.end()
		if err != nil {
			return n, err
		}
		b = b[m:]
	}
	return n, nil
}

func (g *guest) begin(now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stuckSince = now
	return g.apply()
}

// apply sets the earlier one of the two write deadlines. g.mu must be held.
func (g *guest) apply() error {
	deadline := g.stuckSince.Add(writeWithin)
	if g.stuckSince.IsZero() || !g.until.IsZero() && g.until.Before(deadline) {
		deadline = g.until
	}
	return g.Conn.SetWriteDeadline(deadline)
}

func (g *guest) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stuckSince = time.Time{}
}

// SetWriteDeadline implements net.Conn.
func (g *guest) SetWriteDeadline(t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.until = t
	return g.apply()
}

// SetDeadline implements net.Conn.
func (g *guest) SetDeadline(t time.Time) error {
	if err := g.SetReadDeadline(t); err != nil {
		return err
	}
	return g.SetWriteDeadline(t)
}

// Close implements net.Conn.
func (g *guest) Close() error {
	g.crowd.mu.Lock()
	g.crowd.forgetLocked(g)
	g.crowd.mu.Unlock()
	return g.Conn.Close()
}

type guestKey struct{}

// remember is the ConnContext of the server.
func remember(ctx context.Context, conn net.Conn) context.Context {
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	return context.WithValue(ctx, guestKey{}, conn)
}

// bounded is around all handlers of a crowd. Until a request's header is complete, its connection counts as idle. The
// body of a request has to come within bodyTimeout.
//
// A body in chunks is the last on its connection. There may have been a Content-Length, too, which net/http does not
// tell: a proxy in between may have gone by that.
func bounded(next http.Handler) http.Handler {
	return http.MaxBytesHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g, ok := r.Context().Value(guestKey{}).(*guest); ok {
			g.setIdle(false)
			defer g.setIdle(true)
		}
		if len(r.TransferEncoding) > 0 {
			w.Header().Set("Connection", "close")
		}
		if r.ContentLength != 0 {
			if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)); err != nil {
				http.Error(w, "cannot set a deadline", http.StatusInternalServerError)
				return
			}
		}
		next.ServeHTTP(w, r)
	}), maxBody)
}
