//go:build unix

package processes

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// stamps returns what tells each file below a directory from a later one of its name.
func stamps(t *testing.T, dir string) map[string]os.FileInfo {
	t.Helper()
	all := make(map[string]os.FileInfo)
	for _, name := range filesBelow(t, dir) {
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = info
	}
	return all
}

// written returns how many files below dir are new or other than those of before.
func written(t *testing.T, dir string, before map[string]os.FileInfo) (n int) {
	t.Helper()
	for name, now := range stamps(t, dir) {
		if was, ok := before[name]; !ok || !os.SameFile(was, now) || !was.ModTime().Equal(now.ModTime()) {
			n++
		}
	}
	return n
}

// A changed recipe costs its changed variants alone, whether the sink or the workers write the outputs.
func TestOnlyChangedVariantsAreMade(t *testing.T) {
	for _, where := range []string{"sink", "worker"} {
		t.Run(where+" writes", func(t *testing.T) {
			t.Parallel()
			in := t.TempDir()
			for i, name := range []string{"a.jpg", "b.jpg", "c/a.jpg"} {
				write(t, filepath.Join(in, name), picture(t, uint8(i)))
			}
			write(t, filepath.Join(in, "broken.jpg"), picture(t, 9)[:100])
			f := newFarm(t)
			if err := os.Mkdir(f.Out, 0o755); err != nil {
				t.Fatal(err)
			}
			f.StartSink()
			var stores []string
			if where == "worker" {
				stores = []string{"--out", f.Out}
			}
			f.StartWorker("w1", stores...)
			var before map[string]os.FileInfo
			run := func(files int, want account, args ...string) *farmtest.Process {
				t.Helper()
				before = stamps(t, f.Out)
				p := f.StartVentilator(append(args, in)...)
				p.MustExit(3)
				mustAccount(t, p, want)
				if n := written(t, f.Out, before); n != files {
					t.Errorf("%q: %d files are written, not %d", args, n, files)
				}
				return p
			}
			all := account{found: 4, done: 3, rejected: 1}
			none := account{found: 4, skipped: 3, rejected: 1}
			thumb, medium, rough := "thumb=fit:20x20", "medium=fit:40x40", "medium=fit:40x40,quality:10"
			run(3, all, "--variant", thumb)
			run(3, all, "--variant", thumb, "--variant", medium)
			run(0, none, "--variant", medium, "--variant", thumb)
			run(0, none, "--variant", medium)
			run(0, none, "--variant", thumb, "--variant", medium)
			run(3, all, "--variant", thumb, "--variant", rough)
			if err := os.Remove(filepath.Join(f.Out, "c", "a_thumb.jpg")); err != nil {
				t.Fatal(err)
			}
			run(1, account{found: 4, done: 1, skipped: 2, rejected: 1}, "--variant", thumb, "--variant", rough)
			run(6, all, "--variant", thumb, "--variant", rough, "--force")
		})
	}
}

// An image that was renamed or moved costs copies of its outputs where images are known by their content.
func TestMovedImagesAreNotMadeAgain(t *testing.T) {
	in := t.TempDir()
	names := []string{"a.jpg", "b.jpg", "c/d.jpg"}
	for i, name := range names {
		write(t, filepath.Join(in, name), picture(t, uint8(i)))
	}
	f := newFarm(t)
	if err := os.Mkdir(f.Out, 0o755); err != nil {
		t.Fatal(err)
	}
	f.StartSink()
	f.StartWorker("w1")
	run := func(want account, args ...string) {
		t.Helper()
		p := f.StartVentilator(append(args, "--checksum", in)...)
		p.MustExit(0)
		mustAccount(t, p, want)
	}
	run(account{found: 3, done: 3}, "--size", "20")
	for from, to := range map[string]string{"a.jpg": "z.jpg", "c": "moved"} {
		if err := os.Rename(filepath.Join(in, from), filepath.Join(in, to)); err != nil {
			t.Fatal(err)
		}
	}
	run(account{found: 3, skipped: 3}, "--size", "20")
	for from, to := range map[string]string{"a_thumbnail20.jpg": "z_thumbnail20.jpg",
		"c/d_thumbnail20.jpg": "moved/d_thumbnail20.jpg"} {
		was, err := os.ReadFile(filepath.Join(f.Out, from))
		if err != nil {
			t.Fatal(err)
		}
		is, err := os.ReadFile(filepath.Join(f.Out, to))
		if err != nil || !bytes.Equal(was, is) {
			t.Errorf("%s is no copy of %s: %v", to, from, err)
		}
	}
	before := stamps(t, f.Out)
	run(account{found: 3, skipped: 3}, "--size", "20")
	run(account{found: 3, done: 3}, "--size", "20,40")
	if n := written(t, f.Out, before); n != 3 {
		t.Errorf("%d files are written, not 3", n)
	}
	verify := f.Start("verify", "farm", "verify", "--control", f.Control)
	verify.MustExit(0)
	verify.MustSay("all present")
}

// A variant that cannot be made of an image takes none of the others with it, now or when the recipe changes.
func TestVariantThatCannotBeMadeIsRefusedAlone(t *testing.T) {
	in := t.TempDir()
	write(t, filepath.Join(in, "a.jpg"), picture(t, 1))
	f := newFarm(t)
	if err := os.Mkdir(f.Out, 0o755); err != nil {
		t.Fatal(err)
	}
	f.StartSink()
	f.StartWorker("w1")
	run := func(code, files int, want account, args ...string) {
		t.Helper()
		before := stamps(t, f.Out)
		p := f.StartVentilator(append(args, in)...)
		p.MustExit(code)
		mustAccount(t, p, want)
		if n := written(t, f.Out, before); n != files {
			t.Errorf("%q: %d files are written, not %d", args, n, files)
		}
	}
	thumb, wide, page := "thumb=fit:20x20", "wide=pad:20000x10,format:webp", "page=page:7,fit:9x9"
	run(3, 1, account{found: 1, done: 1}, "--variant", thumb, "--variant", wide, "--variant", page)
	run(0, 0, account{found: 1, skipped: 1}, "--variant", thumb, "--variant", wide, "--variant", page)
	run(3, 0, account{found: 1, done: 1}, "--variant", thumb, "--variant", wide) // it is tried again
	run(0, 0, account{found: 1, skipped: 1}, "--variant", thumb)
}
