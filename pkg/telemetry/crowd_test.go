package telemetry

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// guestOf returns a guest that has come from an account, and whether its connection was closed.
func guestOf(c *crowd, account string) (g *guest, closed func() bool) {
	conn, other := net.Pipe()
	return &guest{Conn: conn, crowd: c, account: account, idleSince: time.Now()}, func() bool {
		_ = other.SetReadDeadline(time.Now().Add(-1))
		_, err := other.Read(make([]byte, 1))
		return errors.Is(err, io.EOF)
	}
}

func TestIdleConnectionsMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(nil, 8, func(string, int) {})
		admit := func(g *guest) bool {
			time.Sleep(time.Second)
			return c.admit(g, time.Now())
		}
		var guests []*guest
		var closed []func() bool
		for range 6 { // an address may have six of eight
			g, isClosed := guestOf(c, "a")
			if !admit(g) {
				t.Fatal("a connection is refused although there is room")
			}
			guests, closed = append(guests, g), append(closed, isClosed)
		}
		guests[0].setIdle(false)
		next, _ := guestOf(c, "a")
		if !admit(next) || closed[0]() || !closed[1]() || closed[2]() {
			t.Error("not the connection that was idle longest is closed")
		}
		for range 2 {
			if g, _ := guestOf(c, "b"); !admit(g) {
				t.Error("one address takes the places of another")
			} else {
				g.setIdle(false)
			}
		}
		if g, _ := guestOf(c, "b"); !admit(g) || !closed[2]() {
			t.Error("a new connection does not replace the one that was idle longest")
		}
		for g := range c.guests {
			g.setIdle(false)
		}
		if g, _ := guestOf(c, "c"); admit(g) {
			t.Error("a connection replaces one at work")
		}
		guests[0].stuckSince = time.Now()
		if g, _ := guestOf(c, "c"); !admit(g) || !closed[0]() {
			t.Error("a client that takes nothing keeps its place")
		}
		if _, ok := c.counts["a"]; !ok || len(c.guests) != 8 {
			t.Errorf("%d connections, %v", len(c.guests), c.counts)
		}
		for g := range c.guests {
			g.Close()
			g.Close()
		}
		if len(c.counts) > 0 {
			t.Errorf("after all have left: %v", c.counts)
		}
	})
}

func TestSlowReaderIsServedWhileItMakesProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(nil, 8, func(string, int) {})
		write := func(n int, read func(net.Conn)) error {
			conn, other := net.Pipe()
			defer other.Close()
			g := &guest{Conn: conn, crowd: c}
			defer g.Close()
			go read(other)
			if err := g.SetWriteDeadline(time.Time{}); err != nil {
				t.Fatal(err)
			}
			m, err := g.Write(make([]byte, n))
			if err == nil && m != n {
				t.Errorf("%d of %d bytes without an error", m, n)
			}
			return err
		}
		slow := func(pause time.Duration) func(net.Conn) {
			return func(conn net.Conn) {
				for {
					time.Sleep(pause)
					if _, err := io.ReadFull(conn, make([]byte, writeChunk)); err != nil {
						return
					}
				}
			}
		}
		if err := write(100*writeChunk, slow(writeWithin*9/10)); err != nil {
			t.Errorf("a slow client: %v", err)
		}
		if err := write(100*writeChunk, slow(writeWithin*11/10)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a client that is too slow: %v", err)
		}
		start := time.Now()
		if err := write(1, func(net.Conn) {}); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != writeWithin {
			t.Errorf("a client that reads nothing: %v after %s", err, time.Since(start))
		}
	})
}

// The handler's own deadline holds, too, also when it is set during a write.
func TestHandlerCutsASlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, other := net.Pipe()
		defer other.Close()
		g := &guest{Conn: conn, crowd: newCrowd(nil, 8, func(string, int) {})}
		defer g.Close()
		time.AfterFunc(time.Second, func() { _ = g.SetWriteDeadline(time.Now()) })
		start := time.Now()
		if _, err := g.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

func TestMoreConnectionsThanAllowedAreServedInTurn(t *testing.T) {
	_, url, _ := runAdmin(t, AdminConfig{MaxConns: 4})
	for range 20 { // keep-alives, of which no request ends the connection
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%v", err)
		}
		answer.Body.Close()
	}
}

// Found: behind a proxy that goes by Content-Length, the rest of a body was taken for a request of its own.
func TestRequestInsideOfABodyIsNotAnswered(t *testing.T) {
	_, url, _ := runAdmin(t, AdminConfig{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	const inner = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 49\r\n"+
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"+inner); err != nil {
		t.Fatal(err)
	}
	answers, err := io.ReadAll(conn) // the end may come by a reset
	if n := strings.Count(string(answers), "HTTP/1.1 "); n != 1 {
		t.Errorf("%d answers, %v: %s", n, err, answers)
	}
}

// A body that does not come must not hold a connection for ever.
func TestBodyHasToComeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bounded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("reading the body ended with %v", err)
			}
		}))
		listener := &pipeListener{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
		server := &http.Server{Handler: h, ConnContext: remember}
		client, conn := net.Pipe()
		listener.conns <- conn
		go func() { _ = server.Serve(newCrowd(listener, 4, func(string, int) {})) }()
		start := time.Now()
		if _, err := io.WriteString(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(client); err != nil || time.Since(start) > 2*bodyTimeout {
			t.Errorf("the connection ended after %s: %v", time.Since(start), err)
		}
		server.Close()
	})
}

// pipeListener accepts connections in memory.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error { close(l.closed); return nil }

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }
