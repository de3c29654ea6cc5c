package source

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestRootIsWhereNamesBegin(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "photos", "2013"), 0o755); err != nil {
		t.Fatal(err)
	}
	photos := filepath.ToSlash(filepath.Join(dir, "photos"))
	var roots Roots
	for _, c := range []struct{ location, name, want string }{
		{photos + "/2013/a.jpg", "2013/a.jpg", photos},
		{photos + "/2013/a.jpg", "2013/a.jpg", photos}, // remembered
		{photos + "/2013/a.jpg", "other.jpg", photos + "/2013"},
		{"s3://bucket/2013/a.jpg", "2013/a.jpg", "s3://bucket/"},
	} {
		if got := roots.Of(filepath.FromSlash(c.location), c.name); got != c.want {
			t.Errorf("the root of %s named %s is %q, not %q", c.location, c.name, got, c.want)
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.FromSlash(photos), link); err != nil {
		t.Skip("no symlinks: ", err)
	}
	if got := roots.Of(filepath.Join(link, "a.jpg"), "a.jpg"); got != photos {
		t.Errorf("the root by a link is %q, not %q", got, photos)
	}
}

func TestFileIsOpenedByItsNameInADirectory(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"in/a.jpg", "secret.jpg"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(name), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	d, err := OpenDir(filepath.Join(dir, "in"), Config{})
	if err != nil {
		t.Fatal(err)
	}
	file, err := d.OpenName(t.Context(), "a.jpg")
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil || string(data) != "in/a.jpg" {
		t.Errorf("it holds %q, %v", data, err)
	}
	if _, err := d.OpenName(t.Context(), "none.jpg"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a name of nothing: %v", err)
	}
	for _, name := range []string{"../secret.jpg", ".", "/etc/passwd"} {
		if file, err := d.OpenName(t.Context(), name); err == nil {
			file.Close()
			t.Errorf("%s was opened", name)
		}
	}
	if _, err := OpenDir(filepath.Join(dir, "secret.jpg"), Config{}); err == nil {
		t.Error("a file was taken for a directory")
	}
}
