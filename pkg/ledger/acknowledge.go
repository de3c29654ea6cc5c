package ledger

import (
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"
)

// Acknowledge marks the rejected and dead tasks that f selects as known to an operator, and returns how many it
// selected. The mark stays until the task has another entry.
func (l *Ledger) Acknowledge(f Filter, now time.Time) (int, error) {
	n := 0
	for after := uint64(0); ; {
		entries, next, err := l.Refused(f, after, 1000)
		if err != nil {
			return n, err
		}
		l.writing.Lock()
		err = l.update(func(tx *bbolt.Tx) error {
			acks, ids := tx.Bucket(bucketAcks), tx.Bucket(bucketIDs)
			for _, e := range entries {
				if ids.Get(e.ID[:]) == nil {
					continue // revived since
				}
				if err := acks.Put(e.ID[:], binary.AppendUvarint(nil, uint64(now.Unix()))); err != nil {
					return err
				}
			}
			return nil
		})
		l.writing.Unlock()
		if err != nil {
			return n, fault(l.path, "acknowledge rejections", err)
		}
		if n += len(entries); next == 0 {
			return n, nil
		}
		after = next
	}
}

// acknowledged reports whether an operator has acknowledged the rejection of e.
func acknowledged(tx *bbolt.Tx, e *Entry) bool {
	acks := tx.Bucket(bucketAcks)
	return acks != nil && acks.Get(e.ID[:]) != nil
}
