package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"

	"go.etcd.io/bbolt"
)

// An output belongs to the latest entry that has one of its name. The bucket of outputs says which entry that is; its
// sequence is the number of the last entry that the bucket knows. Ledgers of earlier versions have no such bucket, and
// an earlier version that writes to a ledger leaves it behind: Open completes it.

// outputKey returns the key of an output. Keys sort like names, and a run settles images nearly in the order of
// their names, so that a commit changes few pages of the index. Long names are cut; two names with one key are told
// apart by their entries.
func outputKey(name string) []byte {
	if len(name) <= maxOutputKey {
		return []byte(name)
	}
	sum := sha256.Sum256([]byte(name))
	return append([]byte(name[:maxOutputKey]), sum[:8]...)
}

const maxOutputKey = 200

// outputsFill leaves little room in the pages of the index, since most keys are larger than those before.
const outputsFill = 0.9

// claimOutputs makes the entry numbered seq the owner of its outputs. Those that it takes from another entry stay with
// their owner if that is another by now.
func claimOutputs(index *bbolt.Bucket, e *Entry, seq uint64) error {
	owner := seqKey(seq)
	for _, o := range e.Outputs {
		if o.Pruned {
			continue
		}
		key := outputKey(o.Name)
		if o.Owner != 0 {
			if now := index.Get(key); now != nil && !bytes.Equal(now, seqKey(o.Owner)) {
				continue
			}
		}
		if err := index.Put(key, owner); err != nil {
			return err
		}
	}
	return nil
}

// disclaimOutputs removes e, which is about to be removed, as the owner of its outputs.
func disclaimOutputs(index *bbolt.Bucket, e *Entry) error {
	for _, o := range e.Outputs {
		if key := outputKey(o.Name); bytes.Equal(index.Get(key), seqKey(e.Seq)) {
			if err := index.Delete(key); err != nil {
				return err
			}
		}
	}
	return nil
}

// indexAtOnce is how many entries one transaction adds to the index of outputs.
const indexAtOnce = 20_000

// indexOutputs makes the buckets that ledgers of earlier versions lack, and completes the index of outputs. It first
// copies such a ledger to a file beside it.
func (l *Ledger) indexOutputs() error {
	if err := l.keepBeforeUpgrade(); err != nil {
		return err
	}
	for more := true; more; {
		complete := false
		err := l.view(func(tx *bbolt.Tx) error {
			index := tx.Bucket(bucketOutputs)
			complete = index != nil && tx.Bucket(bucketHashes) == nil && tx.Bucket(bucketSources) != nil &&
				tx.Bucket(bucketAcks) != nil &&
				index.Sequence() >= tx.Bucket(bucketEntries).Sequence()
			return nil
		})
		if err != nil || complete {
			return fault(l.path, "read the index of outputs", err)
		}
		err = l.update(func(tx *bbolt.Tx) (err error) {
			for _, name := range laterBuckets() {
				if _, err := tx.CreateBucketIfNotExists(name); err != nil {
					return err
				}
			}
			if tx.Bucket(bucketHashes) != nil {
				if err := tx.DeleteBucket(bucketHashes); err != nil {
					return err
				}
			}
			more, err = l.indexSome(tx, tx.Bucket(bucketOutputs))
			return err
		})
		if err != nil {
			return fault(l.path, "index the outputs", err)
		}
	}
	return nil
}

// upgradeSuffix is added to the name of a ledger of an earlier version, for the copy from before its upgrade.
const upgradeSuffix = ".before-upgrade"

// keepBeforeUpgrade copies the ledger if it has entries and lacks a bucket. A copy of an earlier upgrade stays.
func (l *Ledger) keepBeforeUpgrade() error {
	lacks := false
	err := l.view(func(tx *bbolt.Tx) error {
		for _, name := range laterBuckets() {
			lacks = lacks || tx.Bucket(name) == nil
		}
		first, _ := tx.Bucket(bucketEntries).Cursor().First()
		lacks = lacks && first != nil
		return nil
	})
	if err != nil || !lacks {
		return fault(l.path, "read the ledger", err)
	}
	if _, err = l.Backup(context.Background(), l.path+upgradeSuffix); errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

func (l *Ledger) indexSome(tx *bbolt.Tx, index *bbolt.Bucket) (more bool, err error) {
	index.FillPercent = outputsFill
	entries, word := tx.Bucket(bucketEntries), reader(tx)
	cursor := entries.Cursor()
	k, v := cursor.Seek(seqKey(index.Sequence() + 1))
	for n := 0; k != nil; k, v = cursor.Next() {
		if n == indexAtOnce {
			return true, nil
		}
		e, err := l.decode(k, v, word)
		if err != nil {
			return false, err
		}
		if err := claimOutputs(index, &e, e.Seq); err != nil {
			return false, err
		}
		if err := index.SetSequence(e.Seq); err != nil {
			return false, err
		}
		n++
	}
	return false, index.SetSequence(entries.Sequence())
}

// lateOutputs returns the owners of the outputs of entries that the file's index does not know, by their keys. Only a
// ledger of an earlier version that is open for reading alone has any; the index cannot be completed then.
func (l *Ledger) lateOutputs() (map[string]uint64, error) {
	late := make(map[string]uint64)
	err := l.view(func(tx *bbolt.Tx) error {
		after := uint64(0)
		if index := tx.Bucket(bucketOutputs); index != nil {
			after = index.Sequence()
		}
		word, cursor := reader(tx), tx.Bucket(bucketEntries).Cursor()
		for k, v := cursor.Seek(seqKey(after + 1)); k != nil; k, v = cursor.Next() {
			e, err := l.decode(k, v, word)
			if err != nil {
				return err
			}
			for _, o := range e.Outputs {
				late[string(outputKey(o.Name))] = e.Seq
			}
		}
		return nil
	})
	return late, err
}

// ownerSeq returns the number of the entry that has, or had, the latest output of that key; 0 if there is none.
func ownerSeq(tx *bbolt.Tx, late map[string]uint64, key []byte) uint64 {
	if seq, ok := late[string(key)]; ok {
		return seq
	}
	index := tx.Bucket(bucketOutputs)
	if index == nil {
		return 0
	}
	at := index.Get(key)
	if len(at) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(at)
}

// Owners calls visit with each of the output names that an entry has, and with the latest such entry.
func (l *Ledger) Owners(names []string, visit func(name string, e Entry)) error {
	err := l.withOwners(func(tx *bbolt.Tx, late map[string]uint64) error {
		entries, word := tx.Bucket(bucketEntries), reader(tx)
		for _, name := range names {
			seq := ownerSeq(tx, late, outputKey(name))
			value := entries.Get(seqKey(seq))
			if value == nil {
				continue
			}
			e, err := l.decode(seqKey(seq), value, word)
			if err != nil {
				return err
			}
			if e.has(name) {
				visit(name, e)
			}
		}
		return nil
	})
	return fault(l.path, "look for the owners of outputs", err)
}

// Superseded returns the names of the outputs of e that are not its own any more: they were pruned, or belong to a
// later entry, or to one that got them before e could take them.
func (l *Ledger) Superseded(e *Entry) ([]string, error) {
	var names []string
	err := l.withOwners(func(tx *bbolt.Tx, late map[string]uint64) error {
		entries, word := tx.Bucket(bucketEntries), reader(tx)
		for _, o := range e.Outputs {
			if o.Pruned {
				names = append(names, o.Name)
				continue
			}
			seq := ownerSeq(tx, late, outputKey(o.Name))
			if seq == e.Seq || seq < e.Seq && !o.Earlier {
				continue
			}
			value := entries.Get(seqKey(seq))
			if value == nil {
				continue // an earlier version removed it
			}
			later, err := l.decode(seqKey(seq), value, word)
			if err != nil {
				return err
			}
			if later.has(o.Name) {
				names = append(names, o.Name)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fault(l.path, "look for the owners of outputs", err)
	}
	return names, nil
}

func (l *Ledger) withOwners(f func(tx *bbolt.Tx, late map[string]uint64) error) error {
	var late map[string]uint64
	if l.readOnly {
		var err error
		if late, err = l.late(); err != nil {
			return err
		}
	}
	return l.view(func(tx *bbolt.Tx) error { return f(tx, late) })
}

// has reports whether e has an output of that name.
func (e *Entry) has(name string) bool {
	for i := range e.Outputs {
		if e.Outputs[i].Name == name {
			return true
		}
	}
	return false
}

// maxSources bounds the sources that a ledger lists.
const maxSources = 4096

// noteSource adds the source of an entry to the list of sources.
func noteSource(sources *bbolt.Bucket, source string) error {
	if source == "" || sources.Get([]byte(source)) != nil {
		return nil
	}
	if sources.Sequence() >= maxSources {
		return nil // the list is full, and says so by its length
	}
	if _, err := sources.NextSequence(); err != nil {
		return err
	}
	return sources.Put([]byte(source), []byte{})
}

// Sources returns the sources of all entries, among them those that have been removed since. When complete is false
// there are more.
func (l *Ledger) Sources() (sources []string, complete bool, err error) {
	complete = true
	err = l.view(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketSources)
		if b == nil {
			return nil // written before entries had sources
		}
		complete = b.Sequence() < maxSources
		return b.ForEach(func(k, _ []byte) error {
			sources = append(sources, string(k))
			return nil
		})
	})
	if err != nil {
		return nil, false, fault(l.path, "list sources", err)
	}
	return sources, complete, nil
}
