package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// errOut says that a link leads out of the input. Package os exports no error for it.
var errOut = errors.New("a link leads out of the input")

// leadsOut reports whether an error of os.Root says that a name leads out of the root.
func leadsOut(err error) bool {
	return err != nil && (errors.Is(err, errOut) || strings.Contains(err.Error(), "escapes from parent"))
}

// statBelow returns what name, slash-separated and below root, leads to. With follow it may lead out of root.
func statBelow(root *os.Root, name string, follow bool) (fs.FileInfo, error) {
	info, err := root.Stat(filepath.FromSlash(name))
	if !leadsOut(err) {
		return info, err
	}
	if !follow {
		return nil, errOut
	}
	return os.Stat(filepath.Join(root.Name(), filepath.FromSlash(name)))
}

// openBelow opens the entry e at name below the directory dir. It waits for nothing: neither for the other end of a
// pipe nor for a device.
func openBelow(dir, name string, e Entry, follow bool) (*File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", e.Location, cause(err))
	}
	defer root.Close()
	const flags = os.O_RDONLY | nonBlocking
	file, err := root.OpenFile(filepath.FromSlash(name), flags, 0)
	if leadsOut(err) {
		if !follow {
			return nil, fmt.Errorf("open %s: %w", e.Location, errOut)
		}
		file, err = os.OpenFile(filepath.Join(dir, filepath.FromSlash(name)), flags, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", e.Location, cause(err))
	}
	info, err := file.Stat()
	if err == nil && (!info.Mode().IsRegular() || identity(info) != e.Identity) {
		err = ErrChanged
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("open %s: %w", e.Location, cause(err))
	}
	return &File{Reader: io.NewSectionReader(file, 0, e.Size), Closer: file, Size: e.Size}, nil
}

// openPatience bounds how long an open waits while too many files are open.
const openPatience = 30 * time.Second

// waitForFiles repeats open while this process, or the machine, has too many files open: others are about to close
// some, and an image is not at fault.
func waitForFiles[T any](ctx context.Context, open func() (T, error)) (T, error) {
	for until := time.Now().Add(openPatience); ; {
		v, err := open()
		if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) || time.Now().After(until) {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// entry returns the entry of a regular file.
func entry(name, location string, info fs.FileInfo) Entry {
	return Entry{Name: name, Location: location, Size: info.Size(), Modified: info.ModTime(), Identity: identity(info)}
}
