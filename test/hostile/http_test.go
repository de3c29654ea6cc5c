//go:build linux

package hostile

import (
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// ask asks for a path by HTTP, with that Host, and returns the status and the body.
func ask(t *testing.T, base, path, host string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), farmtest.Limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// Found: idle keep-alives used up the descriptors, so that control could not be reached, and clients that read nothing
// made an honest one wait for 29 s. The sink may open 1024 files here, so that it would run out of them.
func TestHTTPClientsLockNobodyOut(t *testing.T) {
	const n = 1000
	f := farmtest.New(t, programs, t.TempDir())
	sink := farmtest.Start(t, "sink", exec.Command("/bin/sh", "-c", `ulimit -n 1024; exec "$@"`, "sh", programs+"/sink",
		"--results", f.Results, "--events", f.Events, "--control", f.Control, "--out", f.Out, "--http", f.Host+":0",
		"--log-format", "json"))
	base := sink.HTTP()
	f.StartWorker("w1")
	f.StartVentilator(album(t, n)).MustExit(0)
	before := memory(t, sink)
	const results = "/api/v1/results?limit=1024"
	_, whole := ask(t, base, results, "")
	for i := range 1500 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		switch i % 3 {
		case 0: // a keep-alive
			_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n") // may be evicted
		case 1: // half a header
			_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHo")
		case 2: // large answers that are never read
			_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
			_, _ = io.WriteString(conn, strings.Repeat("GET "+results+" HTTP/1.1\r\nHost: localhost\r\n\r\n", 20))
		}
	}
	if _, text := ask(t, base, results, ""); text != whole {
		t.Errorf("the answer has %d bytes, not %d", len(text), len(whole))
	}
	mustAnswer(t, f)
	f.StartVentilator(photos).MustExit(0)
	sink.MustLive()
	after := memory(t, sink)
	t.Logf("the sink took %d MiB more", after-before)
	if after > before+300 {
		t.Errorf("the sink took %d MiB more", after-before)
	}
}

// Found: DNS rebinding reached a sink that listened on all addresses, although --http-host named its own.
func TestForeignHostIsRefusedOnAllAddresses(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	sink := f.StartSink("--http", "0.0.0.0:0", "--insecure", "--http-host", "photos.example")
	base := strings.Replace(sink.HTTP(), "[::]", "127.0.0.1", 1)
	for host, want := range map[string]int{"photos.example": 200, "": 200, "evil.example": 421} {
		for _, path := range []string{"/", "/api/v1/run", "/metrics"} {
			if status, _ := ask(t, base, path, host); status != want {
				t.Errorf("%s of %s has status %d", path, host, status)
			}
		}
	}
}
