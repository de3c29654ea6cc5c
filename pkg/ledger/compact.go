package ledger

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"go.etcd.io/bbolt"
)

// compactAtOnce is how many bytes one transaction of Compact copies.
const compactAtOnce = 16 << 20

// Compact rewrites the ledger at path without the free pages between its entries, and returns the sizes of the file
// before and after, in bytes. No other process may have the ledger open. The new file replaces the old one at the
// end, so a process that is killed leaves the ledger as it was.
func Compact(path string, cfg Config) (before, after int64, err error) {
	cfg.ReadOnly = false
	l, err := Open(path, cfg)
	if err != nil {
		return 0, 0, err
	}
	closed := false
	defer func() {
		if !closed {
			err = errors.Join(err, l.Close())
		}
	}()
	temp := path + newSuffix + strings.ToLower(rand.Text())
	defer os.Remove(temp) // fails after the rename
	if err := l.copyCompact(temp); err != nil {
		return 0, 0, fault(path, "compact the ledger", err)
	}
	if before, err = fileSize(path); err != nil {
		return 0, 0, fault(path, "compact the ledger", err)
	}
	if after, err = fileSize(temp); err != nil {
		return 0, 0, fault(path, "compact the ledger", err)
	}
	// On most systems the lock is held until the new file is in place, so that no other process writes to the old one. On
	// Windows no open file can be replaced: not by this process, nor while another has just opened it.
	if runtime.GOOS == "windows" {
		closed = true
		if err := l.Close(); err != nil {
			return 0, 0, err
		}
	}
	if err := os.Rename(temp, path); err != nil {
		return 0, 0, fault(path, "replace the ledger", err)
	}
	return before, after, fault(path, "sync the ledger's directory", syncDir(filepath.Dir(path)))
}

// copyCompact writes a compact copy, and syncs it.
func (l *Ledger) copyCompact(to string) error {
	db, err := bbolt.Open(to, 0o666, &bbolt.Options{FreelistType: bbolt.FreelistMapType, NoStatistics: true})
	if err != nil {
		return err
	}
	return errors.Join(l.guard(func() error { return bbolt.Compact(db, l.db, compactAtOnce) }), db.Sync(), db.Close())
}

func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// checkPlace reports that the file that was opened is not at the ledger's path any more: another process compacted the
// ledger while this one waited for its lock.
func (l *Ledger) checkPlace() error {
	opened, err := l.file.Stat()
	if err != nil {
		return fault(l.path, "look at the ledger", err)
	}
	there, err := os.Stat(l.path)
	if err != nil || !os.SameFile(opened, there) {
		return &Fault{Kind: ErrInUse, Path: l.path, Why: "another process replaced it meanwhile; try again"}
	}
	return nil
}
