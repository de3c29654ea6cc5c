//go:build unix

package processes

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// A list names images on a server that fails now and then, and some that it does not give.
func TestURLsOfAListBalance(t *testing.T) {
	var requests, gets atomic.Int64
	var calm, honest atomic.Bool
	var version atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := requests.Add(1)
		switch {
		case strings.HasPrefix(r.URL.Path, "/gone"):
			w.WriteHeader(http.StatusNotFound)
		case n%10 == 0 && !calm.Load():
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		case n%13 == 0 && !calm.Load():
			w.WriteHeader(http.StatusInternalServerError)
		default:
			etag := fmt.Sprintf("\"%d\"", version.Load())
			w.Header().Set("ETag", etag)
			if honest.Load() && r.Header.Get("If-None-Match") == etag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			if r.Method == http.MethodGet {
				gets.Add(1)
			}
			_, _ = w.Write(picture(t, uint8(len(r.URL.Path)+int(version.Load()))))
		}
	}))
	defer server.Close()
	const n = 40
	list := "name,address\n"
	for i := range n {
		list += fmt.Sprintf("%d,%s/%03d.jpg\n", i, server.URL, i)
	}
	list += fmt.Sprintf("x,%s/gone.jpg\n", server.URL)
	dir, out := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "urls.csv"), []byte(list))
	run := func(flags ...string) *farmtest.Process {
		args := append([]string{"run", filepath.Join(dir, "urls.csv"), "--out", out, "--size", "64", "--http", "",
			"--url-column", "address", "--url-interval", "1ms"}, flags...)
		p := farmtest.Start(t, "farm", exec.Command(filepath.Join(programs, "farm"), args...))
		p.MustExit(3)
		p.MustSay("balanced")
		return p
	}
	run().MustSay("41 images found", "41 rejected") // this machine is not public
	if requests.Load() != 0 {
		t.Fatalf("%d requests were sent to a private address", requests.Load())
	}
	run("--allow-private", "--force").MustSay("40 done", "1 rejected", "0 dead")
	made, err := filepath.Glob(filepath.Join(out, strings.ReplaceAll(strings.TrimPrefix(server.URL, "http://"), ":", "_"),
		"*.jpg"))
	if err != nil || len(made) != n {
		t.Errorf("%d outputs, %v", len(made), err)
	}
	calm.Store(true)
	run("--allow-private") // makes those again whose server could not say before what it has
	gets.Store(0)
	run("--allow-private").MustSay("40 skipped", "1 rejected")
	if gets.Load() > 8 { // a server that sends what has not changed is asked by HEAD once that is known
		t.Errorf("%d unchanged images were fetched", gets.Load())
	}
	honest.Store(true)
	gets.Store(0)
	requests.Store(0)
	run("--allow-private").MustSay("40 skipped", "1 rejected")
	if gets.Load() > 0 || requests.Load() != n+1 {
		t.Errorf("%d unchanged images were fetched in %d requests", gets.Load(), requests.Load())
	}
	version.Store(2)
	requests.Store(0)
	run("--allow-private").MustSay("40 done", "1 rejected")
	if gets.Load() != n || requests.Load() != n+1 {
		t.Errorf("%d changed images were fetched in %d requests", gets.Load(), requests.Load())
	}
	run("--allow-private").MustSay("40 skipped", "1 rejected")
}
