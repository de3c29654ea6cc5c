//go:build unix

package dashboard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/access"
	"github.com/imagefarm/imagefarm/pkg/dashboard"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// madeUp is a sink with made-up state, for pages that no real farm would show in a test.
type madeUp struct {
	mu      sync.Mutex
	status  wire.Status
	entries []wire.Receipt
	revived int
	steered []wire.Steering
	watch   []chan wire.Event
}

func newMadeUp() *madeUp {
	return &madeUp{status: wire.Status{
		Instance: "1", Version: "v1.0.0", Host: "atelier",
		Out: "/srv/thumbnails", Ledger: "/srv/thumbnails/.imagefarm/ledger.db",
		Started: time.Now().Add(-3 * time.Minute),
	}}
}

func (m *madeUp) Status() *wire.Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.status
	s.Workers, s.Runs = slices.Clone(s.Workers), slices.Clone(s.Runs)
	s.Now = time.Now()
	s.Throughput.At = s.Now
	return &s
}

func (m *madeUp) change(do func(*wire.Status)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	do(&m.status)
}

func (m *madeUp) Watch(buffer int) (<-chan wire.Event, func()) {
	events := make(chan wire.Event, buffer)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watch = append(m.watch, events)
	return events, func() {}
}

// say publishes an event; it waits for nobody.
func (m *madeUp) say(topic string, payload any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.watch {
		select {
		case w <- wire.Event{Topic: topic, Payload: payload}:
		default:
		}
	}
}

// It begins with an empty ledger.

func (m *madeUp) Runs(context.Context) ([]wire.Run, error)                { return nil, nil }
func (m *madeUp) Last(context.Context, bool, int) ([]wire.Receipt, error) { return nil, nil }
func (m *madeUp) Reasons() (map[string]uint64, error)                     { return nil, nil }
func (m *madeUp) SettledBefore(times []time.Time) (before []uint64, err error) {
	return make([]uint64, len(times)), nil
}

func (m *madeUp) Entries(_ context.Context, args wire.EntriesArgs) (*wire.Entries, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	from := 0
	if _, err := fmt.Sscan(args.After, &from); args.After != "" && err != nil {
		return nil, errors.New("after is no number")
	}
	page := &wire.Entries{Entries: m.entries[min(from, len(m.entries)):min(from+args.Limit, len(m.entries))]}
	if from+args.Limit < len(m.entries) {
		page.Next = fmt.Sprint(from + args.Limit)
	}
	return page, nil
}

func (m *madeUp) Retry(context.Context, wire.EntriesArgs) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.revived++
	return 3, nil
}

func (m *madeUp) Steer(_ context.Context, want wire.Steering) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.steered = append(m.steered, want)
	return nil
}

// Open gives a small painted picture for every name.
func (m *madeUp) Open(name string) (io.ReadSeekCloser, error) {
	if !strings.HasSuffix(name, ".jpg") {
		return nil, fs.ErrNotExist
	}
	hue := 0.0
	for _, c := range name {
		hue = math.Mod(hue*1.7+float64(c), 360)
	}
	img := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 64 {
			f := func(shift float64) uint8 {
				return uint8(140 + 70*math.Sin((hue+shift)*math.Pi/180+float64(y)/40+float64(x)/90))
			}
			img.Set(x, y, color.RGBA{f(0), f(110), f(220), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		return nil, err
	}
	return closed{bytes.NewReader(b.Bytes())}, nil
}

type closed struct{ *bytes.Reader }

// Close implements io.Closer.
func (closed) Close() error { return nil }

// newToken returns an operator's token and the line to store.
func newToken(t *testing.T) (secret, line string) {
	t.Helper()
	secret, token, err := access.Issue(pki.Operator, "anna", time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return secret, token.String()
}

// serve shows the farm, to an operator if one is signed in, until the test ends or stop is called.
func (m *madeUp) serve(t *testing.T, signedIn bool) (url string, stop func()) {
	t.Helper()
	cfg := dashboard.Config{Source: m, Outputs: m}
	if signedIn {
		cfg.Actions = m
	}
	d, err := dashboard.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	handler := d.Handler()
	if signedIn {
		secret, line := newToken(t)
		list, err := access.Open(access.Config{Lines: []string{line}})
		if err != nil {
			t.Fatal(err)
		}
		page := access.NewGate(list, nil).Page(handler)
		handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+secret)
			page.ServeHTTP(w, r)
		})
	}
	server := httptest.NewServer(handler)
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		server.Close() // waits for the last words, as the programs' server does
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	t.Cleanup(stop)
	return server.URL, stop
}

func (m *madeUp) workers(n int, each func(i int, w *wire.WorkerStatus)) {
	m.change(func(s *wire.Status) {
		for i := range n {
			w := wire.WorkerStatus{Since: s.Started, LastSeen: time.Now().Add(-300 * time.Millisecond)}
			w.Worker, w.Slots, w.Busy = fmt.Sprintf("atelier-%03d", i+1), 4, 4
			w.UpUS, w.IdleUS = 120e6, 18e6
			w.ImagesPerSecond, w.Images = 31.5+float64(i%7), uint64(3000+37*(i%11))
			each(i, &w)
			s.Workers = append(s.Workers, w)
		}
	})
}

// begun is a run with a share of its images settled.
func begun(id string, total int64, share float64, input string) wire.Run {
	settled := int64(float64(total) * share)
	return wire.Run{
		ID:           id,
		State:        "running",
		Inputs:       []string{input},
		Host:         "atelier",
		Started:      time.Now().Add(-2 * time.Minute),
		Total:        total,
		Found:        total,
		Done:         settled - settled/10 - 14,
		Skipped:      settled / 10,
		Earlier:      settled / 10,
		Rejected:     12,
		Dead:         2,
		Pending:      total - settled - 40,
		Leased:       40,
		Redeliveries: 3,
		Peers:        8,
		Bytes:        40 << 30,
	}
}

// work settles so many images a second until the test ends.
func (m *madeUp) work(t *testing.T, perSecond float64) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case now := <-ticker.C:
				m.change(func(s *wire.Status) {
					if !s.Runs[0].Ended.IsZero() {
						return
					}
					k := uint64(perSecond/10*(1+0.2*math.Sin(float64(n)/9))) + 1
					s.Done += k
					s.Runs[0].Done += int64(k)
					s.Throughput.ImagesPerSecond, s.Throughput.BytesPerSecond = 10*float64(k), 10*float64(k)*4.1e6
					for i := range s.Workers {
						w := &s.Workers[i]
						if !w.Lost {
							w.LastSeen = now
							w.UpUS += 1e5
							w.IdleUS += 10e3 + int64(i%5)*8e3
							w.Busy = 1 + (n+i)%w.Slots
						}
					}
				})
			}
		}
	})
	t.Cleanup(func() {
		close(stop)
		wg.Wait()
	})
}

func done(i int) *wire.Receipt {
	name := fmt.Sprintf("2024/summer/IMG_%04d", i)
	return &wire.Receipt{
		ID:       fmt.Sprint(i),
		Run:      "20260101-120000-ab12",
		Filename: name + ".jpg",
		Outcome:  outcome.Done,
		Worker:   "atelier-001",
		At:       time.Now(),
		Outputs: []wire.OutputInfo{
			{Name: name + "_thumbnail64.jpg", Size: 2000, Width: 64, Height: 64},
			{Name: name + "_thumbnail256.jpg", Size: 20000, Width: 256, Height: 256},
		},
	}
}

func rejected(i int, reason outcome.Reason, detail string) *wire.Receipt {
	return &wire.Receipt{
		ID:       fmt.Sprint("r", i),
		Run:      "20260101-120000-ab12",
		Filename: fmt.Sprintf("2023/scans/page %03d.tif", i),
		Outcome:  outcome.Rejected,
		Reason:   reason,
		Detail:   detail,
		At:       time.Now(),
	}
}
