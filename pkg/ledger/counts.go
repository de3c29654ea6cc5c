package ledger

import (
	"bytes"
	"encoding/binary"

	"go.etcd.io/bbolt"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// Counts is the number of entries of a run, and their sums. It excludes tasks that were revived, and what was made for
// earlier entries.
type Counts struct {
	Done       int64
	Rejected   int64
	Dead       int64
	Duplicates int64 // results of tasks that already had an entry

	Deliveries  int64
	Outputs     int64
	OutputBytes int64
	InputBytes  int64 // of the images, as encoded
	Pixels      int64 // of the images, where known

	Reasons map[outcome.Reason]int64 // how many were rejected for what
}

// Settled returns how many tasks have an entry.
func (c *Counts) Settled() int64 { return c.Done + c.Rejected + c.Dead }

func (c *Counts) numbers() []*int64 {
	return []*int64{&c.Done, &c.Rejected, &c.Dead, &c.Duplicates, &c.Deliveries, &c.Outputs, &c.OutputBytes,
		&c.InputBytes, &c.Pixels}
}

// add counts e n times.
func (c *Counts) add(e *Entry, n int64) {
	if e.Unmade() {
		return
	}
	switch e.Outcome {
	case outcome.Done:
		c.Done += n
	case outcome.Rejected:
		c.Rejected += n
		if c.Reasons == nil {
			c.Reasons = make(map[outcome.Reason]int64)
		}
		c.Reasons[e.Reason] += n
	case outcome.Dead:
		c.Dead += n
	}
	c.Deliveries += n * int64(e.Deliveries)
	for _, o := range e.Outputs {
		if !o.Earlier {
			c.Outputs += n
			c.OutputBytes += n * o.Size
		}
	}
	c.InputBytes += n * e.Input.Size
	c.Pixels += n * int64(e.Input.Width) * int64(e.Input.Height)
}

// merge adds other to c.
func (c *Counts) merge(other *Counts) {
	to := c.numbers()
	for i, n := range other.numbers() {
		*to[i] += *n
	}
	for reason, n := range other.Reasons {
		if c.Reasons == nil {
			c.Reasons = make(map[outcome.Reason]int64)
		}
		c.Reasons[reason] += n
	}
}

// countsPrefix begins the keys of a run. No run contains a NUL.
func countsPrefix(run string) []byte { return append([]byte(run), 0) }

// changeCounts adds sum to the counts of run.
func changeCounts(tx *bbolt.Tx, run string, sum *Counts) error {
	b := tx.Bucket(bucketCounts)
	key := countsPrefix(run)
	var c Counts
	c.decode(b.Get(key))
	c.merge(sum)
	if err := b.Put(key, c.encode()); err != nil {
		return err
	}
	for reason, n := range sum.Reasons {
		key := append(countsPrefix(run), reason...)
		was, _ := binary.Varint(b.Get(key))
		if err := b.Put(key, binary.AppendVarint(nil, was+n)); err != nil {
			return err
		}
	}
	return nil
}

// encode writes the totals as varints in the order of numbers; further ones may follow in later versions.
func (c *Counts) encode() []byte {
	var b []byte
	for _, n := range c.numbers() {
		b = binary.AppendVarint(b, *n)
	}
	return b
}

func (c *Counts) decode(b []byte) {
	for _, n := range c.numbers() {
		v, size := binary.Varint(b)
		if size <= 0 {
			return // written before there was such a number
		}
		*n, b = v, b[size:]
	}
}

// Counts returns the counts of a run; of an unknown run they are zero.
func (l *Ledger) Counts(run string) (Counts, error) { return l.counts(countsPrefix(run)) }

// Totals returns the counts of all runs together.
func (l *Ledger) Totals() (Counts, error) { return l.counts(nil) }

func (l *Ledger) counts(prefix []byte) (Counts, error) {
	var sum Counts
	err := l.view(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(bucketCounts).Cursor()
		for k, v := cursor.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = cursor.Next() {
			var c Counts
			_, reason, _ := bytes.Cut(k, []byte{0})
			if len(reason) == 0 {
				c.decode(v)
			} else if n, _ := binary.Varint(v); n != 0 {
				c.Reasons = map[outcome.Reason]int64{outcome.Reason(reason): n}
			}
			sum.merge(&c)
		}
		return nil
	})
	if err != nil {
		return Counts{}, fault(l.path, "read counts", err)
	}
	return sum, nil
}
