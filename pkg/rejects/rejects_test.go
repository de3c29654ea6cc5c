package rejects_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/rejects"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func rejection(path string) rejects.Rejection {
	open := func(context.Context) (io.ReadCloser, error) { return os.Open(path) }
	return rejects.Rejection{Path: path, Open: open,
		Receipt: wire.Receipt{Filename: "a/b.jpg", Outcome: outcome.Rejected,
			Reason: outcome.Truncated, Detail: "cut"}}
}

func TestOriginalIsCopiedAsideWithItsReason(t *testing.T) {
	original := filepath.Join(t.TempDir(), "b.jpg")
	if err := os.WriteFile(original, []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	aside := t.TempDir()
	dir, err := blob.OpenDir(aside, blob.Config{})
	if err != nil {
		t.Fatal(err)
	}
	q := rejects.NewQueue(slog.New(slog.NewTextHandler(t.Output(), nil)), rejects.CopyTo(dir))
	q.Put(rejection(original))
	q.Close()
	q.Run(t.Context())
	if err := dir.Close(); err != nil {
		t.Error(err)
	}
	copied, err := os.ReadFile(filepath.Join(aside, "a/b.jpg"))
	if err != nil || string(copied) != "half" {
		t.Errorf("%q, %v", copied, err)
	}
	reason, err := os.ReadFile(filepath.Join(aside, "a/b.jpg.reason"))
	if err != nil || !strings.HasPrefix(string(reason), "truncated\ncut\n") {
		t.Errorf("%q, %v", reason, err)
	}
}

// An original that was rejected for its size is copied in parts, not held in memory.
func TestLargeOriginalIsCopiedWithoutBeingHeld(t *testing.T) {
	const size = 64 << 20
	original := filepath.Join(t.TempDir(), "b.tif")
	if err := errors.Join(os.WriteFile(original, nil, 0o644), os.Truncate(original, size)); err != nil {
		t.Fatal(err)
	}
	dir, err := blob.OpenDir(t.TempDir(), blob.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := rejects.CopyTo(dir)(t.Context(), rejection(original)); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > size/8 {
		t.Errorf("a copy of %d bytes took %d of memory", size, n)
	}
	if n, err := dir.Stat("a/b.jpg"); err != nil || n != size {
		t.Errorf("the copy has %d bytes, error %v", n, err)
	}
}

// roundTrip is a server without a network, so that time can be virtual.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int) *http.Response {
	body := io.NopCloser(strings.NewReader(""))
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: body}
}

func TestWebhookIsCalledUntilTheServerIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		hook := rejects.Webhook("http://x/", &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			var got rejects.Rejection
			if err := json.NewDecoder(r.Body).Decode(&got); err != nil || got.Reason != outcome.Truncated ||
				got.Filename != "a/b.jpg" {
				t.Errorf("the server got %+v, %v", got, err)
			}
			switch calls++; calls {
			case 1:
				return nil, errors.New("no route")
			case 2:
				return answer(503), nil
			}
			return answer(204), nil
		})})
		began := time.Now()
		if err := hook(t.Context(), rejection("")); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); calls != 3 || took < 3*time.Second || took > 6*time.Second {
			t.Errorf("%d calls in %v", calls, took)
		}
	})
}

func TestWebhookThatIsRefusedIsNotCalledAgain(t *testing.T) {
	var calls atomic.Int32
	hook := rejects.Webhook("http://x/", &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		calls.Add(1)
		return answer(404), nil
	})})
	if err := hook(t.Context(), rejection("")); err == nil || calls.Load() != 1 {
		t.Errorf("%d calls, error %v", calls.Load(), err)
	}
}

// Found: a redirection was followed to any port of any host.
func TestWebhookIsNotRedirectedElsewhere(t *testing.T) {
	for target, follows := range map[string]bool{
		"http://x/other": true, "http://x:8080/": false, "https://x/": false,
		"http://169.254.169.254/latest/meta-data/": false,
	} {
		synctest.Test(t, func(t *testing.T) {
			followed := false
			hook := rejects.Webhook("http://x/",
				&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
					if r.URL.String() == "http://x/" {
						a := answer(307)
						a.Header = http.Header{"Location": {target}}
						return a, nil
					}
					followed = true
					return answer(204), nil
				})})
			err := hook(t.Context(), rejection(""))
			if followed != follows || (err == nil) != follows {
				t.Errorf("%s: followed %v, error %v", target, followed, err)
			}
		})
	}
}

func TestSlowListenerIsNeverInTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		q := rejects.NewQueue(slog.New(slog.DiscardHandler), func(ctx context.Context, _ rejects.Rejection) error {
			time.Sleep(time.Minute)
			told++
			return nil
		})
		ended := make(chan struct{})
		go func() { q.Run(t.Context()); close(ended) }()
		began := time.Now()
		for range 100 {
			q.Put(rejection(""))
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("Put took %v", took)
		}
		q.Close()
		<-ended
		if told != 100 {
			t.Errorf("%d told", told)
		}
	})
}

// broken is a body that ends too early.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
func (broken) Close() error             { return nil }

func TestWebhookThatAnsweredWellIsNotCalledAgain(t *testing.T) {
	var calls atomic.Int32
	hook := rejects.Webhook("http://x/", &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		calls.Add(1)
		return &http.Response{StatusCode: 200, Body: broken{}}, nil
	})})
	if err := hook(t.Context(), rejection("")); err != nil || calls.Load() != 1 {
		t.Errorf("%d calls, error %v", calls.Load(), err)
	}
}
