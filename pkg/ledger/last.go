package ledger

import (
	"encoding/binary"
	"fmt"
	"sort"
	"time"

	"go.etcd.io/bbolt"
)

// Last returns up to limit of the entries that were settled last, the newest first. With refused it returns only
// rejected and dead ones. Its cost does not grow with the ledger.
func (l *Ledger) Last(refused bool, limit int) (last []Entry, err error) {
	if limit <= 0 {
		return nil, fmt.Errorf("the limit of the last entries is %d, not at least 1", limit)
	}
	err = l.view(func(tx *bbolt.Tx) error {
		entries, word := tx.Bucket(bucketEntries), reader(tx)
		cursor := entries.Cursor()
		if refused {
			cursor = tx.Bucket(bucketRefused).Cursor()
		}
		for k, _ := cursor.Last(); k != nil && len(last) < limit; k, _ = cursor.Prev() {
			e, err := l.decode(k, entries.Get(k), word)
			if err != nil {
				return err
			}
			last = append(last, e)
		}
		return nil
	})
	if err != nil {
		return nil, fault(l.path, "read the last entries", err)
	}
	return last, nil
}

// SettledBefore returns for each of the given times how many entries were settled before it. The counts are
// approximate: entries are numbered in the order of their commits, which differs a little from that of their times,
// and revived entries still count. It reads some twenty entries for each time, whatever the size of the ledger.
func (l *Ledger) SettledBefore(times []time.Time) ([]uint64, error) {
	before := make([]uint64, len(times))
	err := l.view(func(tx *bbolt.Tx) error {
		word, cursor := reader(tx), tx.Bucket(bucketEntries).Cursor()
		newest, _ := cursor.Last()
		if newest == nil {
			return nil
		}
		if len(newest) != 8 {
			return l.damaged("the number of an entry has %d bytes", len(newest))
		}
		last := binary.BigEndian.Uint64(newest)
		for i, t := range times {
			var bad error
			before[i] = uint64(sort.Search(int(last), func(n int) bool {
				k, v := cursor.Seek(seqKey(uint64(n) + 1))
				if k == nil || bad != nil {
					return true
				}
				e, err := l.decode(k, v, word)
				if err != nil {
					bad = err
				}
				return !e.Settled.Before(t)
			}))
			if bad != nil {
				return bad
			}
		}
		return nil
	})
	if err != nil {
		return nil, fault(l.path, "look for times", err)
	}
	return before, nil
}
