package dashboard

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/httpreply"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// The dashboard reads the sink's status each second, and sooner after an event that people wait for.
const (
	interval = time.Second
	soonest  = 250 * time.Millisecond
)

// watchBuffer is the number of events that may wait for the dashboard: more than the sink publishes after its largest
// commit.
const watchBuffer = 16 << 10

// Dashboard shows one sink. Make it with New, mount Handler, and Run it, once.
type Dashboard struct {
	cfg    Config
	log    *slog.Logger
	pages  *pages
	memory *memory
	pace   pace
	past   past
	subs   subscribers

	clients chan struct{} // holds a token for each open stream
	reading chan struct{} // holds a token for each request that reads the ledger
	sending *places       // of answers that need an open file or much memory

	refreshing sync.Mutex // held during a refresh; guards pace and past

	mu      sync.Mutex
	view    *view
	changed chan struct{} // closed when a newer view replaces view
	final   chan struct{} // closed when view is the last one
}

// Bounds on what clients use at the same time.
const (
	maxReading = 2
	maxSending = 64
)

// New returns a dashboard. It starts nothing.
func New(cfg Config) (*Dashboard, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.setDefaults()
	pages, err := loadPages()
	if err != nil {
		return nil, err
	}
	return &Dashboard{
		cfg: cfg, log: telemetry.Limited(cfg.Logger), pages: pages, memory: newMemory(),
		clients: make(chan struct{}, cfg.MaxClients),
		reading: make(chan struct{}, maxReading),
		sending: newPlaces(maxSending),
		changed: make(chan struct{}), final: make(chan struct{}),
	}, nil
}

// Run follows the sink until ctx ends, publishes the last state, and returns nil.
func (d *Dashboard) Run(ctx context.Context) error {
	events, unwatch := d.cfg.Source.Watch(watchBuffer)
	defer unwatch()
	defer d.subs.closeAll()
	defer close(d.final)
	d.restore(ctx)
	d.refresh(false)
	timer := time.NewTimer(interval)
	defer timer.Stop()
	last, soon := time.Now(), false
	for {
		select {
		case ev, ok := <-events:
			if !ok {
				events = nil // the sink has ended; its status can still be read
				continue
			}
			d.memory.take(ev, time.Now())
			d.subs.publish(ev)
			if !soon && awaited(ev.Topic) {
				soon = true
				timer.Reset(max(0, soonest-time.Since(last)))
			}
		case <-timer.C:
			last, soon = time.Now(), false
			d.refresh(false)
			timer.Reset(interval)
		case <-ctx.Done():
			d.refresh(true)
			return nil
		}
	}
}

// awaited reports whether people wait for events of that topic.
func awaited(topic string) bool {
	switch topic {
	case wire.TopicWorkerSeen, wire.TopicWorkerLost, wire.TopicRunStarted, wire.TopicRunFinished, wire.TopicRunState:
		return true
	}
	return strings.HasPrefix(topic, wire.TopicSink)
}

// refresh reads the sink's status and publishes a new view.
func (d *Dashboard) refresh(stopping bool) {
	d.refreshing.Lock()
	defer d.refreshing.Unlock()
	d.refreshLocked(stopping)
}

// refreshLocked is refresh; the caller holds refreshing.
func (d *Dashboard) refreshLocked(stopping bool) {
	s := d.cfg.Source.Status()
	d.pace.add(s)
	d.past.add(s)
	v := d.newView(s, stopping)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.view = v
	close(d.changed)
	d.changed = make(chan struct{})
}

// current returns the newest view, and a channel that is closed when a newer one replaces it.
func (d *Dashboard) current() (*view, <-chan struct{}) {
	if v, changed := d.last(); v != nil {
		return v, changed
	}
	d.refreshing.Lock() // not running yet: the first request refreshes
	defer d.refreshing.Unlock()
	if v, _ := d.last(); v == nil {
		d.refreshLocked(false)
	}
	return d.last()
}

func (d *Dashboard) last() (*view, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.view, d.changed
}

// Handler serves the page and the interface for programs.
func (d *Dashboard) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", d.pages.file("index.html"))
	mux.HandleFunc("GET /page/{file}", d.pages.serve)
	mux.HandleFunc("GET /live", d.live)
	mux.HandleFunc("GET /outputs/{name...}", d.output)
	mux.HandleFunc("GET /api/v1/run", d.showRun)
	mux.HandleFunc("GET /api/v1/workers", d.showWorkers)
	mux.HandleFunc("GET /api/v1/results", d.showResults)
	mux.HandleFunc("GET /api/v1/rejects", d.showRejects)
	mux.HandleFunc("GET /api/v1/events", d.events)
	if d.cfg.Report != nil {
		mux.Handle("GET /report.html", d.cfg.Report)
	}
	if d.cfg.Actions != nil {
		mux.HandleFunc("POST /api/v1/retry", d.action(d.retry))
		mux.HandleFunc("POST /api/v1/steer", d.action(d.steer))
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			httpreply.Refuse(w, http.StatusNotFound, "no such resource")
			return
		}
		httpreply.Refuse(w, http.StatusMethodNotAllowed,
			"no such action, or the sink does not allow actions (--tokens)")
	})
	return guarded(mux)
}
