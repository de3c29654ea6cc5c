package ventilator

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/taskid"
)

func TestChecksumReadsInPassing(t *testing.T) {
	dir := t.TempDir()
	v := &Ventilator{cfg: Config{Checksum: true}}
	small, large := filepath.Join(dir, "a.jpg"), filepath.Join(dir, "b.jpg")
	if err := os.WriteFile(small, []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	if id, err := v.identify(image{Path: small, Name: "a.jpg"}, "recipe"); err != nil || id != taskid.FromContent("a.jpg", []byte("content"), "recipe") {
		t.Errorf("%v, %v", id, err)
	}
	if err := os.WriteFile(large, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 64<<20); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := v.identify(image{Path: large, Name: "b.jpg"}, "recipe"); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("64 MB are hashed with %d bytes of memory", took)
	}
}
