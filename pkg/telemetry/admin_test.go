package telemetry

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// runAdmin serves c on free ports until the test ends or stop is called; stop returns what Run returned.
func runAdmin(t *testing.T, c AdminConfig) (admin *Admin, url string, stop func() error) {
	t.Helper()
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	if c.Gatherer == nil {
		c.Gatherer = NewRegistry()
	}
	admin, err := NewAdmin(c)
	if err != nil {
		t.Fatal(err)
	}
	addr, err := admin.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- admin.Run(ctx) }()
	var result error
	stopped := false
	stop = func() error {
		if !stopped {
			stopped = true
			cancel()
			result = <-ended
		}
		return result
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return admin, "http://" + addr, stop
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

func TestReadinessFollowsTheRoleAndHealthDoesNot(t *testing.T) {
	var state atomic.Pointer[error]
	notBound := errors.Join(errors.New("not bound"), errors.New("no worker has come"))
	state.Store(&notBound)
	_, url, _ := runAdmin(t, AdminConfig{Ready: func() error { return *state.Load() }})

	if status, body := get(t, url+"/healthz"); status != 200 || body != "ok\n" {
		t.Errorf("healthz: %d %q", status, body)
	}
	if status, body := get(t, url+"/readyz"); status != 503 || body != "not bound\nno worker has come\n" {
		t.Errorf("readyz: %d %q", status, body)
	}
	err := Health(t.Context(), url+"/readyz", nil)
	if err == nil || !strings.Contains(err.Error(), "no worker has come") {
		t.Errorf("Health: %v, want the role's reasons", err)
	}

	var fine error
	state.Store(&fine)
	if status, body := get(t, url+"/readyz"); status != 200 || body != "ok\n" {
		t.Errorf("readyz: %d %q", status, body)
	}
	for _, target := range []string{url + "/readyz", url + "/healthz", strings.TrimPrefix(url, "http://"),
		strings.TrimPrefix(url, "http://127.0.0.1")} {
		if err := Health(t.Context(), target, nil); err != nil {
			t.Errorf("Health(%s): %v", target, err)
		}
	}
}

func TestHealthQuotesTheReasons(t *testing.T) {
	_, url, stop := runAdmin(t, AdminConfig{})
	if err := Health(t.Context(), url+"/nowhere", nil); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a missing page: %v", err)
	}
	if err := Health(t.Context(), "http://[bad", nil); err == nil {
		t.Error("a malformed URL is healthy")
	}
	http.DefaultClient.CloseIdleConnections()
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := Health(t.Context(), url, nil); err == nil {
		t.Error("a closed port is healthy")
	}
}

func TestHealthEndsWithItsContext(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := Health(ctx, silent.Addr().String(), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}

func TestMetricsShowTheInjectedRegistryOnly(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "imagefarm_test_total", Help: "Counts."})
	registry.MustRegister(counter)
	counter.Add(3)
	_, url, _ := runAdmin(t, AdminConfig{Gatherer: registry})
	status, body := get(t, url+"/metrics")
	want := "# HELP imagefarm_test_total Counts.\n# TYPE imagefarm_test_total counter\nimagefarm_test_total 3\n"
	if status != 200 || body != want {
		t.Errorf("got %d %q, want %q", status, body, want)
	}
}

func TestProfilesAreServedOnTheDebugAddressOnly(t *testing.T) {
	admin, url, _ := runAdmin(t, AdminConfig{DebugAddr: "127.0.0.1:0"})
	if status, _ := get(t, url+"/debug/pprof/"); status != 404 {
		t.Errorf("the public address answers %d to pprof, want 404", status)
	}
	debug := "http://" + admin.DebugAddr()
	status, body := get(t, debug+"/debug/pprof/goroutine?debug=1")
	if status != 200 || !strings.Contains(body, "goroutine") {
		t.Errorf("pprof: %d %.80q", status, body)
	}
	if status, _ := get(t, debug+"/metrics"); status != 404 {
		t.Errorf("the debug address answers %d to metrics, want 404", status)
	}
}

func TestMountedHandlerStreamsAndEndsWhenTheServerStops(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/events" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: hello\n\n")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("flush: %v", err)
		}
		<-r.Context().Done()
	})
	_, url, stop := runAdmin(t, AdminConfig{Handler: page, StopTimeout: time.Minute})
	response, err := http.Get(url + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	stream := bufio.NewReader(response.Body)
	if line, err := stream.ReadString('\n'); err != nil || line != "data: hello\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	if status, body := get(t, url+"/healthz"); status != 200 || body != "ok\n" {
		t.Errorf("healthz beside a mounted handler: %d %q", status, body)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := stop(); err != nil { // would take the whole minute if the stream held it up
		t.Fatal(err)
	}
	if _, err := io.ReadAll(stream); err != nil {
		t.Errorf("the stream was cut instead of ended: %v", err)
	}
}

func TestOpenRequestIsClosedAfterStopTimeout(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	stuck := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(entered); <-release })
	_, url, stop := runAdmin(t, AdminConfig{Handler: stuck, StopTimeout: 20 * time.Millisecond})
	cut := make(chan error, 1)
	go func() {
		response, err := http.Get(url + "/stuck")
		if err == nil {
			response.Body.Close()
		}
		cut <- err
	}()
	<-entered
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := <-cut; err == nil {
		t.Error("the stuck request was answered")
	}
}

func TestListenBindsAllAddressesOrNone(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	admin, err := NewAdmin(AdminConfig{Addr: "127.0.0.1:0", DebugAddr: taken.Addr().String(), Gatherer: NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Listen(); err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Errorf("got %v, want an error that names %s", err, taken.Addr())
	}
	if admin.servers[0].listener != nil {
		t.Error("the other address stays bound")
	}
}

func TestRunReturnsWhenServingFails(t *testing.T) {
	admin, err := NewAdmin(AdminConfig{Addr: "127.0.0.1:0", Gatherer: NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Listen(); err != nil {
		t.Fatal(err)
	}
	admin.servers[0].listener.Close()
	if err := admin.Run(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want the listener's fault", err)
	}
}

func TestWithoutAddressRunOnlyWaits(t *testing.T) {
	admin, err := NewAdmin(AdminConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if addr, err := admin.Listen(); addr != "" || err != nil {
		t.Errorf("Listen: %q, %v", addr, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := admin.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestBadAdminConfigIsNamed(t *testing.T) {
	registry := NewRegistry()
	for _, c := range []struct {
		cfg  AdminConfig
		want string
	}{
		{AdminConfig{Addr: "8080", Gatherer: registry}, `"8080"`},
		{AdminConfig{DebugAddr: "nowhere"}, `"nowhere"`},
		{AdminConfig{Addr: ":1", DebugAddr: ":1", Gatherer: registry}, "differ"},
		{AdminConfig{Addr: ":0"}, "gatherer"},
		{AdminConfig{StopTimeout: -1}, "stop timeout"},
	} {
		if _, err := NewAdmin(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want an error that names %s", c.cfg, err, c.want)
		}
	}
}
