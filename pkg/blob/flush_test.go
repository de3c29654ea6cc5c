package blob

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
)

func TestTheDirectoryIsRemovedAndMadeAgain(t *testing.T) {
	d := newDir(t, Config{})
	put(t, d, "before.jpg", "x")
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(d.Path()); err != nil {
		t.Fatal(err)
	}
	_, statErr := d.Stat("before.jpg")
	for what, err := range map[string]error{
		"Put": d.Put(t.Context(), "x.jpg", nil), "Flush": d.Flush(t.Context()), "Stat": statErr,
	} {
		var temporary interface{ Temporary() bool }
		if !errors.Is(err, ErrUnavailable) || !errors.As(err, &temporary) || !temporary.Temporary() {
			t.Errorf("%s while the directory is gone: %v, want a temporary ErrUnavailable", what, err)
		}
	}
	if err := os.Mkdir(d.Path(), 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, d, "sub/after.jpg", "x")
	if err := d.Flush(t.Context()); err != nil {
		t.Errorf("Flush after it is back: %v", err)
	}
	if left := list(t, d.Path()); !slices.Equal(left, []string{"sub/after.jpg"}) {
		t.Errorf("left %q", left)
	}
}

func TestOutputsThatWentWithTheirDirectoryAreToldOnce(t *testing.T) {
	for _, sync := range []Sync{SyncBatch, SyncEach, SyncNever} {
		d := newDir(t, Config{Sync: sync})
		put(t, d, "x.jpg", "x")
		if err := os.Rename(d.Path(), d.Path()+".old"); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(d.Path(), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := d.Flush(t.Context()); !errors.Is(err, ErrLost) || errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: Flush = %v, want an ErrLost", sync, err)
		}
		put(t, d, "x.jpg", "x")
		if err := d.Flush(t.Context()); err != nil {
			t.Errorf("%s: second Flush = %v", sync, err)
		}
		if got := get(t, d, "x.jpg"); got != "x" {
			t.Errorf("%s: read %q", sync, got)
		}
	}
}

func TestSomebodyCleansUpTheHiddenDirectory(t *testing.T) {
	d := newDir(t, Config{})
	put(t, d, "a.jpg", "x")
	if err := os.RemoveAll(filepath.Join(d.Path(), OwnDir)); err != nil {
		t.Fatal(err)
	}
	put(t, d, "b.jpg", "x")
	if err := d.Flush(t.Context()); err != nil {
		t.Errorf("Flush = %v; nothing was lost", err)
	}
}

func TestNobodyFlushesAndMemoryStaysBounded(t *testing.T) {
	d := newDir(t, Config{})
	for i := range maxNoted + 10 {
		put(t, d, fmt.Sprintf("%d", i%20), "x")
	}
	if n := len(d.note.outputs); n > maxNoted {
		t.Errorf("%d outputs are noted, more than %d", n, maxNoted)
	}
	if err := d.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestASlowFileSystemIsSyncedFileByFile(t *testing.T) {
	d := newDir(t, Config{})
	d.spare = 2
	for i := range 3 {
		for n := range 20 {
			put(t, d, fmt.Sprintf("new/%d/%d.jpg", i, n), "x")
		}
		if err := d.Remove(fmt.Sprintf("new/%d/3.jpg", i)); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(d.Path(), "new/1")); err != nil {
			t.Fatal(err)
		}
		if err := d.Flush(t.Context()); err != nil {
			t.Errorf("Flush = %v; what is removed needs no syncing", err)
		}
		if want := max(0, 1-i); d.spare != want && d.spare != spareFlushes {
			t.Errorf("after %d Flushes %d are spared, want %d", i+1, d.spare, want)
		}
	}
}

func TestOfManySyncsOneFails(t *testing.T) {
	failure := errors.New("the disk does not work")
	var done atomic.Int64
	var all []func() error
	for i := range 100 {
		all = append(all, func() error {
			done.Add(1)
			if i == 50 {
				return failure
			}
			return nil
		})
	}
	if err := together(all); !errors.Is(err, failure) || done.Load() < 51 {
		t.Errorf("%v after %d of 100", err, done.Load())
	}
	if err := together(nil); err != nil {
		t.Error(err)
	}
}

func TestAnOutputThatCannotBeSyncedIsLost(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("what is open cannot be replaced on Windows")
	}
	d := newDir(t, Config{})
	put(t, d, "x/y.jpg", "x")
	if err := os.RemoveAll(filepath.Join(d.Path(), "x")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.Path(), "x"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := d.Flush(t.Context()); !errors.Is(err, ErrLost) || errors.Is(err, ErrUnavailable) {
		t.Errorf("Flush = %v, want an ErrLost", err)
	}
	if err := d.Flush(t.Context()); err != nil {
		t.Errorf("a second Flush = %v; it was told already", err)
	}
}
