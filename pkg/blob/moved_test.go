package blob

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Directories are kept open between outputs: what matters is where the name leads now.
func TestOutputsGoWhereTheirNamesLeadAlthoughDirectoriesMove(t *testing.T) {
	d := newDir(t, Config{})
	at := func(name string) string { return filepath.Join(d.Path(), name) }
	outside := t.TempDir()
	for i, replace := range []func() error{
		func() error { return nil }, // it is made again
		func() error { return os.Mkdir(at("y/sub"), 0o777) },
		func() error { return errors.Join(os.Mkdir(at("other"), 0o777), os.Symlink("../other", at("y/sub"))) },
		func() error { return os.Symlink(outside, at("y/sub")) },
		func() error { // the same directory, which is not below the store any more
			return errors.Join(os.Rename(at("away4"), filepath.Join(outside, "sub")),
				os.Symlink(filepath.Join(outside, "sub"), at("y/sub")))
		},
	} {
		put(t, d, "y/sub/before.jpg", "x") // makes the directory,
		put(t, d, "y/sub/again.jpg", "x")  // which is kept open now
		away := at(fmt.Sprintf("away%d", i))
		if err := os.Rename(at("y/sub"), away); err != nil {
			t.Fatal(err)
		}
		if err := replace(); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
		err := d.Put(t.Context(), "y/sub/after.jpg", []byte("x"))
		if i >= 3 {
			if !errors.Is(err, ErrObstructed) {
				t.Errorf("through a link that leads out: %v, want an ErrObstructed", err)
			}
		} else if _, statErr := os.Stat(at("y/sub/after.jpg")); err != nil || statErr != nil {
			t.Errorf("replacement %d: %v, %v", i, err, statErr)
		}
		for _, dir := range []string{away, outside, filepath.Join(outside, "sub")} {
			if _, err := os.Stat(filepath.Join(dir, "after.jpg")); err == nil {
				t.Errorf("replacement %d: it went to %s", i, dir)
			}
		}
		if err := os.RemoveAll(at("y/sub")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMoreDirectoriesThanAreKeptOpen(t *testing.T) {
	d := newDir(t, Config{})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for k := range 200 {
				name := fmt.Sprintf("%d/%d/%d.jpg", k%7, (k+i)%11, i*1000+k)
				if err := d.Put(t.Context(), name, []byte("x")); err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(filepath.Join(d.Path(), filepath.FromSlash(name))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func TestManyPutWhileTheDirectoryIsReplaced(t *testing.T) {
	d := newDir(t, Config{})
	over := make(chan struct{})
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			for k := 0; ; k++ {
				select {
				case <-over:
					return
				default:
				}
				err := d.Put(t.Context(), fmt.Sprintf("sub/%d-%d.jpg", i, k), []byte("x"))
				if err != nil && !errors.Is(err, ErrUnavailable) {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 50 {
		err := os.Rename(d.Path(), fmt.Sprintf("%s-%d", d.Path(), i))
		if err == nil {
			err = os.MkdirAll(d.Path(), 0o777) // a Put may have been first
		}
		if err != nil {
			t.Error(err)
			break
		}
		if err := d.Put(t.Context(), fmt.Sprintf("main-%d.jpg", i), []byte("x")); err != nil {
			t.Errorf("while the directory is there: %v", err)
		}
	}
	close(over)
	writers.Wait()
}

// What is found at the path is somebody's to put right, whatever it is: nobody's images are at fault.
func TestWhatCannotBeUsedInPlaceOfTheDirectoryIsATroubleThatPasses(t *testing.T) {
	d := newDir(t, Config{})
	put(t, d, "a.jpg", "x")
	if err := os.Rename(d.Path(), d.Path()+".old"); err != nil {
		t.Fatal(err)
	}
	use := map[string]func() error{
		"Put":   func() error { return d.Put(t.Context(), "b.jpg", []byte("x")) },
		"Flush": func() error { return d.Flush(t.Context()) },
		"Stat":  func() error { _, err := d.Stat("a.jpg"); return err },
	}
	for what, replace := range map[string]func() error{
		"a file": func() error { return os.WriteFile(d.Path(), nil, 0o666) },
		"a directory that takes no temporary files": func() error {
			return errors.Join(os.Mkdir(d.Path(), 0o777), os.WriteFile(filepath.Join(d.Path(), ".imagefarm"), nil, 0o666))
		},
	} {
		if err := replace(); err != nil {
			t.Fatal(err)
		}
		for op, do := range use {
			if err := do(); !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrObstructed) || errors.Is(err, ErrLost) {
				t.Errorf("%s with %s there: %v, want an ErrUnavailable", op, what, err)
			}
		}
		if err := os.RemoveAll(d.Path()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(d.Path(), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := d.Flush(t.Context()); !errors.Is(err, ErrLost) {
		t.Errorf("Flush of another directory: %v, want an ErrLost", err)
	}
	put(t, d, "b.jpg", "x")
}
