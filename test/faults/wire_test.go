//go:build linux

package faults

import (
	"net"
	"strings"
	"sync"
	"testing"
)

// network is what lies between the sink and the others: it passes bytes on, until it is cut; then bytes vanish, and
// nobody is told, until it is healed.
type network struct {
	t    *testing.T
	host string
	wg   sync.WaitGroup

	mu    sync.Mutex
	whole chan struct{} // closed while bytes pass
	ended chan struct{}
}

func newWire(t *testing.T, host string) *network {
	w := &network{t: t, host: host, whole: make(chan struct{}), ended: make(chan struct{})}
	close(w.whole)
	t.Cleanup(w.wg.Wait)
	t.Cleanup(func() { close(w.ended) })
	return w
}

// to returns an endpoint that leads to that one.
func (w *network) to(endpoint string) string {
	w.t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(w.host, "0"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.wg.Go(func() {
		<-w.ended
		l.Close()
	})
	target := strings.TrimPrefix(endpoint, "tcp://")
	w.wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			w.wg.Go(func() { w.join(in, target) })
		}
	})
	return "tcp://" + l.Addr().String()
}

func (w *network) join(in net.Conn, target string) {
	defer in.Close()
	if !w.passes() {
		return
	}
	out, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer out.Close()
	var both sync.WaitGroup
	over := make(chan struct{})
	both.Go(func() { w.pass(in, out); out.Close(); in.Close() })
	both.Go(func() { w.pass(out, in); out.Close(); in.Close() })
	w.wg.Go(func() {
		select {
		case <-w.ended:
			in.Close()
			out.Close()
		case <-over:
		}
	})
	both.Wait()
	close(over)
}

// passes waits until bytes pass; false when the test ends before.
func (w *network) passes() bool {
	w.mu.Lock()
	whole := w.whole
	w.mu.Unlock()
	select {
	case <-whole:
		return true
	case <-w.ended:
		return false
	}
}

// pass passes on what comes. What comes while the network is cut is lost, and the connection with it.
func (w *network) pass(from, to net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		w.mu.Lock()
		whole := w.whole
		w.mu.Unlock()
		select {
		case <-whole:
		default:
			w.passes()
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (w *network) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whole = make(chan struct{})
}

func (w *network) heal() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.whole)
}
