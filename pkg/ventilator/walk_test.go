package ventilator

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

func TestChecksumReadsAPieceAtATime(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.jpg"), []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(dir, "b.jpg")
	if err := errors.Join(os.WriteFile(large, nil, 0o644), os.Truncate(large, 64<<20)); err != nil {
		t.Fatal(err)
	}
	finder, err := newFinder(&Config{Inputs: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	var images []image
	err = finder.walk(t.Context(), func(im image) error {
		images = append(images, im)
		return nil
	}, func(source.Omission) {})
	if err != nil || len(images) != 2 {
		t.Fatalf("found %v, %v", images, err)
	}
	thumb := recipe.Default()
	v := &Ventilator{cfg: Config{Checksum: true}, naming: newNaming(thumb)}
	want := taskid.FromContent("a.jpg", []byte("content"), thumb.String())
	if id, err := v.identify(t.Context(), &images[0]); err != nil || id.ID(thumb.String()) != want {
		t.Errorf("%v, %v", id, err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := v.identify(t.Context(), &images[1]); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("64 MB are hashed with %d bytes of memory", took)
	}
}
