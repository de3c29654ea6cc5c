package ledger

import (
	"slices"

	"go.etcd.io/bbolt"

	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// Pruned names outputs of an entry whose files were removed because nobody wants them any more.
type Pruned struct {
	ID      taskid.ID
	Outputs []string
}

// Prune notes that outputs were removed, in one transaction. An entry that has no output of its own any more is
// removed, as is a rejected or dead one; another keeps the names of what it had, so that its task is not taken for
// done. It ignores tasks without an entry.
func (l *Ledger) Prune(batch []Pruned) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	err := l.update(func(tx *bbolt.Tx) error {
		for _, p := range batch {
			if err := l.prune(tx, p); err != nil {
				return err
			}
		}
		return l.words.store(tx)
	})
	l.words.settle(err)
	return fault(l.path, "prune outputs", err)
}

func (l *Ledger) prune(tx *bbolt.Tx, p Pruned) error {
	e, found, err := l.find(tx, p.ID)
	if err != nil || !found {
		return err
	}
	index, own := tx.Bucket(bucketOutputs), 0
	for i := range e.Outputs {
		o := &e.Outputs[i]
		if ownerSeq(tx, nil, outputKey(o.Name)) != e.Seq {
			continue
		}
		if !slices.Contains(p.Outputs, o.Name) {
			own++
			continue
		}
		o.Pruned = true
		if err := index.Delete(outputKey(o.Name)); err != nil {
			return err
		}
	}
	if own == 0 {
		return l.remove(tx, &e)
	}
	return tx.Bucket(bucketEntries).Put(seqKey(e.Seq), encode(nil, &e, l.words.number))
}
