package vp8

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// corpus returns the frames of the lossy WebP files without alpha in the directory $WEBP_CORPUS.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	dir := os.Getenv("WEBP_CORPUS")
	if dir == "" {
		t.Skip("WEBP_CORPUS names no directory with lossy WebP files")
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.webp"))
	if err != nil {
		t.Fatal(err)
	}
	frames := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(data, []byte("VP8 ")); at > 0 {
			frames[name] = data[at+8:]
		}
	}
	if len(frames) == 0 {
		t.Fatalf("%s has no lossy WebP files", dir)
	}
	return frames
}

func BenchmarkRead(b *testing.B) {
	for _, mode := range []struct {
		name string
		opt  Options
	}{{"unfiltered", Options{Unfiltered: true}}, {"whole", Options{}}} {
		frames := corpus(b)
		b.Run(mode.name, func(b *testing.B) {
			for b.Loop() {
				for name, frame := range frames {
					r, err := Open(frame, mode.opt)
					for err == nil {
						_, err = r.Next()
					}
					if !errors.Is(err, io.EOF) {
						b.Fatalf("%s: %v", name, err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(frames)), "µs/photo")
		})
	}
}

// TestCorpusIsAsTheGeneralDecoderReadsIt compares large pictures.
func TestCorpusIsAsTheGeneralDecoderReadsIt(t *testing.T) {
	for name, frame := range corpus(t) {
		want, err := general(frame)
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(frame, Options{})
		if err != nil {
			t.Fatal(err)
		}
		same(t, name, got, want)
	}
}
