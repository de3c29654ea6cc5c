package ledger

import (
	"bytes"

	"go.etcd.io/bbolt"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// The contents of images lead to their latest entries, where runs hashed the images. So an image that was renamed or
// moved is known again. Hashes are random keys, which make a commit change many pages; only such runs pay for that.

// noteContent makes the entry numbered seq that of its image's content, if that is known and the image is done.
func noteContent(tx *bbolt.Tx, e *Entry, seq uint64) error {
	if e.Content == (Content{}) || e.Outcome != outcome.Done {
		return nil
	}
	b, err := tx.CreateBucketIfNotExists(bucketContents)
	if err != nil {
		return err
	}
	return b.Put(e.Content[:], seqKey(seq))
}

func forgetContent(tx *bbolt.Tx, e *Entry) error {
	b := tx.Bucket(bucketContents)
	if b == nil || !bytes.Equal(b.Get(e.Content[:]), seqKey(e.Seq)) {
		return nil
	}
	return b.Delete(e.Content[:])
}

// OfContent returns the latest entry of an image that has this content, and false if there is none.
func (l *Ledger) OfContent(content Content) (e Entry, found bool, err error) {
	err = l.view(func(tx *bbolt.Tx) (err error) {
		b := tx.Bucket(bucketContents)
		if b == nil {
			return nil
		}
		key := b.Get(content[:])
		value := tx.Bucket(bucketEntries).Get(key)
		if value == nil {
			return nil // also when a version that does not know contents has removed the entry
		}
		e, err = l.decode(key, value, reader(tx))
		found = err == nil && e.Content == content
		return err
	})
	return e, found, fault(l.path, "look for a content", err)
}
