package ledger

import (
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
)

// The file's buckets. Entries are kept by number rather than by id, since ids are random: so the large bucket is only
// ever appended to, its pages are full, and what random writes touch is the small index.
var (
	bucketFormat  = []byte("imagefarm-ledger") // "version" → 4 bytes, big-endian
	bucketEntries = []byte("entries")          // seq (8 bytes, big-endian) → entry
	bucketIDs     = []byte("ids")              // task id → seq (8 bytes, big-endian), outcome (1 byte)
	bucketRefused = []byte("refused")          // seq of a rejected or dead entry → nothing
	bucketRevived = []byte("revived")          // task id → how often it was revived (uvarint)
	bucketWords   = []byte("words")            // number (4 bytes, big-endian) → text
	bucketCounts  = []byte("counts")           // run, NUL → totals; run, NUL, reason → rejected for it
	bucketRuns    = []byte("runs")             // run id → JSON

	// Those of later versions; a ledger may lack them.
	bucketOutputs = []byte("output-names") // name of an output, cut by outputKey → seq of its owner (8 bytes, big-endian)
	bucketSources = []byte("sources")      // source of an entry → nothing
	// Task id of a refused entry → when it was acknowledged (seconds since 1970, uvarint)
	bucketAcks = []byte("acknowledged")

	// First half of the SHA-256 of an image's content → seq of its latest entry (8 bytes, big-endian). The first entry of
	// which the content is known makes it.
	bucketContents = []byte("contents")

	// bucketHashes is an earlier form of bucketOutputs, with hashes of names. Each commit changed hundreds of its pages.
	bucketHashes = []byte("outputs")
)

func buckets() [][]byte {
	return [][]byte{
		bucketFormat, bucketEntries, bucketIDs, bucketRefused, bucketRevived, bucketWords, bucketCounts, bucketRuns,
	}
}

// laterBuckets are those that ledgers of earlier versions lack, and get when they are opened for writing.
func laterBuckets() [][]byte { return [][]byte{bucketOutputs, bucketSources, bucketAcks} }

// formatVersion changes when an older program could not read the file any more. New fields and buckets do not change
// it.
const formatVersion = 1

var keyVersion = []byte("version")

func makeBuckets(tx *bbolt.Tx) error {
	for _, name := range slices.Concat(buckets(), laterBuckets()) {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return tx.Bucket(bucketFormat).Put(keyVersion, binary.BigEndian.AppendUint32(nil, formatVersion))
}

// checkFormat tells a ledger of this format from anything else that bbolt can open.
func (l *Ledger) checkFormat(tx *bbolt.Tx) error {
	b := tx.Bucket(bucketFormat)
	if b == nil {
		return &Fault{Kind: ErrForeign, Path: l.path, Why: "it is a bbolt database of some other program"}
	}
	version := b.Get(keyVersion)
	if len(version) != 4 {
		return &Fault{Kind: ErrDamaged, Path: l.path, Why: "its version is missing"}
	}
	if v := binary.BigEndian.Uint32(version); v != formatVersion {
		return &Fault{Kind: ErrNewer, Path: l.path,
			Why: fmt.Sprintf("its format is %d; this imagefarm reads %d: use a newer one", v, formatVersion)}
	}
	for _, name := range buckets() {
		if tx.Bucket(name) == nil {
			return &Fault{Kind: ErrDamaged, Path: l.path, Why: fmt.Sprintf("its bucket %q is missing", name)}
		}
	}
	return nil
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// words numbers the texts that many entries share. There is room for so many that no sound farm meets the limits; when
// they are reached, entries carry further texts themselves.
type words struct {
	numbers map[string]uint64
	bytes   int
	fresh   []string // numbered since the last transaction
}

const (
	maxWords     = 1 << 16
	maxWordBytes = 8 << 20
)

func (w *words) load(tx *bbolt.Tx) error {
	w.numbers = make(map[string]uint64)
	return tx.Bucket(bucketWords).ForEach(func(k, v []byte) error {
		if len(k) != 4 {
			return &Fault{Kind: ErrDamaged, Path: tx.DB().Path(), Why: "its words are not numbered"}
		}
		w.numbers[string(v)] = uint64(binary.BigEndian.Uint32(k))
		w.bytes += len(v)
		return nil
	})
}

// number returns the number of s, giving it one if there is room.
func (w *words) number(s string) (uint64, bool) {
	if n, ok := w.numbers[s]; ok {
		return n, true
	}
	if len(w.numbers) >= maxWords || w.bytes+len(s) > maxWordBytes {
		return 0, false
	}
	n := uint64(len(w.numbers)) + 1
	w.numbers[s] = n
	w.bytes += len(s)
	w.fresh = append(w.fresh, s)
	return n, true
}

// store writes the fresh words.
func (w *words) store(tx *bbolt.Tx) error {
	b := tx.Bucket(bucketWords)
	for _, s := range w.fresh {
		if err := b.Put(binary.BigEndian.AppendUint32(nil, uint32(w.numbers[s])), []byte(s)); err != nil {
			return err
		}
	}
	return nil
}

// settle keeps the fresh words if their transaction succeeded, and forgets them otherwise.
func (w *words) settle(err error) {
	if err != nil {
		for _, s := range w.fresh {
			delete(w.numbers, s)
			w.bytes -= len(s)
		}
	}
	w.fresh = w.fresh[:0]
}

// reader returns the text of a word as tx sees it.
func reader(tx *bbolt.Tx) func(uint64) (string, bool) {
	b := tx.Bucket(bucketWords)
	return func(n uint64) (string, bool) {
		if n > maxWords {
			return "", false
		}
		var key [4]byte
		binary.BigEndian.PutUint32(key[:], uint32(n))
		text := b.Get(key[:])
		return string(text), text != nil
	}
}
