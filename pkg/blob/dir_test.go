package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// list returns the files below dir, slash-separated, without the farm's own.
func list(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.Name() == OwnDir {
			return fs.SkipDir
		}
		if !e.IsDir() {
			rel, err := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(rel))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func newDir(t *testing.T, cfg Config) *Dir {
	t.Helper()
	d, err := OpenDir(filepath.Join(t.TempDir(), "out"), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return d
}

func put(t *testing.T, d *Dir, name, data string) {
	t.Helper()
	if err := d.Put(t.Context(), name, []byte(data)); err != nil {
		t.Fatalf("Put(%q): %v", name, err)
	}
}

func get(t *testing.T, d *Dir, name string) string {
	t.Helper()
	r, err := d.Open(name)
	if err != nil {
		t.Fatalf("Open(%q): %v", name, err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWhatIsPutCanBeReadWhateverIsSynced(t *testing.T) {
	for _, sync := range []Sync{SyncBatch, SyncEach, SyncNever} {
		t.Run(string(sync), func(t *testing.T) {
			d := newDir(t, Config{Sync: sync})
			for i := range 9 {
				put(t, d, fmt.Sprintf("a/%d/deep/x.jpg", i), strings.Repeat("x", i))
			}
			put(t, d, "a/0/deep/x.jpg", "replaced")
			if err := d.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := get(t, d, "a/0/deep/x.jpg"); got != "replaced" {
				t.Errorf("read %q", got)
			}
			if size, err := d.Stat("a/7/deep/x.jpg"); size != 7 || err != nil {
				t.Errorf("Stat = %d, %v", size, err)
			}
			if err := d.Flush(t.Context()); err != nil {
				t.Errorf("Flush with nothing to do: %v", err)
			}
			if left := list(t, d.Path()); len(left) != 9 {
				t.Errorf("left %q", left)
			}
		})
	}
}

func TestCloseLeavesOnlyOutputs(t *testing.T) {
	d := newDir(t, Config{})
	put(t, d, "x.jpg", "x")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Join(d.Path(), tempDir))
	if err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
	for what, err := range map[string]error{
		"Put": d.Put(t.Context(), "y.jpg", nil), "Flush": d.Flush(t.Context()), "second Close": d.Close(),
	} {
		if what == "second Close" {
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		} else if !errors.Is(err, os.ErrClosed) || errors.Is(err, ErrUnavailable) {
			t.Errorf("%s after Close: %v", what, err)
		}
	}
}

func TestModesFollowTheUmask(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes on Windows")
	}
	d := newDir(t, Config{})
	put(t, d, "dir/x.jpg", "x")
	plainFile := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plainFile, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	plainDir := filepath.Join(t.TempDir(), "plain")
	if err := os.Mkdir(plainDir, 0o777); err != nil {
		t.Fatal(err)
	}
	for made, like := range map[string]string{"dir": plainDir, "dir/x.jpg": plainFile} {
		a, errA := os.Stat(filepath.Join(d.Path(), made))
		b, errB := os.Stat(like)
		if errA != nil || errB != nil || a.Mode() != b.Mode() {
			t.Errorf("%s has mode %v (%v), want %v (%v)", made, a.Mode(), errA, b.Mode(), errB)
		}
	}
}

func TestWhatIsNotThereIsNotExist(t *testing.T) {
	d := newDir(t, Config{})
	_, statErr := d.Stat("no/such.jpg")
	_, openErr := d.Open("no/such.jpg")
	for _, err := range []error{statErr, openErr} {
		if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrUnavailable) {
			t.Errorf("%v, want fs.ErrNotExist", err)
		}
	}
	if err := d.Remove("no/such.jpg"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	put(t, d, "x.jpg", "x")
	if err := d.Remove("x.jpg"); err != nil {
		t.Errorf("Remove: %v", err)
	}
	if _, err := d.Stat("x.jpg"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat of what was removed: %v", err)
	}
}

func TestWhatIsInTheWayConcernsOneNameAlone(t *testing.T) {
	d := newDir(t, Config{})
	outside := t.TempDir()
	put(t, d, "file", "x")
	put(t, d, "dir/x.jpg", "x")
	if err := os.Symlink(outside, filepath.Join(d.Path(), "out-link")); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	if err := os.Symlink("circle", filepath.Join(d.Path(), "circle")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dir", "file/x.jpg", "file/y/x.jpg", "out-link/x.jpg", "circle/x.jpg"} {
		err := d.Put(t.Context(), name, []byte("y"))
		if !errors.Is(err, ErrObstructed) || errors.Is(err, ErrUnavailable) {
			t.Errorf("Put(%q) = %v, want an ErrObstructed", name, err)
		}
		var temporary interface{ Temporary() bool }
		if !errors.As(err, &temporary) || temporary.Temporary() {
			t.Errorf("Put(%q): the error calls itself temporary", name)
		}
	}
	for _, name := range []string{"dir", "out-link"} {
		if _, err := d.Stat(name); !errors.Is(err, ErrObstructed) {
			t.Errorf("Stat(%q) = %v", name, err)
		}
		if _, err := d.Open(name); !errors.Is(err, ErrObstructed) {
			t.Errorf("Open(%q) = %v", name, err)
		}
	}
	if err := d.Remove("dir"); !errors.Is(err, ErrObstructed) {
		t.Errorf("Remove(dir) = %v", err)
	}
	if left := list(t, outside); len(left) != 0 {
		t.Errorf("written outside: %q", left)
	}
	put(t, d, "other.jpg", "x")
	put(t, d, "out-link", "replaces the link, not what it leads to")
	if left := tempFiles(t, d); len(left) != 0 {
		t.Errorf("temporary files were left: %q", left)
	}
}

func tempFiles(t *testing.T, d *Dir) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(d.Path(), filepath.FromSlash(tempDir), "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func TestManyPutWhileOthersReadAndSomebodyRemovesTheParents(t *testing.T) {
	d := newDir(t, Config{})
	full := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	put(t, d, "same.bin", string(full))
	ctx, cancel := context.WithCancel(t.Context())
	var writers, others sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 50 {
				if err := d.Put(ctx, "same.bin", full[:len(full)-16*w]); err != nil {
					t.Errorf("Put: %v", err)
				}
				// Who removes directories faster than files are renamed into them is a trouble that passes.
				err := d.Put(ctx, fmt.Sprintf("p/%d/%d.bin", w, i%3), full[:100])
				if err != nil && !errors.Is(err, ErrUnavailable) {
					t.Errorf("Put: %v", err)
				}
				if i%10 == 0 {
					if err := d.Flush(ctx); err != nil {
						t.Errorf("Flush: %v", err)
					}
				}
			}
		})
	}
	others.Go(func() {
		for ctx.Err() == nil {
			size, err := d.Stat("same.bin")
			if err != nil || size < int64(len(full)-48) {
				t.Errorf("seen incomplete: %d bytes, %v", size, err)
				return
			}
		}
	})
	others.Go(func() {
		for ctx.Err() == nil {
			_ = os.RemoveAll(filepath.Join(d.Path(), "p"))
		}
	})
	writers.Wait()
	cancel()
	others.Wait()
	put(t, d, "p/0/0.bin", "x")
}

func TestOpenedForReadingAlone(t *testing.T) {
	path := t.TempDir()
	if err := os.WriteFile(filepath.Join(path, "x.jpg"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	d, err := OpenDir(path, Config{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got := get(t, d, "x.jpg"); got != "x" {
		t.Errorf("read %q", got)
	}
	if err := d.Put(t.Context(), "y.jpg", nil); err == nil {
		t.Error("Put succeeded")
	}
	if n, err := d.SweepTemp(); n != 0 || err != nil {
		t.Errorf("SweepTemp = %d, %v", n, err)
	}
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
	if _, err := OpenDir(filepath.Join(path, "missing"), Config{ReadOnly: true}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a missing directory: %v", err)
	}
}

func TestAPipeUnderAnOutputsNameBlocksNobody(t *testing.T) {
	d := newDir(t, Config{})
	if err := makePipe(filepath.Join(d.Path(), "pipe")); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	if _, err := d.Open("pipe"); !errors.Is(err, ErrObstructed) {
		t.Errorf("Open = %v", err)
	}
	put(t, d, "pipe", "x")
	if got := get(t, d, "pipe"); got != "x" {
		t.Errorf("read %q", got)
	}
}

func TestOnlyEmptyDirectoriesAboveAnOutputAreRemoved(t *testing.T) {
	d := newDir(t, Config{})
	put(t, d, "a/b/c/x.jpg", "x")
	put(t, d, "a/y.jpg", "y")
	put(t, d, "z.jpg", "z")
	if err := os.Symlink("a", filepath.Join(d.Path(), "link")); err != nil {
		t.Skipf("no links here: %v", err)
	}
	for _, name := range []string{"a/b/c/x.jpg", "link/y.jpg", "z.jpg", "never/was/there.jpg"} {
		if err := d.Remove(name); err != nil {
			t.Fatal(err)
		}
		if err := d.RemoveEmptyAbove(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, want := range map[string]bool{"a/b": false, "a": true, "link": true, ".": true} {
		if _, err := os.Lstat(filepath.Join(d.Path(), name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := d.RemoveEmptyAbove("../x"); !errors.Is(err, ErrName) {
		t.Errorf("outside: %v", err)
	}
}
