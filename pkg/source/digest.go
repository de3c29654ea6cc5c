package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
)

// fetching is a source some of whose entries come over a network, so that they should be read once.
type fetching interface {
	fetches(e Entry) bool
}

func isFetched(s Source, e Entry) bool {
	f, is := s.(fetching)
	return is && f.fetches(e)
}

func (u *URLs) fetches(Entry) bool   { return true }
func (b *Bucket) fetches(Entry) bool { return true }

func (s *shards) fetches(e Entry) bool { return e.in == nil && isFetched(s.base, e) }

// Digest returns the SHA-256 of an entry's content. It reads a piece at a time, however large the content is. What
// comes over a network and is no larger than all that h may hold, h holds for Open. A nil h holds nothing.
func Digest(ctx context.Context, s Source, e *Entry, h *Holder) (sum [sha256.Size]byte, err error) {
	file, err := s.Open(ctx, *e)
	if err != nil {
		return sum, err
	}
	defer file.Close()
	content := io.Reader(file)
	var kept []byte
	if h != nil && file.Size <= h.limit && isFetched(s, *e) {
		kept = make([]byte, file.Size)
		if _, err := io.ReadFull(file, kept); err != nil {
			return sum, fmt.Errorf("read %s: %w", e.Location, err)
		}
		content = bytes.NewReader(kept)
	}
	digest := sha256.New()
	if _, err := io.Copy(digest, content); err != nil {
		return sum, fmt.Errorf("read %s: %w", e.Location, err)
	}
	if len(kept) > 0 {
		h.hold(e, bytes.NewReader(kept))
	}
	return [sha256.Size]byte(digest.Sum(nil)), nil
}
