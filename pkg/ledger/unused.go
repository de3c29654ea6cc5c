package ledger

import (
	"os"

	"go.etcd.io/bbolt"
)

// RemoveIfUnused removes the file if nothing was ever recorded in it, and reports whether it did. The Ledger must be
// closed after that, and not be used. Another process that waits for the file then says that it was replaced.
func (l *Ledger) RemoveIfUnused() (removed bool, err error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	unused := true
	err = l.view(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketEntries, bucketRuns, bucketRevived} {
			if first, _ := tx.Bucket(name).Cursor().First(); first != nil {
				unused = false
			}
		}
		return nil
	})
	if err != nil || !unused || l.readOnly {
		return false, err
	}
	if err := l.checkPlace(); err != nil {
		return false, err
	}
	return true, os.Remove(l.path)
}
