package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// gallery is a web server with one image, whose state a test changes.
type gallery struct {
	*httptest.Server
	mu      sync.Mutex
	content string
	etag    string
	changed time.Time
	lies    bool // it sends the content whatever it is asked
	optsOut bool
	seen    []string // method and status
}

func newGallery(t *testing.T) *gallery {
	g := &gallery{content: "one", etag: `"1"`}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

// ServeHTTP implements http.Handler.
func (g *gallery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.URL.Path == "/moved.jpg" {
		http.Redirect(w, r, "/a.jpg", http.StatusFound)
		return
	}
	if g.etag != "" {
		w.Header().Set("ETag", g.etag)
	}
	if g.optsOut {
		w.Header().Set("X-Robots-Tag", "noai")
	}
	w.Header().Set("Content-Type", "image/jpeg")
	if g.lies {
		r.Header.Del("If-None-Match")
		r.Header.Del("If-Modified-Since")
	}
	status := &statusOf{ResponseWriter: w, code: http.StatusOK}
	http.ServeContent(status, r, "a.jpg", g.changed, strings.NewReader(g.content))
	g.seen = append(g.seen, fmt.Sprintf("%s %d", r.Method, status.code))
}

type statusOf struct {
	http.ResponseWriter
	code int
}

// WriteHeader implements http.ResponseWriter.
func (s *statusOf) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// requests returns what was requested since the last call.
func (g *gallery) requests() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	seen := g.seen
	g.seen = nil
	return seen
}

// entryAt returns a source of one URL, and its entry, which no server was asked about.
func entryAt(t *testing.T, at string) (Source, Entry) {
	t.Helper()
	s, err := Parse(at, nil, Config{Web: Web{AllowPrivate: true, Interval: time.Microsecond, MaxBody: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	var found Entry
	err = s.Walk(t.Context(), func(e Entry) error { found = e; return nil }, func(o Omission) { t.Error(o) })
	if err != nil {
		t.Fatal(err)
	}
	return s, found
}

func contentOf(t *testing.T, s Source, e Entry) string {
	t.Helper()
	f, err := s.Open(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil || int64(len(b)) != f.Size {
		t.Fatalf("%d of %d bytes, %v", len(b), f.Size, err)
	}
	return string(b)
}

func TestServerSendsWhatChangedAndNothingElse(t *testing.T) {
	long := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		what   string
		path   string
		before func(*gallery) // the state that the first run sees
		change func(*gallery)
		want   []string // requests of the second
		same   bool
	}{
		{what: "unchanged", want: []string{"GET 304"}, same: true},
		{what: "unchanged, by its time", before: func(g *gallery) { g.etag, g.changed = "", long },
			want: []string{"GET 304"}, same: true},
		{what: "unchanged, behind a redirection", path: "/moved.jpg", want: []string{"GET 304"}, same: true},
		{what: "another time, the same ETag", change: func(g *gallery) { g.changed = long },
			want: []string{"GET 304"}, same: true},
		{what: "sent again", change: func(g *gallery) { g.lies = true }, want: []string{"GET 200"}, same: true},
		{what: "sent again with a weak ETag", change: func(g *gallery) { g.lies, g.etag = true, `W/"1"` },
			want: []string{"GET 200"}, same: true},
		{what: "changed", change: func(g *gallery) { g.etag, g.content = `"2"`, "two" }, want: []string{"GET 200"}},
		{what: "changed, by its time", before: func(g *gallery) { g.etag, g.changed = "", long },
			change: func(g *gallery) { g.changed = long.Add(time.Second) }, want: []string{"GET 200"}},
		{what: "changed, with the same ETag and another size",
			change: func(g *gallery) { g.lies, g.content = true, "three" }, want: []string{"GET 200"}},
		{what: "without any mark", before: func(g *gallery) { g.etag = "" }, want: []string{"HEAD 200"}, same: true},
	} {
		t.Run(c.what, func(t *testing.T) {
			g := newGallery(t)
			if c.before != nil {
				c.before(g)
			}
			path := c.path
			if path == "" {
				path = "/a.jpg"
			}
			s, e := entryAt(t, g.URL+path)
			first := Identify(t.Context(), s, e)
			known := Validators(s, first)
			if c.change != nil {
				c.change(g)
			}
			g.requests()
			h := NewHolder(1 << 20)
			again := Revisit(t.Context(), s, e, known, h)
			if got := g.requests(); !slices.Equal(got, c.want) {
				t.Errorf("requests %q, not %q", got, c.want)
			}
			if (again.Version == first.Version) != c.same || again.IsHeld() == c.same {
				t.Errorf("version %q, after %q; held: %v", again.Version, first.Version, again.IsHeld())
			}
			if c.same {
				return
			}
			if got := contentOf(t, s, again); got != g.content || len(g.requests()) > 0 || h.bytes != 0 {
				t.Errorf("got %q; requests %q; %d bytes are held", got, g.seen, h.bytes)
			}
			if got := contentOf(t, s, again); got != g.content || len(g.requests()) != 1 { // redelivered
				t.Errorf("got %q the second time", got)
			}
		})
	}
}

// A server that ignores conditions would send all of its images again: it is asked by HEAD once that is known.
func TestServerThatIgnoresConditionsIsAskedByHead(t *testing.T) {
	g := newGallery(t)
	g.lies = true
	s, e := entryAt(t, g.URL+"/a.jpg")
	known := Validators(s, Identify(t.Context(), s, e))
	g.requests()
	h := NewHolder(1 << 20)
	Revisit(t.Context(), s, e, known, h)
	Revisit(t.Context(), s, e, known, h)
	g.etag, g.content = `"2"`, "two"
	if e = Revisit(t.Context(), s, e, known, h); e.IsHeld() || contentOf(t, s, e) != "two" {
		t.Errorf("%+v", e)
	}
	if got, want := g.requests(), []string{"GET 200", "HEAD 200", "HEAD 200", "GET 200"}; !slices.Equal(got, want) {
		t.Errorf("requests %q, not %q", got, want)
	}
}

func TestRevisitedImageMayBeRefused(t *testing.T) {
	for want, change := range map[outcome.Reason]func(*gallery){
		outcome.OptedOut: func(g *gallery) { g.optsOut = true },
		outcome.TooLarge: func(g *gallery) { g.etag, g.content = `"2"`, strings.Repeat("x", 1001) },
	} {
		g := newGallery(t)
		s, e := entryAt(t, g.URL+"/a.jpg")
		known := Validators(s, Identify(t.Context(), s, e))
		change(g)
		e = Revisit(t.Context(), s, e, known, NewHolder(1<<20))
		if e.Refused == nil || e.Refused.Reason != want || e.IsHeld() {
			t.Errorf("%s: %+v", want, e)
		}
	}
}

// Where nobody needs the bytes, as with references, no body is sent.
func TestRevisitWithoutAHolderFetchesNothing(t *testing.T) {
	g := newGallery(t)
	s, e := entryAt(t, g.URL+"/a.jpg")
	known := Validators(s, Identify(t.Context(), s, e))
	g.requests()
	Revisit(t.Context(), s, e, known, nil)
	g.etag = `"2"`
	if e = Revisit(t.Context(), s, e, known, nil); e.IsHeld() || !strings.Contains(e.Version, `"2"`) {
		t.Errorf("%+v", e)
	}
	if got, want := g.requests(), []string{"HEAD 304", "HEAD 200"}; !slices.Equal(got, want) {
		t.Errorf("requests %q, not %q", got, want)
	}
	d := parseDir(t)
	if e := (Entry{Name: "x"}); Revisit(t.Context(), d, e, known, nil).Name != "x" || Validators(d, e) != "" {
		t.Error("a directory has no validators")
	}
}

func parseDir(t *testing.T) Source {
	t.Helper()
	s, err := Parse(filepath.Dir(t.TempDir()), nil, Config{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHolderWaitsUntilSomethingIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHolder(10)
		hold := func(n int) *Entry {
			h.add(int64(n))
			return &Entry{held: &heldBody{holder: h, data: bytes.NewReader(make([]byte, n))}}
		}
		one, two := hold(6), hold(7)
		waited := make(chan error, 1)
		go func() {
			_, err := h.Wait(t.Context(), 0)
			waited <- err
		}()
		synctest.Wait()
		if len(waited) > 0 || !h.Full() {
			t.Error("it did not wait")
		}
		two.Release()
		if err := <-waited; err != nil || h.Full() {
			t.Error(err)
		}
		two.Release()
		one.Release()
		if h.bytes != 0 {
			t.Errorf("%d bytes are held", h.bytes)
		}
		ctx, cancel := context.WithCancel(t.Context())
		hold(10)
		cancel()
		if _, err := h.Wait(ctx, 0); err == nil {
			t.Error("it does not end")
		}
	})
}
