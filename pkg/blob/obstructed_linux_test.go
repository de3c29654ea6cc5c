package blob

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// asNobody calls do on a thread that reaches files as a user without rights. The thread ends with it.
func asNobody(t *testing.T, do func()) {
	t.Helper()
	if os.Getuid() != 0 {
		do()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlock: the thread is of no more use
		if err := unix.Setfsuid(65534); err != nil {
			t.Error(err)
			return
		}
		do()
	}()
	<-done
}

// openAnybody opens a store in which anybody may write.
func openAnybody(t *testing.T) *Dir {
	t.Helper()
	old := unix.Umask(0)
	defer unix.Umask(old)
	path := t.TempDir()
	for dir := path; strings.HasPrefix(dir, os.TempDir()) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	d, err := OpenDir(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestUnwritableDirectoryObstructsItsOwnOutputsAlone(t *testing.T) {
	d := openAnybody(t)
	locked := filepath.Join(d.Path(), "locked")
	if err := errors.Join(os.Mkdir(locked, 0o555), os.Chmod(locked, 0o555)); err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		for _, name := range []string{"locked/a.jpg", "locked/sub/a.jpg"} {
			err := d.Put(t.Context(), name, []byte("a"))
			if why := Rejection(err); !errors.Is(err, ErrObstructed) || why == nil || why.Reason != outcome.Obstructed ||
				!strings.Contains(why.Detail, `"locked"`) {
				t.Errorf("%s: %v, which rejects as %v", name, err, why)
			}
		}
		if err := d.Put(t.Context(), "free/a.jpg", []byte("a")); err != nil {
			t.Error(err)
		}
	})
}

func TestStoreThatAsAWholeMayNotBeWrittenIsUnavailable(t *testing.T) {
	for _, mode := range []os.FileMode{0o555, 0o000} {
		d := openAnybody(t)
		if err := os.Mkdir(filepath.Join(d.Path(), "old"), 0o555); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(d.Path(), mode); err != nil {
			t.Fatal(err)
		}
		asNobody(t, func() {
			if err := d.Put(t.Context(), "new/a.jpg", []byte("a")); !errors.Is(err, ErrUnavailable) || Rejection(err) != nil {
				t.Errorf("mode %v: %v", mode, err)
			}
			if err := d.Put(t.Context(), "old/a.jpg", []byte("a")); mode == 0 && !errors.Is(err, ErrUnavailable) {
				t.Errorf("mode %v: %v", mode, err)
			}
		})
		if err := os.Chmod(d.Path(), 0o777); err != nil {
			t.Error(err)
		}
	}
}

func TestNameThatTheFileSystemRefusesIsARejection(t *testing.T) {
	tooLong := fault("write", "a.jpg", "/out", unix.ENAMETOOLONG)
	if why := Rejection(tooLong); why == nil || why.Reason != outcome.BadName ||
		!strings.HasPrefix(why.Detail, "rename it: ") {
		t.Errorf("%v", why)
	}
	mount := fault("write", "a/b.jpg", "/out", unix.EXDEV)
	if why := Rejection(mount); why == nil || why.Reason != outcome.Obstructed ||
		!strings.Contains(why.Detail, "another file system") {
		t.Errorf("%v", why)
	}
	for _, err := range []error{nil, errors.New("other"), CheckName("../a"), fault("write", "a", "/out", unix.ENOSPC)} {
		if why := Rejection(err); why != nil {
			t.Errorf("%v rejects as %v", err, why)
		}
	}
}

func TestSparseFileIsCopiedSparsely(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	const size = 256 << 20
	if err := errors.Join(os.WriteFile(big, []byte("head"), 0o644), os.Truncate(big, size)); err != nil {
		t.Fatal(err)
	}
	d := openAnybody(t)
	if err := d.PutFrom(t.Context(), "big", func() (io.ReadCloser, error) { return os.Open(big) }); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(d.Path(), "big"), &st); err != nil || st.Size != size || st.Blocks*512 > 1<<20 {
		t.Errorf("the copy has %d bytes and takes %d, %v", st.Size, st.Blocks*512, err)
	}
}
