//go:build unix

package processes

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// Workers that may fetch images from where they are do so; others get the bytes.
func TestWorkersFetchImagesByReference(t *testing.T) {
	in := pictures(t, 40)
	write(t, filepath.Join(in, "broken.jpg"), picture(t, 1)[:200])
	f := newFarm(t)
	f.StartSink()
	f.StartWorker("fetches", "--inputs-root", t.TempDir(), "--inputs-root", in)
	f.StartWorker("takes")
	v := f.StartVentilator("--by-reference", "--size", "30", "--checksum", in)
	v.MustExit(3)
	mustAccount(t, v, account{found: 41, done: 40, rejected: 1})
	by := make(map[string]int)
	for _, e := range f.entries() {
		by[e.Worker]++
		if e.Bytes == 0 {
			t.Errorf("the size of an image is unknown: %+v", e)
		}
	}
	if by["fetches"] == 0 || by["takes"] == 0 {
		t.Errorf("the workers made %v", by)
	}
}

// A worker opens nothing outside of its roots. It gets the bytes of what it may not open, which is no failed delivery.
func TestWorkersFetchNothingOutsideOfTheirRoots(t *testing.T) {
	f := newFarm(t)
	f.StartSink()
	root := t.TempDir()
	w := f.StartWorker("w1", "--inputs-root", root)
	v := f.StartVentilator("--by-reference", "--size", "30", "--max-deliveries", "1", pictures(t, 30))
	v.MustExit(0)
	mustAccount(t, v, account{found: 30, done: 30})
	v.MustSay("is not among the inputs that this process may open")
	const outside = "outside of this worker's inputs"
	w.MustSayLine(outside, root)
	if n := strings.Count(strings.Join(w.Log(), "\n"), outside); n != 1 {
		t.Errorf("the worker says %d times that a reference leads out of its roots", n)
	}
}

// Objects and images on web servers are fetched by the workers; of one server no more at a time than one ventilator
// would fetch.
func TestWorkersFetchObjectsAndURLsByReference(t *testing.T) {
	s := s3test.New(t)
	s.Put("in/a.jpg", picture(t, 1))
	var now, most atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
		}
		w.Header().Set("ETag", `"1"`)
		_, _ = w.Write(picture(t, uint8(len(r.URL.Path))))
	}))
	defer server.Close()
	const n = 20
	var list strings.Builder
	for i := range n {
		list.WriteString(server.URL + "/" + strings.Repeat("x", i+1) + ".jpg\n")
	}
	urls := filepath.Join(t.TempDir(), "urls.txt")
	write(t, urls, []byte(list.String()))
	f := farmtest.New(t, programs, filepath.Join(t.TempDir(), "out"))
	f.StartSink()
	for _, name := range []string{"w1", "w2", "w3"} {
		bucketFarm(t, s, "worker", "--ventilator", f.Tasks, "--results", f.Results, "--name", name, "--slots", "2",
			"--http", f.Host+":0", "--inputs-root", "s3://photos", "--inputs-root", "http://", "--allow-private")
	}
	v := bucketFarm(t, s, "ventilator", "--bind", f.Tasks, "--events", f.Events, "--control", f.Control,
		"--http", f.Host+":0", "--by-reference", "--allow-private", "--url-connections", "1", "--url-interval", "1ms",
		"--size", "30", "s3://photos/in", urls)
	v.MustExit(0)
	mustAccount(t, v, account{found: n + 1, done: n + 1})
	if most.Load() != 1 {
		t.Errorf("%d requests were under way at a time", most.Load())
	}
}
