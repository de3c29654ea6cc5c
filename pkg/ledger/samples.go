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
	bucketSamples = []byte("samples") // key of a sample, cut by outputKey → place: see appendPlace
	// number of a shard (8 bytes, big-endian) → length, samples, 1 if published (uvarints)
	bucketShards = []byte("open-shards")

	// bucketStale has the shards with samples that no entry has any more: number (8 bytes, big-endian) → how many
	// (uvarint)
	bucketStale = []byte("stale-samples")
	// bucketRewrites has the shards that are being replaced by others without such samples: number (8 bytes,
	// big-endian) → length of the new one (uvarint), version of the old one
	bucketRewrites = []byte("shard-rewrites")
	// bucketKept says where the open shards are: "host", "dir" → text
	bucketKept = []byte("open-shards-at")

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

// Sample is an output in a shard. Of the samples of a key, the ledger knows the latest.
type Sample struct {
	Key string
	Place
}

// OpenShard is a shard that was not published at the last transaction of AppendSamples.
type OpenShard struct {
	Number  int64
	Length  int64 // bytes that belong to committed samples
	Samples int64

	// Published says that it has been published since. The next transaction of AppendSamples forgets such a shard.
	Published bool
}

// Shards is the state of the shards of a ledger. Its zero value is that of a ledger without any.
type Shards struct {
	Pattern string      // of their names
	Open    []OpenShard // in the order of their numbers
	Next    int64       // the number of the next new shard
	Host    string      // the machine on which the open shards are; empty: unknown
	Dir     string      // their directory there
}

// StaleShard is a shard with samples that no entry has any more.
type StaleShard struct{ Number, Samples int64 }

// Rewrite is a shard that is being replaced by another without stale samples.
type Rewrite struct {
	Number  int64
	Length  int64  // of the new one, bytes
	Version string // of the old one in its bucket; empty: unknown
}

// Sampled is a sample that a shard has after it was replaced.
type Sampled struct {
	Key    string
	Offset int64 // of the output's first byte
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
			if err := markStale(tx, index, s.Key); err != nil {
				return err
			}
			if err := index.Put(outputKey(s.Key), appendPlace(nil, s.Place)); err != nil {
				return err
			}
		}
		return putShards(tx, after)
	})
}

// markStale counts the sample of a key, which is about to be replaced or removed, among those of no entry.
func markStale(tx *bbolt.Tx, index *bbolt.Bucket, key string) error {
	value := index.Get(outputKey(key))
	if value == nil {
		return nil
	}
	p, err := decodePlace(value)
	if err != nil {
		return err
	}
	stale, err := tx.CreateBucketIfNotExists(bucketStale)
	if err != nil {
		return err
	}
	number := seqKey(uint64(p.Shard))
	n, _ := binary.Uvarint(stale.Get(number))
	return stale.Put(number, binary.AppendUvarint(nil, n+1))
}

// DropSamples removes the samples of keys, in one transaction. Their shards have them until they are rewritten.
func (l *Ledger) DropSamples(keys []string) error {
	return l.changeSamples("remove samples", func(tx *bbolt.Tx, index *bbolt.Bucket) error {
		for _, key := range keys {
			if err := markStale(tx, index, key); err != nil {
				return err
			}
			if err := index.Delete(outputKey(key)); err != nil {
				return err
			}
		}
		return nil
	})
}

// changeSamples calls change in a transaction, with the index of samples.
func (l *Ledger) changeSamples(what string, change func(tx *bbolt.Tx, index *bbolt.Bucket) error) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	return fault(l.path, what, l.update(func(tx *bbolt.Tx) error {
		index, err := tx.CreateBucketIfNotExists(bucketSamples)
		if err != nil {
			return err
		}
		return change(tx, index)
	}))
}

// MarkPublished notes that a shard was published.
func (l *Ledger) MarkPublished(number int64) error {
	return l.changeSamples("note a published shard", func(tx *bbolt.Tx, _ *bbolt.Bucket) error {
		b := tx.Bucket(bucketShards)
		if b == nil {
			return nil
		}
		key := seqKey(uint64(number))
		value := b.Get(key)
		if value == nil {
			return nil
		}
		o, err := l.decodeOpenShard(key, value)
		if err != nil || o.Published {
			return err
		}
		o.Published = true
		return b.Put(key, encodeOpenShard(o))
	})
}

// encodeOpenShard returns the record of an open shard in bucketShards.
func encodeOpenShard(o OpenShard) []byte {
	b := binary.AppendUvarint(binary.AppendUvarint(nil, uint64(o.Length)), uint64(o.Samples))
	if o.Published {
		b = append(b, 1)
	}
	return b
}

func (l *Ledger) decodeOpenShard(key, value []byte) (OpenShard, error) {
	length, n := binary.Uvarint(value)
	samples, m := binary.Uvarint(value[max(n, 0):])
	if len(key) != 8 || n <= 0 || m <= 0 {
		return OpenShard{}, l.damaged("the record of an open shard cannot be read")
	}
	return OpenShard{
		Number: int64(binary.BigEndian.Uint64(key)), Length: int64(length), Samples: int64(samples),
		Published: len(value) > n+m,
	}, nil
}

// StaleShards returns the shards with samples that no entry has any more, in the order of their numbers.
func (l *Ledger) StaleShards() (shards []StaleShard, err error) {
	err = l.eachNumbered(bucketStale, func(number, n int64, _ []byte) {
		shards = append(shards, StaleShard{Number: number, Samples: n})
	})
	return shards, err
}

// Rewrites returns the shards for which BeginRewrite was called, and neither FinishRewrite nor AbandonRewrite.
func (l *Ledger) Rewrites() (all []Rewrite, err error) {
	err = l.eachNumbered(bucketRewrites, func(number, n int64, version []byte) {
		all = append(all, Rewrite{Number: number, Length: n, Version: string(version)})
	})
	return all, err
}

// eachNumbered calls visit with the number of each shard in a bucket, its count, and what follows that.
func (l *Ledger) eachNumbered(bucket []byte, visit func(number, n int64, rest []byte)) error {
	return fault(l.path, "look at the shards", l.view(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		if b == nil {
			return nil
		}
		return b.ForEach(func(k, v []byte) error {
			n, size := binary.Uvarint(v)
			if len(k) != 8 || size <= 0 {
				return l.damaged("the record of a shard cannot be read")
			}
			visit(int64(binary.BigEndian.Uint64(k)), int64(n), v[size:])
			return nil
		})
	}))
}

// BeginRewrite notes that a shard is about to be replaced. The new one is durable, beside it.
func (l *Ledger) BeginRewrite(r Rewrite) error {
	return l.changeSamples("rewrite a shard", func(tx *bbolt.Tx, _ *bbolt.Bucket) error {
		b, err := tx.CreateBucketIfNotExists(bucketRewrites)
		if err != nil {
			return err
		}
		return b.Put(seqKey(uint64(r.Number)), append(binary.AppendUvarint(nil, uint64(r.Length)), r.Version...))
	})
}

// FinishRewrite notes that a shard was replaced, or is gone: samples are those in it now. Those of them that are not
// the latest of their key count as stale. The shard is not open.
func (l *Ledger) FinishRewrite(number int64, samples []Sampled) error {
	return l.changeSamples("rewrite a shard", func(tx *bbolt.Tx, index *bbolt.Bucket) error {
		stale := uint64(0)
		for _, s := range samples {
			value := index.Get(outputKey(s.Key))
			if value == nil {
				stale++
				continue
			}
			p, err := decodePlace(value)
			if err != nil {
				return l.damaged("the place of the sample %.80q: %v", s.Key, err)
			}
			if p.Shard != number {
				stale++
				continue
			}
			p.Offset = s.Offset
			if err := index.Put(outputKey(s.Key), appendPlace(nil, p)); err != nil {
				return err
			}
		}
		if err := forgetShard(tx, number, bucketRewrites, bucketStale, bucketShards); err != nil || stale == 0 {
			return err
		}
		b, err := tx.CreateBucketIfNotExists(bucketStale)
		if err != nil {
			return err
		}
		return b.Put(seqKey(uint64(number)), binary.AppendUvarint(nil, stale))
	})
}

// AbandonRewrite notes that a shard is still as it was.
func (l *Ledger) AbandonRewrite(number int64) error {
	return l.changeSamples("rewrite a shard", func(tx *bbolt.Tx, _ *bbolt.Bucket) error {
		return forgetShard(tx, number, bucketRewrites)
	})
}

func forgetShard(tx *bbolt.Tx, number int64, buckets ...[]byte) error {
	for _, name := range buckets {
		if b := tx.Bucket(name); b != nil {
			if err := b.Delete(seqKey(uint64(number))); err != nil {
				return err
			}
		}
	}
	return nil
}

func putShards(tx *bbolt.Tx, s Shards) error {
	kept, err := tx.CreateBucketIfNotExists(bucketKept)
	if err != nil {
		return err
	}
	for key, text := range map[string]string{"host": s.Host, "dir": s.Dir} {
		if string(kept.Get([]byte(key))) == text {
			continue
		}
		if err := kept.Put([]byte(key), []byte(text)); err != nil {
			return err
		}
	}
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
		if err := b.Put(seqKey(uint64(o.Number)), encodeOpenShard(o)); err != nil {
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
		if kept := tx.Bucket(bucketKept); kept != nil {
			s.Host, s.Dir = string(kept.Get([]byte("host"))), string(kept.Get([]byte("dir")))
		}
		return b.ForEach(func(k, v []byte) error {
			if bytes.Equal(k, keyPattern) {
				s.Pattern = string(v)
				return nil
			}
			o, err := l.decodeOpenShard(k, v)
			s.Open = append(s.Open, o)
			return err
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
