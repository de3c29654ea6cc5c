package ledger

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// pageSize is how many entries one transaction reads. Between pages a reader holds no transaction, so that the
// ledger can reuse the pages of old entries.
const pageSize = 256

// Lookup returns the entry of the task id, and false if the task is not settled.
func (l *Ledger) Lookup(id taskid.ID) (Entry, bool, error) {
	var e Entry
	var found bool
	err := l.view(func(tx *bbolt.Tx) (err error) {
		e, found, err = l.find(tx, id)
		return err
	})
	if err != nil {
		return Entry{}, false, fault(l.path, "look up a task", err)
	}
	return e, found, nil
}

// find returns the entry of the task id as tx sees it.
func (l *Ledger) find(tx *bbolt.Tx, id taskid.ID) (Entry, bool, error) {
	at := tx.Bucket(bucketIDs).Get(id[:])
	if at == nil {
		return Entry{}, false, nil
	}
	if len(at) < 9 {
		return Entry{}, false, l.damaged("the index of task %s has %d bytes", id, len(at))
	}
	key := at[:8]
	value := tx.Bucket(bucketEntries).Get(key)
	if value == nil {
		return Entry{}, false, l.damaged("the entry of task %s is missing", id)
	}
	e, err := l.decode(key, value, reader(tx))
	if err == nil && e.ID != id {
		err = l.damaged("the entry of task %s is that of %s", id, e.ID)
	}
	e.Acknowledged = err == nil && acknowledged(tx, &e)
	return e, err == nil, err
}

func (l *Ledger) decode(key, value []byte, word func(uint64) (string, bool)) (Entry, error) {
	if len(key) != 8 {
		return Entry{}, l.damaged("the number of an entry has %d bytes", len(key))
	}
	seq := binary.BigEndian.Uint64(key)
	e, err := decode(value, word)
	if err != nil {
		return Entry{}, l.damaged("entry %d cannot be read: %v", seq, err)
	}
	e.Seq = seq
	return e, nil
}

func (l *Ledger) damaged(format string, args ...any) error {
	return &Fault{Kind: ErrDamaged, Path: l.path, Why: fmt.Sprintf(format, args...)}
}

// Settled returns the outcome of each of the given tasks, and "" for one that is not settled.
func (l *Ledger) Settled(ids []taskid.ID) ([]outcome.Outcome, error) {
	settled := make([]outcome.Outcome, len(ids))
	err := l.view(func(tx *bbolt.Tx) error {
		index := tx.Bucket(bucketIDs)
		for i, id := range ids {
			at := index.Get(id[:])
			if at == nil {
				continue
			}
			if len(at) < 9 {
				return l.damaged("the index of task %s has %d bytes", id, len(at))
			}
			var err error
			if settled[i], err = outcomeOf(uint64(at[8])); err != nil {
				return l.damaged("the index of task %s: %v", id, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fault(l.path, "look up tasks", err)
	}
	return settled, nil
}

// Filter selects entries. A field that is empty selects all.
type Filter struct {
	Run      string
	Outcomes []outcome.Outcome
	Reasons  []outcome.Reason

	// Partly selects done entries of which a variant was refused, for one of Reasons if there are any.
	Partly bool
}

// Selects reports whether f selects e.
func (f Filter) Selects(e *Entry) bool {
	if f.Partly {
		return (f.Run == "" || f.Run == e.Run) && slices.ContainsFunc(e.Refused, func(v Refused) bool {
			return len(f.Reasons) == 0 || slices.Contains(f.Reasons, v.Reason)
		})
	}
	return (f.Run == "" || f.Run == e.Run) &&
		(len(f.Outcomes) == 0 || slices.Contains(f.Outcomes, e.Outcome)) &&
		(len(f.Reasons) == 0 || slices.Contains(f.Reasons, e.Reason))
}

// Refused returns up to limit of the rejected and dead entries that f selects, in the order in which they were
// settled. It begins behind the entry numbered after; 0: with the first. The caller passes next as after for the
// following page; 0: there is none.
func (l *Ledger) Refused(f Filter, after uint64, limit int) (page []Entry, next uint64, err error) {
	if limit <= 0 {
		return nil, 0, fmt.Errorf("the limit of a page of entries is %d, not at least 1", limit)
	}
	if after == math.MaxUint64 {
		return nil, 0, nil
	}
	for {
		more := false
		err := l.view(func(tx *bbolt.Tx) error {
			entries, word := tx.Bucket(bucketEntries), reader(tx)
			cursor := tx.Bucket(bucketRefused).Cursor()
			k, _ := cursor.Seek(seqKey(after + 1))
			for seen := 0; k != nil && seen < pageSize && len(page) < limit; seen++ {
				e, err := l.decode(k, entries.Get(k), word)
				if err != nil {
					return err
				}
				after = e.Seq
				e.Acknowledged = acknowledged(tx, &e)
				if f.Selects(&e) {
					page = append(page, e)
				}
				k, _ = cursor.Next()
			}
			more = k != nil
			return nil
		})
		switch {
		case err != nil:
			return nil, 0, fault(l.path, "list entries", err)
		case !more:
			return page, 0, nil
		case len(page) == limit:
			return page, after, nil
		}
	}
}

// Walk calls fn with every entry behind the one numbered after (0: with all), in the order in which they were
// settled. It includes entries that are added meanwhile. It returns the first error of fn, or that of ctx. A slow fn
// delays no writer.
func (l *Ledger) Walk(ctx context.Context, after uint64, fn func(Entry) error) error {
	if after == math.MaxUint64 { // the number behind it is 0, that of the beginning
		return ctx.Err()
	}
	for page := make([]Entry, 0, pageSize); ; page = page[:0] {
		err := l.view(func(tx *bbolt.Tx) error {
			word := reader(tx)
			cursor := tx.Bucket(bucketEntries).Cursor()
			for k, v := cursor.Seek(seqKey(after + 1)); k != nil && len(page) < pageSize; k, v = cursor.Next() {
				e, err := l.decode(k, v, word)
				if err != nil {
					return err
				}
				page = append(page, e)
			}
			return nil
		})
		if err != nil {
			return fault(l.path, "read entries", err)
		}
		if len(page) == 0 {
			return ctx.Err()
		}
		for _, e := range page {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := fn(e); err != nil {
				return err
			}
		}
		after = page[len(page)-1].Seq
	}
}

// Size returns how many bytes of the file are in use.
func (l *Ledger) Size() (int64, error) {
	var size int64
	err := l.view(func(tx *bbolt.Tx) error {
		size = tx.Size()
		return nil
	})
	if err != nil {
		return 0, fault(l.path, "look at the ledger", err)
	}
	return size, nil
}
