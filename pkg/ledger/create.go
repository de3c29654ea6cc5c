package ledger

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
)

// createIfMissing makes an empty ledger at path if nothing is there. The ledger appears complete or not at all, so
// an empty or incomplete file is not one that a killed process of ours left.
func createIfMissing(path string) error {
	if _, err := os.Lstat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return fault(path, "look at the ledger", err)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fault(path, "make the ledger's directory", err)
	}
	sweepCreated(path)
	temp := path + newSuffix + strings.ToLower(rand.Text())
	defer os.Remove(temp) // after linking, its second name
	if err := create(temp); err != nil {
		return fault(path, "make the ledger", err)
	}
	err := publish(temp, path)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was faster
	}
	return fault(path, "make the ledger", err)
}

// create makes an empty ledger at path and returns once it is on disk. The file has no name yet by which anyone would
// open it, so one sync at the end does for bbolt's four in between.
func create(path string) error {
	db, err := bbolt.Open(path, 0o666, &bbolt.Options{
		FreelistType: bbolt.FreelistMapType, NoStatistics: true, NoSync: true, NoGrowSync: true,
	})
	if err != nil {
		return err
	}
	return errors.Join(db.Update(makeBuckets), reserve(path), db.Sync(), db.Close())
}

// reserved is how many bytes of a new ledger are on disk from the start, 64 pages of the system: what 200 images and
// more take.
var reserved = 64 * int64(os.Getpagesize())

// reserve writes zeros behind the pages of a new ledger, and makes the file as long as bbolt first would. On a
// file system that writes in place, a commit that replaces them waits for its own pages alone. One that makes a file
// longer, or fills holes in it, also waits for the journal, and so for what other programs have written.
func reserve(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, max(0, reserved-end)))
	return errors.Join(err, f.Truncate(allocSize))
}

const newSuffix = ".new-"

// sweepCreated removes temporary files of processes that were killed while they made a ledger, or a copy of one, at
// path. It leaves files of the last hour alone: another process may be writing them.
func sweepCreated(path string) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), filepath.Base(path)+newSuffix) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(filepath.Join(filepath.Dir(path), e.Name())) // harmless if it stays
		}
	}
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be synced there
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // some network file systems cannot sync directories: their servers store names at once
	}
	return errors.Join(err, f.Close())
}
