package blob

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Found: somebody who could write to the parent of the outputs' directory could lead outputs to any other directory.
func TestLinkThatTakesThePlaceOfTheDirectoryIsNotFollowed(t *testing.T) {
	for replaced, what := range map[string]string{".": "the directory above", "out": "the directory"} {
		base := t.TempDir()
		parent, victim := filepath.Join(base, "parent"), filepath.Join(base, "victim")
		if err := os.MkdirAll(filepath.Join(victim, "out"), 0o777); err != nil {
			t.Fatal(err)
		}
		d, err := OpenDir(filepath.Join(parent, "out"), Config{})
		if err != nil {
			t.Fatal(err)
		}
		put(t, d, "before.jpg", "x")

		at := filepath.Join(parent, replaced)
		if err := os.Rename(at, at+".away"); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(victim, at); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
		_, statErr := d.Stat("before.jpg")
		_, openErr := d.Open("before.jpg")
		_, sweepErr := d.SweepTemp()
		for op, err := range map[string]error{
			"Put": d.Put(t.Context(), "x.jpg", []byte("x")), "Flush": d.Flush(t.Context()), "Stat": statErr, "Open": openErr,
			"Remove": d.Remove("before.jpg"), "SweepTemp": sweepErr,
		} {
			if !errors.Is(err, ErrUnavailable) {
				t.Errorf("%s with a link in place of %s: %v, want an ErrUnavailable", op, what, err)
			}
		}
		if left := list(t, victim); len(left) != 0 {
			t.Errorf("the link in place of %s led %q elsewhere", what, left)
		}

		if err := errors.Join(os.Remove(at), os.Rename(at+".away", at)); err != nil {
			t.Fatal(err)
		}
		if err := d.Flush(t.Context()); err != nil {
			t.Errorf("with %s back: %v", what, err)
		}
		put(t, d, "after.jpg", "x")
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestLinkThatNamesTheDirectoryIsFollowedOnce(t *testing.T) {
	base := t.TempDir()
	chosen, other, link := filepath.Join(base, "chosen"), filepath.Join(base, "other"), filepath.Join(base, "link")
	if err := errors.Join(os.Mkdir(chosen, 0o777), os.Mkdir(other, 0o777)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(chosen, link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	d, err := OpenDir(link, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	put(t, d, "before.jpg", "x")
	if err := errors.Join(os.Remove(link), os.Symlink(other, link)); err != nil {
		t.Fatal(err)
	}
	put(t, d, "after.jpg", "x")
	if err := d.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if left := list(t, other); len(left) != 0 || d.Path() != link {
		t.Errorf("%s of %s led elsewhere", left, d.Path())
	}
	if left := list(t, chosen); len(left) != 2 {
		t.Errorf("where the link led first there is %q", left)
	}

	if err := os.Rename(chosen, chosen+".away"); err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), "x.jpg", []byte("x")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without the directory: %v, want an ErrUnavailable", err)
	}
	if err := os.Mkdir(chosen, 0o777); err != nil {
		t.Fatal(err)
	}
	put(t, d, "again.jpg", "x")
}
