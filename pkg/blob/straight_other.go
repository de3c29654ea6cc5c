//go:build !linux

package blob

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// lookStraight is os.Stat of an absolute directory that has no symbolic link on the whole way. Who replaces a directory
// by a link while it looks may deceive it.
func lookStraight(dir string) (fs.FileInfo, error) {
	straight, err := filepath.EvalSymlinks(dir)
	if err == nil && straight != filepath.Clean(dir) {
		err = &os.PathError{Op: "open without following links", Path: dir, Err: syscall.ENOTDIR}
	}
	if err != nil {
		return nil, err
	}
	return os.Lstat(dir)
}
