package ventilator

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/source"
)

// sampled calls look eight times in each walk over n entries.
type sampled struct {
	source.Source
	n    int
	look func()
}

// Walk implements source.Source.
func (s *sampled) Walk(ctx context.Context, visit func(source.Entry) error, omit func(source.Omission)) error {
	seen := 0
	return s.Source.Walk(ctx, func(e source.Entry) error {
		if seen++; seen%(s.n/8) == 0 {
			s.look()
		}
		return visit(e)
	}, omit)
}

// surveyed returns how many bytes of heap a survey of a list of n URLs holds at most.
func surveyed(t *testing.T, n int) uint64 {
	t.Helper()
	path := filepath.Join(t.TempDir(), "urls.txt")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(file)
	for i := range n {
		fmt.Fprintf(w, "https://host%d.example.org/%d/photo.jpg\n", i%1000, i)
	}
	if err := errors.Join(w.Flush(), file.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := newFinder(&Config{Inputs: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	what, err := recipe.Parse("a=fit:64x64;b=fit:128x128;c=fit:256x256")
	if err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most := before.HeapAlloc
	f.sources[0] = &sampled{f.sources[0], n, func() {
		runtime.GC()
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapAlloc)
	}}
	s, err := f.survey(t.Context(), what)
	if err != nil || s.Images != int64(n) {
		t.Fatalf("%d images, %v", s.Images, err)
	}
	t.Logf("%d URLs: %d KiB of heap", n, (most-before.HeapAlloc)>>10)
	return most - before.HeapAlloc
}

// Ten times as many URLs took ten times the memory: a hash of each output and of each URL stayed there.
func TestSurveyHoldsNoMoreOfALongList(t *testing.T) {
	if testing.Short() {
		t.Skip("a long list")
	}
	const limit = 10 << 20
	if heap := surveyed(t, million); heap > limit {
		t.Errorf("%d URLs: %d bytes of heap, more than %d", million, heap, limit)
	}
}
