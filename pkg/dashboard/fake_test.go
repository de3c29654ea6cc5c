package dashboard

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// fakeSink is a sink with the state that a test sets.
type fakeSink struct {
	asked  atomic.Int64
	mu     sync.Mutex
	status wire.Status
	events chan wire.Event
	args   wire.EntriesArgs // of the last call
	want   wire.Steering
	files  map[string][]byte
	opened []string

	// What the ledger holds from before; each image of settled was settled a second after the one before it.
	runs    []wire.Run
	settled []wire.Receipt // the newest first
}

func newFakeSink() *fakeSink {
	return &fakeSink{status: wire.Status{Instance: "a", Host: "h", Version: "v"}, files: make(map[string][]byte)}
}

func (f *fakeSink) Status() *wire.Status {
	f.asked.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.status
	s.Now = time.Now()
	return &s
}

func (f *fakeSink) Watch(buffer int) (<-chan wire.Event, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = make(chan wire.Event, buffer)
	return f.events, func() {}
}

func (f *fakeSink) say(topic string, payload any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events <- wire.Event{Topic: topic, Payload: payload}
}

func (f *fakeSink) Entries(_ context.Context, args wire.EntriesArgs) (*wire.Entries, error) {
	f.args = args
	if args.After == "bad" {
		return nil, errors.New("after is bad")
	}
	return &wire.Entries{Entries: []wire.Receipt{receipt("old", outcome.Done)}, Next: "7"}, nil
}

func (f *fakeSink) Runs(context.Context) ([]wire.Run, error) { return f.runs, nil }

func (f *fakeSink) Last(_ context.Context, refused bool, limit int) (last []wire.Receipt, err error) {
	for _, r := range f.settled {
		if len(last) < limit && (!refused || r.Outcome != outcome.Done) {
			last = append(last, r)
		}
	}
	return last, nil
}

func (f *fakeSink) Reasons() (map[string]uint64, error) {
	reasons := make(map[string]uint64)
	for _, r := range f.settled {
		if r.Outcome == outcome.Rejected {
			reasons[string(r.Reason)]++
		}
	}
	return reasons, nil
}

func (f *fakeSink) SettledBefore(times []time.Time) ([]uint64, error) {
	before := make([]uint64, len(times))
	for i, t := range times {
		for _, r := range f.settled {
			if r.At.Before(t) {
				before[i]++
			}
		}
	}
	return before, nil
}

func (f *fakeSink) Retry(_ context.Context, args wire.EntriesArgs) (int, error) {
	f.args = args
	return 2, nil
}

func (f *fakeSink) Steer(_ context.Context, want wire.Steering) error {
	f.want = want
	if want.Run == "gone" {
		return errors.New("no such run is live")
	}
	return nil
}

func (f *fakeSink) Open(name string) (io.ReadSeekCloser, error) {
	f.opened = append(f.opened, name)
	b, ok := f.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return readCloser{bytes.NewReader(b)}, nil
}

type readCloser struct{ *bytes.Reader }

// Close implements io.Closer.
func (readCloser) Close() error { return nil }

func receipt(name string, o outcome.Outcome) wire.Receipt {
	return wire.Receipt{ID: name, Filename: name + ".jpg", Outcome: o, At: time.UnixMilli(1e12), Run: "r",
		Outputs: []wire.OutputInfo{{Name: name + "_thumbnail256.jpg", Size: 10, Width: 256, Height: 200}}}
}

func newDashboard(t *testing.T, cfg Config) *Dashboard {
	t.Helper()
	d, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func get(t *testing.T, h http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}
