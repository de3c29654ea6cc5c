package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// waits is how often a room waited, and went on.
type waits struct{ begun, ended chan struct{} }

func newWaits() waits { return waits{make(chan struct{}, 8), make(chan struct{}, 8)} }

func (w waits) grow(ctx context.Context, r *room, n int64) error {
	return r.grow(ctx, n, func() { w.begun <- struct{}{} }, func() { w.ended <- struct{}{} })
}

func TestMemoryLetsOneImageExceedIt(t *testing.T) {
	m, w := NewMemory(10), newWaits()
	first, second := &room{of: m}, &room{of: m}
	for _, step := range []struct {
		r *room
		n int64
	}{{first, 6}, {second, 4}, {first, 30}, {first, 60}} { // the last two exceed it
		if err := w.grow(t.Context(), step.r, step.n); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.begun) > 0 || m.bytes != 64 {
		t.Fatalf("%d waited, %d bytes", len(w.begun), m.bytes)
	}
	grown := make(chan error)
	go func() { grown <- w.grow(t.Context(), second, 8) }()
	<-w.begun
	select {
	case <-grown:
		t.Fatal("two images exceed the limit")
	default:
	}
	first.release()
	first.release() // nothing more
	if err := <-grown; err != nil || m.bytes != 8 || len(w.ended) != 1 {
		t.Errorf("%v, %d bytes", err, m.bytes)
	}
	second.release()
	if m.bytes != 0 || m.above != nil {
		t.Errorf("left: %d bytes", m.bytes)
	}
}

func TestWaitForMemoryEndsWithItsContext(t *testing.T) {
	m, w := NewMemory(10), newWaits()
	if err := w.grow(t.Context(), &room{of: m}, 20); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("a signal")
	go func() {
		<-w.begun
		cancel(why)
	}()
	if err := w.grow(ctx, &room{of: m}, 1); !errors.Is(err, why) {
		t.Error(err)
	}
}

// The server says how large an image is, or does not. While there is no room for it, it is not read, however long that
// takes.
func TestImageIsReceivedOnceThereIsRoom(t *testing.T) {
	content := strings.Repeat("x", 300<<10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/known" {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		}
		_ = http.NewResponseController(w).Flush()
		_, _ = w.Write([]byte(content))
	}))
	defer server.Close()
	for _, path := range []string{"/known", "/unknown"} {
		m := NewMemory(1 << 10)
		f := newFetcher(Web{AllowPrivate: true, Interval: time.Nanosecond, Memory: m, Timeout: 30 * time.Second})
		other := &room{of: m}
		if err := other.grow(t.Context(), 2<<10, func() {}, func() {}); err != nil { // exceeds the limit
			t.Fatal(err)
		}
		got := make(chan error)
		var data *received
		go func() {
			var err error
			defer func() { got <- err }()
			data, err = f.get(t.Context(), server.URL+path, "")
		}()
		again := time.NewTicker(time.Millisecond) // a wait for memory is told to nobody
		defer again.Stop()
		for waits := false; !waits; {
			select {
			case err := <-got:
				t.Fatalf("%s: it did not wait for room: %v", path, err)
			case <-again.C:
			}
			m.mu.Lock()
			waits = m.freed != nil
			if n := m.bytes; n != 2<<10 {
				t.Errorf("%s: %d bytes are taken while there is no room", path, n)
			}
			m.mu.Unlock()
		}
		other.release()
		if err := <-got; err != nil || data.Size() != int64(len(content)) {
			t.Fatalf("%s: %v", path, err)
		}
		if m.bytes < data.Size() || path == "/known" && m.bytes != data.Size() {
			t.Errorf("%s: %d bytes count", path, m.bytes)
		}
		if err := data.Close(); err != nil || m.bytes != 0 {
			t.Errorf("%s: %v, %d bytes are left", path, err, m.bytes)
		}
	}
}

func TestRefusedImageLeavesNoMemory(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			for {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		case "/short":
			w.Header().Set("Content-Length", "2000")
			_, _ = w.Write(make([]byte, 1000))
		case "/slow":
			w.Header().Set("Content-Length", "2000")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	m := NewMemory(1 << 20)
	f := newFetcher(Web{AllowPrivate: true, Interval: time.Nanosecond, Memory: m, MaxBody: 5000,
		Timeout: 50 * time.Millisecond})
	_, err := f.get(t.Context(), server.URL+"/slow", "")
	if err == nil || !strings.Contains(err.Error(), "within 50ms (--url-timeout)") {
		t.Errorf("slow: %v", err)
	}
	f.cfg.Timeout = time.Minute
	_, err = f.get(t.Context(), server.URL+"/endless", "")
	var refused *outcome.Rejection
	if !errors.As(err, &refused) || refused.Reason != outcome.TooLarge {
		t.Errorf("endless: %v", err)
	}
	if _, err = f.get(t.Context(), server.URL+"/short", ""); err == nil {
		t.Error("half of an image is taken")
	}
	if m.bytes != 0 {
		t.Errorf("%d bytes are left", m.bytes)
	}
}
