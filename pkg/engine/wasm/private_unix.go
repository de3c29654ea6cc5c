//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package wasm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// checkPrivate returns an error unless this user alone can write to a directory and to what is in it. The directory is
// an absolute path without links.
func checkPrivate(dir string) error {
	mode, owner, err := modeOf(dir)
	switch {
	case err != nil:
		return err
	case owner != uint32(os.Geteuid()):
		return fmt.Errorf("%w: %s belongs to the user %d", ErrExposed, dir, owner)
	case mode.Perm()&0o077 != 0:
		return fmt.Errorf("%w: %s has the mode %04o, not 0700", ErrExposed, dir, mode.Perm())
	}
	if err := checkParents(dir); err != nil {
		return err
	}
	return checkContents(dir)
}

// checkParents returns an error unless a directory and those above it belong to this user or root, and nobody else can
// rename what they have.
func checkParents(dir string) error {
	for path := dir; ; path = filepath.Dir(path) {
		mode, owner, err := modeOf(path)
		switch {
		case err != nil:
			return err
		case !mode.IsDir():
			return fmt.Errorf("%w: %s is no directory", ErrExposed, path)
		case owner != 0 && owner != uint32(os.Geteuid()):
			return fmt.Errorf("%w: %s belongs to the user %d", ErrExposed, path, owner)
		case mode.Perm()&0o022 != 0 && mode&fs.ModeSticky == 0:
			return fmt.Errorf("%w: %s has the mode %04o", ErrExposed, path, mode.Perm())
		}
		if path == filepath.Dir(path) {
			return nil
		}
	}
}

// checkContents returns an error unless all in a directory belongs to this user, and no other user can write to it.
func checkContents(dir string) error {
	me := uint32(os.Geteuid())
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode, owner, err := modeOf(path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // another process has removed or renamed it
			return nil
		case err != nil:
			return err
		case owner != me:
			return fmt.Errorf("%w: %s belongs to the user %d", ErrExposed, path, owner)
		case mode.Perm()&0o022 != 0 || !mode.IsDir() && !mode.IsRegular():
			return fmt.Errorf("%w: %s has the mode %v", ErrExposed, path, mode)
		}
		return nil
	})
}

// checkWritable returns an error unless this user can make files in a directory.
func checkWritable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }

func modeOf(path string) (mode fs.FileMode, owner uint32, err error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, 0, err
	}
	return info.Mode(), info.Sys().(*syscall.Stat_t).Uid, nil
}

// lock waits until this process alone has the lock on a file. The kernel drops it when the process ends.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := flock(f, unix.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
