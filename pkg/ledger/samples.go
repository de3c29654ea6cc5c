package ledger

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"
)

// A farm that writes its outputs into tar files, the shards, keeps here where each output is and where the shards that
// are still written to end. Both change in the transaction of the entries, so that whatever a shard has beyond that end
// belongs to no entry.

// The buckets of samples; only ledgers of farms that write shards have them.
var (
	bucketSamples = []byte("samples")     // key of a sample, cut by outputKey → place: see appendPlace
	bucketShards  = []byte("open-shards") // number of a shard (8 bytes, big-endian) → length, samples (uvarints)

	// keyPattern is the key in bucketShards of the pattern of the shards' names. No number has as many bytes. The
	// sequence of the bucket is the number of the next shard.
	keyPattern = []byte("pattern")
)

// Place says where in the shards an output is.
type Place struct {
	Shard  int64  // the number of the shard
	Offset int64  // of the output's first byte in the shard
	Size   int64  // bytes
	Ext    string // of the output's name, without its dot and in lower case; bin: it has none
}

// Sample is an output in a shard. Keys are unique in all shards of a ledger.
type Sample struct {
	Key string
	Place
}

// OpenShard is a shard that is not published yet.
type OpenShard struct {
	Number  int64
	Length  int64 // bytes that belong to committed samples
	Samples int64
}

// Shards is the state of the shards of a ledger. Its zero value is that of a ledger without any.
type Shards struct {
	Pattern string      // of their names
	Open    []OpenShard // in the order of their numbers
	Next    int64       // the number of the next new shard
}

// AppendSamples is Append of entries whose outputs are samples. The same transaction records the samples, each in place
// of an earlier one of its key, and the state of the shards.
func (l *Ledger) AppendSamples(batch []Entry, samples []Sample, after Shards) (duplicate []bool, err error) {
	return l.append(batch, func(tx *bbolt.Tx) error {
		index, err := tx.CreateBucketIfNotExists(bucketSamples)
		if err != nil {
			return err
		}
		index.FillPercent = outputsFill
		for _, s := range samples {
			if err := index.Put(outputKey(s.Key), appendPlace(nil, s.Place)); err != nil {
				return err
			}
		}
		return putShards(tx, after)
	})
}

func putShards(tx *bbolt.Tx, s Shards) error {
	if b := tx.Bucket(bucketShards); b != nil {
		if err := tx.DeleteBucket(bucketShards); err != nil {
			return err
		}
	}
	b, err := tx.CreateBucket(bucketShards)
	if err != nil {
		return err
	}
	for _, o := range s.Open {
		value := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(o.Length)), uint64(o.Samples))
		if err := b.Put(seqKey(uint64(o.Number)), value); err != nil {
			return err
		}
	}
	if err := b.SetSequence(uint64(s.Next)); err != nil {
		return err
	}
	return b.Put(keyPattern, []byte(s.Pattern))
}

// Shards returns the state of the shards after the last transaction.
func (l *Ledger) Shards() (s Shards, err error) {
	err = l.view(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketShards)
		if b == nil {
			return nil
		}
		s = Shards{Next: int64(b.Sequence())}
		return b.ForEach(func(k, v []byte) error {
			if bytes.Equal(k, keyPattern) {
				s.Pattern = string(v)
				return nil
			}
			length, n := binary.Uvarint(v)
			samples, m := binary.Uvarint(v[max(n, 0):])
			if len(k) != 8 || n <= 0 || m <= 0 {
				return l.damaged("the record of an open shard cannot be read")
			}
			s.Open = append(s.Open, OpenShard{
				Number: int64(binary.BigEndian.Uint64(k)), Length: int64(length), Samples: int64(samples),
			})
			return nil
		})
	})
	return s, fault(l.path, "look at the shards", err)
}

// PlaceOf returns where the sample of a key is, and false if there is none.
func (l *Ledger) PlaceOf(key string) (p Place, found bool, err error) {
	err = l.view(func(tx *bbolt.Tx) error {
		index := tx.Bucket(bucketSamples)
		if index == nil {
			return nil
		}
		value := index.Get(outputKey(key))
		if value == nil {
			return nil
		}
		found = true
		if p, err = decodePlace(value); err != nil {
			return l.damaged("the place of the sample %.80q: %v", key, err)
		}
		return nil
	})
	return p, found, fault(l.path, "look for a sample", err)
}

// appendPlace writes number, offset and size as uvarints, and then the extension.
func appendPlace(b []byte, p Place) []byte {
	for _, n := range []int64{p.Shard, p.Offset, p.Size} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return append(b, p.Ext...)
}

func decodePlace(b []byte) (p Place, err error) {
	for _, to := range []*int64{&p.Shard, &p.Offset, &p.Size} {
		n, size := binary.Uvarint(b)
		if size <= 0 || n > 1<<62 {
			return p, fmt.Errorf("%w, or counts %d", errCutOff, n)
		}
		*to, b = int64(n), b[size:]
	}
	p.Ext = string(b)
	return p, nil
}
