//go:build linux

package hostile

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
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

func TestLoginsDoNotFillTheLog(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	file := filepath.Join(t.TempDir(), "tokens")
	viewer := token(t, f, file, "viewer", "anna")
	sink := f.StartSink("--tokens", file)
	login := sink.HTTP() + "/login"
	const sent = 500
	for range sent {
		answer, err := http.DefaultTransport.RoundTrip(post(t, login, url.Values{"token": {viewer}}))
		if err != nil {
			t.Fatal(err)
		}
		if answer.Body.Close(); answer.StatusCode != http.StatusSeeOther {
			t.Fatal(answer.Status)
		}
	}
	if n := strings.Count(sink.Said(), "signed in"); n == 0 || n == sent {
		t.Errorf("%d lines of %d", n, sent)
	}
}

// post returns the request that sends a form.
func post(t *testing.T, to string, form url.Values) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
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

// token issues a token, stored in the file, by the command.
func token(t *testing.T, f *farmtest.Farm, file string, args ...string) string {
	t.Helper()
	p := f.Start("issue", "farm", append([]string{"token", "issue", "--file", file}, args...)...)
	p.MustExit(0)
	return strings.TrimSpace(p.Output())
}

func TestHTTPAsksForTokens(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	file := filepath.Join(t.TempDir(), "tokens")
	viewer, operator := token(t, f, file, "viewer", "anna"), token(t, f, file, "operator", "bert")
	sink := f.StartSink("--tokens", file, "--protect-metrics", "--log-level", "debug")
	base := sink.HTTP()
	call := func(method, path, secret string) int {
		request, err := http.NewRequest(method, base+path, strings.NewReader(`{"state":"paused"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		if secret != "" {
			request.Header.Set("Authorization", "Bearer "+secret)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	for _, path := range []string{"/", "/live", "/api/v1/run", "/api/v1/results", "/outputs/x", "/report.html",
		"/metrics"} {
		if status := call("GET", path, ""); status != http.StatusUnauthorized {
			t.Errorf("%s without a token: %d", path, status)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status := call("GET", path, ""); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
	}
	for range 30 {
		call("GET", "/api/v1/run", "imagefarm_guessed")
	}
	for _, c := range []struct {
		method, path, secret string
		want                 int
	}{
		{"GET", "/api/v1/run", viewer, 200}, {"GET", "/metrics", viewer, 200}, {"POST", "/api/v1/steer", viewer, 403},
		{"GET", "/api/v1/run", "imagefarm_guessed", 429}, // and 400 below: the sink has no run to steer
		{"POST", "/api/v1/steer", operator, 400}, {"POST", "/api/v1/retry", operator, 200},
	} {
		if status := call(c.method, c.path, c.secret); status != c.want {
			t.Errorf("%s %s has status %d, not %d", c.method, c.path, status, c.want)
		}
	}
	stored, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{viewer, operator, "imagefarm_guessed"} {
		if strings.Contains(sink.Said()+string(stored), secret) {
			t.Error("a token is in the log or in the file")
		}
	}
	wrong := f.Start("sink", "sink", "--out", t.TempDir(), "--bind", "127.99.99.99", "--http", "127.99.99.99:0",
		"--token", viewer)
	wrong.MustExit(2)
	wrong.MustSay("not the token itself")
}
