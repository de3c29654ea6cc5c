//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package wasm

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// openTemporary makes a directory and holds a lock on it, by which other processes know that it is in use. A process
// that takes it for an abandoned one before it is locked removes it; then it is made again.
func openTemporary(dir string) (c Cache, held *os.File, err error) {
	for range 100 {
		if c, err = OpenCache(dir); err == nil {
			held, err = openOwn(string(c))
		}
		if errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return "", nil, err
		}
		// Where directories cannot be locked, as on NFS, no process removes another's.
		if err := flock(held, unix.LOCK_EX); err != nil || isAt(held, string(c)) {
			return c, held, nil
		}
		held.Close()
	}
	return "", nil, errors.New("other processes remove it again and again")
}

// removeAbandoned removes the directories with a prefix that processes of this user made by openTemporary and left
// behind. It leaves alone what it cannot lock, what another user owns or can write to, and what is no directory.
func removeAbandoned(parent, prefix string) {
	if checkParents(parent) != nil {
		return // others could put another directory there before it is removed
	}
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			removeIfAbandoned(filepath.Join(parent, e.Name()))
		}
	}
}

func removeIfAbandoned(dir string) {
	held, err := openOwn(dir)
	if err != nil {
		return
	}
	defer held.Close()
	if flock(held, unix.LOCK_EX|unix.LOCK_NB) == nil && isAt(held, dir) {
		_ = os.RemoveAll(dir) // what is left of it goes next time
	}
}

// openOwn opens a directory that belongs to this user, and that nobody else can read or write to. It follows no link.
func openOwn(dir string) (*os.File, error) {
	f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && (info.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) || info.Mode().Perm()&0o077 != 0) {
		err = ErrExposed
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// isAt reports whether a path leads to an open file.
func isAt(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(open, there)
}

// flock locks an open file. The kernel drops the lock when the process ends.
func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
