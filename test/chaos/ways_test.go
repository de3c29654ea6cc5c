//go:build unix

package chaos

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
)

// way is where the images of a run come from and where its outputs go.
type way struct {
	input   []string                 // arguments of the ventilator
	out     string                   // of the sink
	ledger  []string                 // arguments of the sink
	environ []string                 // of all programs, beside that of the test
	sealed  bool                     // outputs are complete only when the sink has ended
	outputs func() map[string][]byte // by name, which begins with a slash
}

// newWay returns the way that -chaos.way names, from the images in the directory in.
func newWay(t *testing.T, kind, dir, in string) way {
	t.Helper()
	switch kind {
	case "files":
		out := filepath.Join(dir, "out")
		return way{input: []string{in}, out: out, outputs: func() map[string][]byte { return tree(t, out) }}
	case "buckets":
		return bucketToBucket(t, dir, in)
	case "shards":
		return urlsToShards(t, dir, in)
	}
	t.Fatalf("-chaos.way %q: files, buckets or shards", kind)
	return way{}
}

// namesIn returns the names of the images in a directory.
func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "d*", "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no images in %s: %v", dir, err)
	}
	for _, path := range paths {
		names = append(names, filepath.ToSlash(strings.TrimPrefix(path, dir+string(filepath.Separator))))
	}
	return names
}

// bucketToBucket reads from a bucket and writes to one, of a server that also fails by itself.
func bucketToBucket(t *testing.T, dir, in string) way {
	t.Helper()
	s := s3test.New(t)
	for _, name := range namesIn(t, in) {
		data, err := os.ReadFile(filepath.Join(in, name))
		if err != nil {
			t.Fatal(err)
		}
		s.Put("in/"+name, data)
	}
	s.FaultEvery.Store(50)
	return way{
		input: []string{"s3://" + s.Bucket + "/in"}, out: "s3://" + s.Bucket + "/out", environ: s.Environ(),
		ledger: []string{"--ledger", filepath.Join(dir, "ledger.db")},
		outputs: func() map[string][]byte {
			files := make(map[string][]byte)
			for _, key := range s.Keys("out/") {
				files[strings.TrimPrefix(key, "out")], _ = s.Get(key)
			}
			return files
		},
	}
}

// urlsToShards reads from a web server and writes shards.
func urlsToShards(t *testing.T, dir, in string) way {
	t.Helper()
	server := httptest.NewServer(http.FileServer(http.Dir(in)))
	t.Cleanup(server.Close)
	var list strings.Builder
	for _, name := range namesIn(t, in) {
		list.WriteString(server.URL + "/" + (&url.URL{Path: name}).EscapedPath() + "\n")
	}
	urls, set := filepath.Join(dir, "urls.txt"), filepath.Join(dir, "set")
	if err := os.WriteFile(urls, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	host := strings.ReplaceAll(strings.TrimPrefix(server.URL, "http://"), ":", "_")
	return way{
		input: []string{"--allow-private", "--url-interval", "1ms", "--url-connections", "8", urls}, out: "tar:" + set,
		ledger: []string{"--shard-size", "1MB"}, sealed: true,
		outputs: func() map[string][]byte {
			files := make(map[string][]byte)
			for name, data := range samples(t, set) {
				files[strings.TrimPrefix(name, host)] = data
			}
			return files
		},
	}
}

// samples returns the outputs in the shards of a directory by their names. No key may come twice.
func samples(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.tar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no shards in %s: %v", dir, err)
	}
	outputs, files := make(map[string][]byte), make(map[string][]byte)
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for r := tar.NewReader(f); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if files[h.Name] != nil {
				t.Errorf("%s: %s comes twice", path, h.Name)
			}
			if files[h.Name], err = io.ReadAll(r); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			var about struct{ Name, File string }
			if !strings.HasSuffix(h.Name, ".json") {
				continue
			}
			if err := json.Unmarshal(files[h.Name], &about); err != nil {
				t.Errorf("%s: %v", h.Name, err)
			}
			outputs[about.Name] = files[about.File]
		}
		f.Close()
	}
	return outputs
}

// seal ends the sink, so that it publishes what it holds.
func (s *stage) seal() {
	s.t.Helper()
	s.sink.signal(syscall.SIGTERM)
	<-s.sink.done()
	if code := s.sink.code(); code != 0 {
		s.t.Errorf("the sink ended with %d: %s", code, s.sink.tail(2000))
	}
}
