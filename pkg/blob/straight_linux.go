package blob

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// lookStraight is os.Stat of an absolute directory that follows no symbolic link on the whole way. It needs no
// permission that os.Stat does not need.
func lookStraight(dir string) (fs.FileInfo, error) {
	const flags = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	at, err := openat(unix.AT_FDCWD, "/", flags)
	for part := range strings.SplitSeq(filepath.Clean(dir), "/") {
		if part == "" || err != nil {
			continue
		}
		above := at
		at, err = openat(above, part, flags)
		unix.Close(above)
	}
	if err != nil {
		return nil, &os.PathError{Op: "open without following links", Path: dir, Err: err}
	}
	file := os.NewFile(uintptr(at), dir)
	defer file.Close()
	return file.Stat()
}

func openat(dir int, name string, flags int) (fd int, err error) {
	for fd, err = unix.Openat(dir, name, flags, 0); errors.Is(err, unix.EINTR); {
		fd, err = unix.Openat(dir, name, flags, 0)
	}
	return fd, err
}
