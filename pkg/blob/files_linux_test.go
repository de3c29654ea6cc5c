package blob

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Nothing is lost because this process has too many files open: what was written is synced later.
func TestFlushThatCanOpenNothingIsATroubleThatPasses(t *testing.T) {
	d := newDir(t, Config{})
	put(t, d, "sub/a.jpg", "x")
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	limit := func(n uint64) {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: before.Max}); err != nil {
			t.Fatal(err)
		}
	}
	limit(uint64(len(open)) - 1) // one was that of the reading itself
	err = d.Flush(t.Context())
	limit(before.Cur)
	if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrLost) {
		t.Errorf("Flush: %v, want an ErrUnavailable", err)
	}
	if len(d.note.outputs) != 1 || !d.note.dirs["sub"] || d.note.written != 1 {
		t.Errorf("still to be synced: %+v", d.note)
	}
	put(t, d, "b.jpg", "x")
	if err := d.Flush(t.Context()); err != nil || len(d.note.outputs) != 0 {
		t.Errorf("later: %v, %+v", err, d.note)
	}
	if _, err := os.Stat(filepath.Join(d.Path(), "sub", "a.jpg")); err != nil {
		t.Error(err)
	}
}
