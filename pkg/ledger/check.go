package ledger

import (
	"bytes"
	"context"
	"encoding/binary"

	"go.etcd.io/bbolt"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// Check reads the whole ledger and reports the first thing in it that does not agree with the rest, as an ErrDamaged:
// every entry can be read and is found by its task's id, whatever the indexes name is there, and the counts are those
// of the entries. It sees one state of the ledger; for as long as it takes (some seconds for a million entries), what
// others write makes the file larger than it would be.
func (l *Ledger) Check(ctx context.Context) error {
	err := l.view(func(tx *bbolt.Tx) error {
		refused, err := l.checkEntries(ctx, tx)
		if err != nil {
			return err
		}
		return l.checkIndexes(ctx, tx, refused)
	})
	return fault(l.path, "check the ledger", err)
}

// checkEntries returns how many entries the index of the refused must have.
func (l *Ledger) checkEntries(ctx context.Context, tx *bbolt.Tx) (refused int, err error) {
	entries, ids, index := tx.Bucket(bucketEntries), tx.Bucket(bucketIDs), tx.Bucket(bucketRefused)
	word := reader(tx)
	sums := make(map[string]*Counts)
	var before []byte
	cursor := entries.Cursor()
	for k, v := cursor.First(); k != nil; k, v = cursor.Next() {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		e, err := l.decode(k, v, word)
		if err != nil {
			return 0, err
		}
		if bytes.Compare(k, before) <= 0 || e.Seq > entries.Sequence() {
			return 0, l.damaged("entry %d is out of order", e.Seq)
		}
		before = k
		if want := append(seqKey(e.Seq), codeOf(e.Outcome)); !bytes.Equal(ids.Get(e.ID[:]), want) {
			return 0, l.damaged("entry %d is not found by its task's id %s", e.Seq, e.ID)
		}
		if (index.Get(seqKey(e.Seq)) != nil) != (e.Outcome != outcome.Done) {
			return 0, l.damaged("entry %d is %s, and the index of the refused does not agree", e.Seq, e.Outcome)
		}
		if e.Outcome != outcome.Done {
			refused++
		}
		if err := l.checkOutputs(tx, &e); err != nil {
			return 0, err
		}
		if sums[e.Run] == nil {
			sums[e.Run] = new(Counts)
		}
		sums[e.Run].add(&e, 1)
	}
	return refused, l.checkCounts(tx, sums)
}

// checkOutputs makes sure that each output of e belongs to it, or to a later entry.
func (l *Ledger) checkOutputs(tx *bbolt.Tx, e *Entry) error {
	index := tx.Bucket(bucketOutputs)
	if index == nil || index.Sequence() < e.Seq {
		return nil // an earlier version wrote it, and Open has not completed the index
	}
	for _, o := range e.Outputs {
		// No owner: the later entry that owned the output was revived. An output that e would have taken from an earlier
		// entry may have stayed with its owner.
		if owner := ownerSeq(tx, nil, outputKey(o.Name)); owner != 0 && owner < e.Seq && !o.Earlier {
			return l.damaged("the output %q of entry %d belongs to the earlier entry %d", o.Name, e.Seq, owner)
		}
	}
	return nil
}

func (l *Ledger) checkCounts(tx *bbolt.Tx, sums map[string]*Counts) error {
	for run, sum := range sums {
		var c Counts
		c.decode(tx.Bucket(bucketCounts).Get(countsPrefix(run)))
		sum.Duplicates = c.Duplicates // no entry tells of them
		if got, want := c.encode(), sum.encode(); !bytes.Equal(got, want) {
			return l.damaged("the counts of run %q do not agree with its entries", run)
		}
		for reason, want := range sum.Reasons {
			got, _ := binary.Varint(tx.Bucket(bucketCounts).Get(append(countsPrefix(run), reason...)))
			if got != want {
				return l.damaged("run %q counts %d as %s; there are %d", run, got, reason, want)
			}
		}
	}
	return nil
}

// checkIndexes makes sure that the indexes name nothing that is not there.
func (l *Ledger) checkIndexes(ctx context.Context, tx *bbolt.Tx, refused int) error {
	entries := tx.Bucket(bucketEntries)
	err := tx.Bucket(bucketIDs).ForEach(func(id, at []byte) error {
		if len(id) != taskid.Size || len(at) < 9 || entries.Get(at[:8]) == nil {
			return l.damaged("the index has the task %x, whose entry is missing", id)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	return tx.Bucket(bucketRefused).ForEach(func(seq, _ []byte) error {
		if refused--; refused < 0 || entries.Get(seq) == nil {
			return l.damaged("the index of the refused has the entry %x, which is not refused or missing", seq)
		}
		return ctx.Err()
	})
}
