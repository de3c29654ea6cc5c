package ledger

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// Append adds a batch of entries in one transaction and returns once it is on disk. Within a run the first entry of a
// task wins: duplicate says for each entry whether the ledger, or the batch, has an earlier one. Duplicates are only
// counted, so the same batch may be appended again. An entry of another run replaces the earlier one, because that
// run had a reason to do the task again.
//
// With an error nothing is added: an entry is invalid, or the ledger cannot be written. After an ErrUnavailable,
// such as a full disk, the caller may try again.
func (l *Ledger) Append(batch []Entry) (duplicate []bool, err error) { return l.append(batch, nil) }

// append is Append, with what also to do in the transaction; nil: nothing.
func (l *Ledger) append(batch []Entry, also func(*bbolt.Tx) error) (duplicate []bool, err error) {
	for i := range batch {
		if err := batch[i].Validate(); err != nil {
			return nil, err
		}
	}
	if len(batch) == 0 {
		return nil, nil
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	err = l.update(func(tx *bbolt.Tx) error {
		duplicate = make([]bool, len(batch))
		if err := l.add(tx, batch, duplicate); err != nil || also == nil {
			return err
		}
		return also(tx)
	})
	l.words.settle(err)
	if err != nil {
		return nil, fault(l.path, "add entries", err)
	}
	return duplicate, nil
}

func (l *Ledger) add(tx *bbolt.Tx, batch []Entry, duplicate []bool) error {
	entries, ids := tx.Bucket(bucketEntries), tx.Bucket(bucketIDs)
	refused, revived := tx.Bucket(bucketRefused), tx.Bucket(bucketRevived)
	outputs, sources := tx.Bucket(bucketOutputs), tx.Bucket(bucketSources)
	entries.FillPercent = 1 // it is only appended to
	refused.FillPercent = 1
	outputs.FillPercent = outputsFill
	sums := make(map[string]*Counts)
	for i := range batch {
		e := batch[i]
		sum := sums[e.Run]
		if sum == nil {
			sum = new(Counts)
			sums[e.Run] = sum
		}
		if ids.Get(e.ID[:]) != nil {
			if err := l.words.store(tx); err != nil { // the earlier one may be of this batch
				return err
			}
			earlier, _, err := l.find(tx, e.ID)
			if err != nil {
				return err
			}
			if earlier.Run == e.Run {
				duplicate[i] = true
				sum.Duplicates++
				continue
			}
			if err := l.remove(tx, &earlier); err != nil {
				return err
			}
		}
		if err := l.replaceRefusal(tx, &e); err != nil {
			return err
		}
		seq, err := entries.NextSequence()
		if err != nil {
			return err
		}
		retries, _ := binary.Uvarint(revived.Get(e.ID[:]))
		e.Retries = int(retries)
		if err := entries.Put(seqKey(seq), encode(nil, &e, l.words.number)); err != nil {
			return err
		}
		if err := ids.Put(e.ID[:], append(seqKey(seq), codeOf(e.Outcome))); err != nil {
			return err
		}
		if e.Outcome != outcome.Done {
			if err := refused.Put(seqKey(seq), nil); err != nil {
				return err
			}
		}
		if err := claimOutputs(outputs, &e, seq); err != nil {
			return err
		}
		if err := noteSource(sources, e.Source); err != nil {
			return err
		}
		if err := noteContent(tx, &e, seq); err != nil {
			return err
		}
		sum.add(&e, 1)
	}
	if err := outputs.SetSequence(entries.Sequence()); err != nil {
		return err
	}
	for run, sum := range sums {
		if err := changeCounts(tx, run, sum); err != nil {
			return err
		}
	}
	return l.words.store(tx)
}

// replaceRefusal removes the refused entry that e replaces.
func (l *Ledger) replaceRefusal(tx *bbolt.Tx, e *Entry) error {
	if e.Replaces.IsZero() || e.Replaces == e.ID {
		return nil
	}
	if err := l.words.store(tx); err != nil { // the earlier one may be of this batch
		return err
	}
	earlier, found, err := l.find(tx, e.Replaces)
	if err != nil || !found || earlier.Outcome == outcome.Done || earlier.Run != e.Run || earlier.Filename != e.Filename {
		return err
	}
	return l.remove(tx, &earlier)
}

// Revive makes the given tasks due again, whatever their outcome. It removes their entries, and counts for each task
// how often it was revived. It ignores tasks without an entry, and returns how many it revived.
func (l *Ledger) Revive(ids []taskid.ID) (int, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	n := 0
	err := l.update(func(tx *bbolt.Tx) error {
		n = 0
		for _, id := range ids {
			revived, err := l.revive(tx, id)
			if err != nil {
				return err
			}
			if revived {
				n++
			}
		}
		return nil
	})
	if err != nil {
		return 0, fault(l.path, "revive tasks", err)
	}
	return n, nil
}

func (l *Ledger) revive(tx *bbolt.Tx, id taskid.ID) (bool, error) {
	e, found, err := l.find(tx, id)
	if err != nil || !found {
		return false, err
	}
	if err := l.remove(tx, &e); err != nil {
		return false, err
	}
	return true, tx.Bucket(bucketRevived).Put(id[:], binary.AppendUvarint(nil, uint64(e.Retries)+1))
}

// remove deletes e from the ledger, from its indexes and from the counts of its run.
func (l *Ledger) remove(tx *bbolt.Tx, e *Entry) error {
	sum := new(Counts)
	sum.add(e, -1)
	if err := changeCounts(tx, e.Run, sum); err != nil {
		return err
	}
	if err := disclaimOutputs(tx.Bucket(bucketOutputs), e); err != nil {
		return err
	}
	if err := forgetContent(tx, e); err != nil {
		return err
	}
	for bucket, key := range map[*bbolt.Bucket][]byte{
		tx.Bucket(bucketEntries): seqKey(e.Seq),
		tx.Bucket(bucketRefused): seqKey(e.Seq),
		tx.Bucket(bucketIDs):     e.ID[:],
		tx.Bucket(bucketAcks):    e.ID[:],
	} {
		if err := bucket.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// Retry revives the rejected and dead tasks that f selects, and returns their ids. With f.Partly it revives the tasks
// done in part instead, for which it reads the whole ledger. It revives a thousand in a transaction. With an error it
// returns the ids that it has revived.
func (l *Ledger) Retry(ctx context.Context, f Filter) ([]taskid.ID, error) {
	var all []taskid.ID
	if f.Partly {
		return l.retryPartly(ctx, f)
	}
	for after := uint64(0); ; {
		entries, next, err := l.Refused(f, after, 1000)
		if err != nil {
			return all, err
		}
		ids := make([]taskid.ID, len(entries))
		for i, e := range entries {
			ids[i] = e.ID
		}
		if _, err := l.Revive(ids); err != nil {
			return all, fmt.Errorf("retry after %d tasks: %w", len(all), err)
		}
		all = append(all, ids...)
		if next == 0 {
			return all, nil
		}
		after = next
	}
}

func (l *Ledger) retryPartly(ctx context.Context, f Filter) (revived []taskid.ID, err error) {
	var due []taskid.ID
	err = l.Walk(ctx, 0, func(e Entry) error {
		if f.Selects(&e) {
			due = append(due, e.ID)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for ids := range slices.Chunk(due, 1000) {
		if _, err := l.Revive(ids); err != nil {
			return revived, fmt.Errorf("retry after %d tasks: %w", len(revived), err)
		}
		revived = append(revived, ids...)
	}
	return revived, nil
}
