package worker

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lines collects what a worker logs.
type lines struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.out.String(), text)
}

func TestUnreachableVentilatorsAreReportedSoonAndThenEachMinute(t *testing.T) {
	var said lines
	edit := func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&said, nil))
		c.Network.Resolve = func(_ context.Context, host string) ([]string, error) {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		c.Ventilators = []string{"tcp://nosuchhost:5557", "inproc://refuses"}
	}
	onStage(t, edit, func(t *testing.T, s *stage) {
		unreached := []string{"cannot reach nosuchhost:5557: no such host",
			"cannot reach inproc://refuses: connection refused"}
		mustHaveSaid := func(n int) {
			t.Helper()
			synctest.Wait()
			for _, text := range unreached {
				if got := said.count(text); got != n {
					t.Errorf("%q was logged %d times, not %d", text, got, n)
				}
			}
		}
		mustHaveSaid(0) // a ventilator may be started a moment later
		time.Sleep(5 * time.Second)
		mustHaveSaid(1)
		time.Sleep(50 * time.Second)
		mustHaveSaid(1)
		time.Sleep(20 * time.Second)
		mustHaveSaid(2)
		ready := s.worker.Ready()
		for _, text := range unreached {
			if ready == nil || !strings.Contains(ready.Error(), text) {
				t.Errorf("the worker says that it is ready: %v; want %q", ready, text)
			}
		}
		if n := said.count("cannot reach inproc://results"); n != 0 {
			t.Errorf("a sink that is connected is said %d times not to be", n)
		}
	})
}
