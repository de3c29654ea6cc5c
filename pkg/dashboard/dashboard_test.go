package dashboard

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryAnswerKeepsOtherSitesOut(t *testing.T) {
	h := newDashboard(t, Config{Source: newFakeSink()}).Handler()
	for _, target := range []string{
		"/", "/page/app.js", "/page/style.css", "/page/none", "/api/v1/run", "/api/v1/none", "/outputs/x", "/nowhere",
	} {
		w := get(t, h, "GET", target)
		csp := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") ||
			strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", target, csp)
		}
		for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer"} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q, not %q", target, header, got, want)
			}
		}
		if w := get(t, h, "POST", target); w.Code != http.StatusMethodNotAllowed && w.Code != http.StatusNotFound {
			t.Errorf("POST %s: %d", target, w.Code)
		}
	}
}

func TestPageIsSmallAndHasNothingInline(t *testing.T) {
	pages, err := loadPages()
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for name, f := range pages.files {
		size += len(f.content)
		text := string(f.content)
		if strings.HasSuffix(name, ".html") &&
			(strings.Contains(text, "style=") || strings.Contains(text, "<style") || strings.Contains(text, "onclick")) {
			t.Errorf("%s has inline style or script, which the policy forbids", name)
		}
		for _, outside := range []string{"http://", "https://", "innerHTML", "eval("} {
			if strings.Contains(strings.ReplaceAll(text, "http://www.w3.org/2000/svg", ""), outside) {
				t.Errorf("%s has %q", name, outside)
			}
		}
	}
	if size > 150_000 {
		t.Errorf("the page has %d bytes", size)
	}
}

func TestUnchangedPageIsNotSentAgain(t *testing.T) {
	h := newDashboard(t, Config{Source: newFakeSink()}).Handler()
	etag := get(t, h, "GET", "/").Header().Get("ETag")
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("If-None-Match", etag)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusNotModified || etag == "" {
		t.Errorf("status %d for ETag %q", w.Code, etag)
	}
}

func TestRunAndWorkersAsJSON(t *testing.T) {
	f := newFakeSink()
	f.status.Done = 7
	f.status.Runs = []wire.Run{{ID: "r", State: "running", Started: time.Now(), Total: 10, Found: 10, Done: 7, Leased: 3}}
	w1 := wire.WorkerStatus{Images: 3}
	w1.Worker, w1.Slots, w1.UpUS, w1.IdleUS = "w1", 2, 10e6, 5e6
	w2 := wire.WorkerStatus{Images: 1, Lost: true}
	w2.Worker = "w2"
	f.status.Workers = []wire.WorkerStatus{w1, w2}
	h := newDashboard(t, Config{Source: f}).Handler()
	var run struct {
		Sink    map[string]any
		Totals  Totals
		Workers WorkerTotals
		Runs    []struct {
			ID         string
			Found      int64
			Unsettled  int64
			ETASeconds *float64 `json:"eta_seconds"`
		}
		Bottleneck map[string]any
	}
	if err := json.Unmarshal(get(t, h, "GET", "/api/v1/run").Body.Bytes(), &run); err != nil {
		t.Fatal(err)
	}
	if run.Totals.Done != 7 || run.Workers != (WorkerTotals{1, 1, 2, 0}) || len(run.Runs) != 1 ||
		run.Runs[0].Unsettled != 3 ||
		run.Runs[0].ETASeconds != nil {
		t.Errorf("%+v", run)
	}
	if run.Bottleneck["kind"] != "measuring" {
		t.Errorf("bottleneck %v of a farm that was looked at once", run.Bottleneck)
	}
	var workers WorkersReply
	if err := json.Unmarshal(get(t, h, "GET", "/api/v1/workers").Body.Bytes(), &workers); err != nil {
		t.Fatal(err)
	}
	if len(workers.Workers) != 2 || workers.Workers[0].Share != 0.75 || *workers.Workers[0].Idle != 0.25 ||
		workers.Workers[1].Idle != nil {
		t.Errorf("%+v", workers)
	}
}

func TestEntriesArePaged(t *testing.T) {
	f := newFakeSink()
	h := newDashboard(t, Config{Source: f, Outputs: f}).Handler()
	for target, want := range map[string]int{
		"/api/v1/results": 200,
		"/api/v1/results?limit=5&after=3&run=r&outcome=done": 200, "/api/v1/rejects?reason=truncated&reason=corrupt": 200,
		"/api/v1/rejects?outcome=dead": 200, "/api/v1/rejects?outcome=done": 400,
		"/api/v1/results?limit=0": 400, "/api/v1/results?limit=100000": 400,
		"/api/v1/results?limit=x": 400, "/api/v1/rejects?reason=ugly": 400,
		"/api/v1/results?outcome=lost": 400, "/api/v1/results?after=bad": 400,
	} {
		w := get(t, h, "GET", target)
		if w.Code != want || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s, not %d", target, w.Code, w.Body, want)
		}
		var page EntriesReply
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil ||
			want == 200 && (len(page.Entries) != 1 || page.Next != "7") {
			t.Errorf("%s: %s", target, w.Body)
		}
	}
	get(t, h, "GET", "/api/v1/rejects?limit=5&run=x")
	if f.args.Limit != 5 || f.args.Run != "x" || len(f.args.Outcomes) != 2 {
		t.Errorf("asked for %+v", f.args)
	}
}

// lines returns a function that reads the lines of a stream as they arrive, so that a test sees that they arrive at
// once.
func lines(t *testing.T, response *http.Response) func() string {
	t.Helper()
	scanner := bufio.NewScanner(response.Body)
	scanner.Buffer(nil, 1<<20)
	return func() string {
		for scanner.Scan() {
			if scanner.Text() != "" {
				return scanner.Text()
			}
		}
		t.Fatalf("the stream ended: %v", scanner.Err())
		return ""
	}
}

// served runs a dashboard behind a real server until the test ends.
func served(t *testing.T, cfg Config) (d *Dashboard, url string, stop func()) {
	t.Helper()
	d = newDashboard(t, cfg)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	server := httptest.NewServer(d.Handler())
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		server.CloseClientConnections()
		server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return d, server.URL, stop
}

func listenTo(t *testing.T, url string) *http.Response {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

func TestEventsAreStreamedByTopic(t *testing.T) {
	f := newFakeSink()
	d, url, stop := served(t, Config{Source: f})
	response := listenTo(t, url+"/api/v1/events?topic=worker.&topic=run.finished")
	next := lines(t, response)
	if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("content type %q", kind)
	}
	if line := next(); line != "retry: 2000" {
		t.Errorf("begins with %q", line)
	}
	awaitSubscriber(d)
	f.say(wire.TopicTaskDone, &wire.Receipt{ID: "1"})
	f.say(wire.TopicWorkerLost, &wire.WorkerEvent{Worker: "w", Why: "killed\nthen gone"})
	if line := next(); line != `data: {"topic":"worker.lost","payload":{"worker":"w","why":"killed\nthen gone"}}` {
		t.Errorf("heard %q", line)
	}
	stop()
	if rest, err := io.ReadAll(response.Body); err != nil || len(rest) > 1 {
		t.Errorf("at the end: %q, %v", rest, err)
	}
}

// awaitSubscriber waits until a client has subscribed to events, which happens shortly after its headers arrive.
func awaitSubscriber(d *Dashboard) {
	for {
		d.subs.mu.Lock()
		n := len(d.subs.all)
		d.subs.mu.Unlock()
		if n > 0 {
			return
		}
		runtime.Gosched()
	}
}

func TestTooManyStreamsAreRefused(t *testing.T) {
	_, url, _ := served(t, Config{Source: newFakeSink(), MaxClients: 2})
	first := listenTo(t, url+"/live")
	listenTo(t, url+"/api/v1/events")
	for _, path := range []string{"/live", "/api/v1/events"} {
		if r := listenTo(t, url+path); r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
			t.Errorf("the third to listen to %s: %s", path, r.Status)
		}
	}
	if r := listenTo(t, url+"/api/v1/run"); r.StatusCode != http.StatusOK {
		t.Errorf("what is no stream: %s", r.Status)
	}
	first.Body.Close()
}

func TestWrongTopicsAreRefused(t *testing.T) {
	h := newDashboard(t, Config{Source: newFakeSink()}).Handler()
	for _, query := range []string{"topic=" + strings.Repeat("x", 256), strings.Repeat("topic=a&", 17)} {
		if w := get(t, h, "GET", "/api/v1/events?"+query); w.Code != http.StatusBadRequest {
			t.Errorf("%.30s…: %d", query, w.Code)
		}
	}
}

func TestSlowStreamMissesEventsAndReceivesTheirCount(t *testing.T) {
	var subs subscribers
	s := subs.add(nil)
	const extra = 10
	for range eventBuffer + extra {
		subs.publish(wire.Event{Topic: "x", Payload: 1})
	}
	for range eventBuffer {
		<-s.events
	}
	subs.publish(wire.Event{Topic: "y", Payload: 1})
	if text := string(<-s.events); !strings.Contains(text, `"events.missed","payload":{"count":10}`) {
		t.Errorf("was told %q", text)
	}
	if text := string(<-s.events); !strings.Contains(text, `"y"`) {
		t.Errorf("then %q", text)
	}
	subs.closeAll()
	subs.remove(s) // after the end, as its handler does
}

func TestPageReceivesTheLastView(t *testing.T) {
	f := newFakeSink()
	_, url, stop := served(t, Config{Source: f})
	response := listenTo(t, url+"/live")
	next := lines(t, response)
	for !strings.HasPrefix(next(), "event: history") {
	}
	f.mu.Lock()
	f.status.Done = 99
	f.mu.Unlock()
	stop()
	rest, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(rest); !strings.Contains(text, `"done":99`) || !strings.Contains(text, `"stopping":true`) {
		t.Errorf("at the end the page heard %q", text)
	}
}
