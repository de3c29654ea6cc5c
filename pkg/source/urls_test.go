package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// rude is a web server that misbehaves by path.
type rude struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string // "METHOD /path"
	busy atomic.Int64
	open chan struct{} // closed when the test ends
}

func newRude(t *testing.T) *rude {
	r := &rude{open: make(chan struct{})}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	t.Cleanup(func() { close(r.open) })
	return r
}

func (r *rude) count(what string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.seen {
		if s == what {
			n++
		}
	}
	return n
}

// ServeHTTP implements http.Handler.
func (r *rude) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	r.seen = append(r.seen, q.Method+" "+q.URL.Path)
	r.mu.Unlock()
	switch q.URL.Path {
	case "/good.jpg":
		if !strings.HasPrefix(q.UserAgent(), "imagefarm/") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("ETag", `"1"`)
		fmt.Fprint(w, "good")
	case "/nohead.jpg":
		if q.Method == http.MethodHead {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		fmt.Fprint(w, "good")
	case "/gone.jpg":
		w.WriteHeader(http.StatusGone)
	case "/secret.jpg":
		w.WriteHeader(http.StatusForbidden)
	case "/law.jpg":
		w.WriteHeader(http.StatusUnavailableForLegalReasons)
	case "/broken.jpg":
		w.WriteHeader(http.StatusInternalServerError)
	case "/noai.jpg":
		w.Header().Set("X-Robots-Tag", "max-snippet: 3, noai")
		fmt.Fprint(w, "good")
	case "/otherbot.jpg":
		w.Header().Set("X-Robots-Tag", "otherbot: noindex")
		fmt.Fprint(w, "good")
	case "/page.jpg":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<html>")
	case "/busy.jpg", "/limited.jpg":
		if r.busy.Add(1)%2 == 1 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(map[string]int{"/busy.jpg": 503, "/limited.jpg": 429}[q.URL.Path])
			return
		}
		fmt.Fprint(w, "good")
	case "/always-busy.jpg":
		w.Header().Set("Retry-After", "Thu, 01 Jan 1970 00:00:00 GMT")
		w.WriteHeader(http.StatusServiceUnavailable)
	case "/here.jpg":
		http.Redirect(w, q, "/good.jpg", http.StatusFound)
	case "/loop.jpg":
		http.Redirect(w, q, "/loop.jpg", http.StatusFound)
	case "/file.jpg":
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(http.StatusFound)
	case "/claims.jpg":
		w.Header().Set("Content-Length", "1000000")
	case "/large.jpg":
		w.(http.Flusher).Flush() // no Content-Length
		for range 100 {
			_, _ = w.Write(make([]byte, 1000))
		}
	case "/reset.jpg":
		w.Header().Set("Content-Length", "10")
		fmt.Fprint(w, "half")
	case "/tarpit.jpg":
		w.Header().Set("Content-Length", "10")
		if q.Method == http.MethodGet {
			fmt.Fprint(w, "a")
			w.(http.Flusher).Flush()
			select {
			case <-r.open:
			case <-q.Context().Done():
			}
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func TestServersThatMisbehave(t *testing.T) {
	server := newRude(t)
	web := Web{AllowPrivate: true, Interval: time.Microsecond, MaxBody: 5000, Timeout: 2 * time.Second, Connections: 8}
	s, err := newURLs(server.URL+"/good.jpg", Config{Web: web})
	if err != nil {
		t.Fatal(err)
	}
	defer s.fetch.client.CloseIdleConnections()
	for path, want := range map[string]string{
		"/good.jpg": "good", "/nohead.jpg": "good", "/busy.jpg": "good", "/limited.jpg": "good", "/here.jpg": "good",
		"/otherbot.jpg": "good",
		"/gone.jpg":     "not-found", "/nowhere.jpg": "not-found", "/secret.jpg": "forbidden", "/law.jpg": "forbidden",
		"/noai.jpg": "opted-out", "/page.jpg": "not-an-image", "/loop.jpg": "forbidden", "/file.jpg": "forbidden",
		"/claims.jpg": "too-large", "/large.jpg": "too-large",
		"/broken.jpg": "again", "/reset.jpg": "again", "/tarpit.jpg": "again", "/always-busy.jpg": "again",
	} {
		t.Run(path, func(t *testing.T) {
			got := ""
			f, err := s.Open(t.Context(), Entry{Location: server.URL + path})
			var why *outcome.Rejection
			switch {
			case errors.As(err, &why):
				got = string(why.Reason)
			case err != nil:
				got = "again"
				if text := err.Error(); !strings.HasPrefix(text, "it could not be fetched: ") || strings.Contains(text, "http://") {
					t.Errorf("the error is %q", text)
				}
			default:
				data, _ := io.ReadAll(f)
				got = string(data)
			}
			if got != want {
				t.Errorf("%s, not %s: %v", got, want, err)
			}
		})
	}
	if n := server.count("GET /loop.jpg"); n != maxRedirects+1 {
		t.Errorf("%d requests of a loop", n)
	}
	if n := server.count("GET /always-busy.jpg"); n != maxTries {
		t.Errorf("%d requests of a busy server", n)
	}
}

func TestUnchangedImageIsAskedForByHead(t *testing.T) {
	server := newRude(t)
	s, err := newURLs(server.URL+"/good.jpg", Config{Web: Web{AllowPrivate: true, Interval: time.Microsecond}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.fetch.client.CloseIdleConnections()
	identify := func(path string) Entry { return s.identify(t.Context(), Entry{Location: server.URL + path}) }
	if a, b := identify("/good.jpg"), identify("/good.jpg"); a.Version != b.Version || a.Size != 4 || a.Refused != nil {
		t.Errorf("%+v, %+v", a, b)
	}
	if a, b := identify("/gone.jpg"), identify("/gone.jpg"); a.Version != b.Version || a.Refused == nil ||
		a.Refused.Reason != outcome.NotFound {
		t.Errorf("%+v", a)
	}
	if a := identify("/nohead.jpg"); a.Refused != nil {
		t.Errorf("%+v", a)
	}
	if server.count("GET /good.jpg") != 0 {
		t.Error("the image was fetched")
	}
}

func TestPrivateAddressesAreNotConnectedTo(t *testing.T) {
	server := newRude(t)
	for _, at := range []string{server.URL, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)} {
		s, err := newURLs(at+"/good.jpg", Config{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Open(t.Context(), Entry{Location: at + "/good.jpg"})
		var why *outcome.Rejection
		if !errors.As(err, &why) || why.Reason != outcome.Forbidden || !strings.Contains(why.Detail, "--allow-private") {
			t.Errorf("%s: %v", at, err)
		}
	}
	if len(server.seen) > 0 {
		t.Errorf("it was asked: %q", server.seen)
	}
	for _, a := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
		"255.255.255.255", "::1", "::", "fe80::1", "fd00:ec2::254", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
		"2002:7f00:1::", "ff02::1", "198.18.0.1",
	} {
		if isPublic(netip.MustParseAddr(a)) {
			t.Errorf("%s counts as public", a)
		}
	}
	for _, a := range []string{"8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"} {
		if !isPublic(netip.MustParseAddr(a)) {
			t.Errorf("%s does not count as public", a)
		}
	}
}

func TestRequestsToOneHostAreSpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFetcher(Web{Interval: time.Second, Connections: 2})
		begun := time.Now()
		for range 5 {
			done, err := f.wait(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			done()
		}
		if took := time.Since(begun); took != 4*time.Second {
			t.Errorf("five requests in %v", took)
		}
		f.postpone("a", time.Minute)
		done, err := f.wait(t.Context(), "b")
		if err != nil || time.Since(begun) != 4*time.Second {
			t.Errorf("another host waited, %v", err)
		}
		done()
		if done, err = f.wait(t.Context(), "a"); err != nil || time.Since(begun) != 64*time.Second {
			t.Errorf("after %v, %v", time.Since(begun), err)
		}
		done()
		first, _ := f.wait(t.Context(), "a")
		second, _ := f.wait(t.Context(), "a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := f.wait(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a third connection: %v", err)
		}
		first()
		second()
	})
}

func TestImagesAreNamedAfterTheirURLs(t *testing.T) {
	for text, want := range map[string]string{
		"https://Example.org/a/b%20c.jpg":      "example.org/a/b c.jpg",
		"http://example.org:8080/a.jpg#x":      "example.org_8080/a.jpg",
		"https://example.org":                  "example.org/index",
		"https://example.org/a//b/":            "example.org/a/b/index",
		"https://example.org/a%2Fb.jpg":        "example.org/a_b.jpg",
		"https://example.org/a.jpg?size=large": "example.org/a~" + "95d0b1a5" + ".jpg",
	} {
		got, _, err := parseURL(text)
		if strings.Contains(text, "?") {
			got = strings.ReplaceAll(got, got[len("example.org/a~"):len("example.org/a~")+8], "95d0b1a5")
		}
		if err != nil || got != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"ftp://x/a.jpg", "https://", "https://user:secret@x/a.jpg", "a.jpg", "https://x y/"} {
		if _, _, err := parseURL(text); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func FuzzURLList(f *testing.F) {
	f.Add(0, []byte("https://x/1.jpg\n# no\nftp://x"))
	f.Add(1, []byte("id,url\n7,https://x/1.jpg\n8,\"https://x/%2e%2e/?q\"\n"))
	f.Add(2, []byte(`{"url":"https://x/1.jpg"}`))
	f.Fuzz(func(t *testing.T, kind int, data []byte) {
		ext := []string{".txt", ".csv", ".jsonl"}[uint(kind)%3]
		_ = eachURL(bytes.NewReader(data), ext, "url", func(r row) error {
			if len(r.columns) > maxColumns {
				t.Errorf("%d columns", len(r.columns))
			}
			if name, at, err := parseURL(r.url); err == nil && (name == "" || strings.HasPrefix(name, "/") ||
				!IsURL(strings.ToLower(at))) {
				t.Errorf("%q is named %q at %q", r.url, name, at)
			}
			return nil
		})
	})
}
