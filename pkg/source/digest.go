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

// Room returns how many bytes Digest will hold of an entry, as far as its size is known before it is fetched.
func (h *Holder) Room(s Source, e Entry) int64 {
	if h == nil || e.Size > h.limit || !isFetched(s, e) {
		return 0
	}
	return e.Size
}

// Digest returns the SHA-256 of an entry's content. It reads a piece at a time, however large the content is. What
// comes over a network h holds for Open while there is room; otherwise Open fetches it again. A nil h holds nothing.
func Digest(ctx context.Context, s Source, e *Entry, h *Holder) (sum [sha256.Size]byte, err error) {
	file, err := s.Open(ctx, *e)
	if err != nil {
		return sum, err
	}
	defer file.Close()
	hold := h != nil && file.Size > 0 && file.Size <= h.limit && isFetched(s, *e)
	body, isWhole := file.Reader.(*bytes.Reader) // what a web server sent is in memory already
	digest := sha256.New()
	if !hold || !isWhole && !h.reserve(file.Size) {
		if _, err := io.Copy(digest, file); err != nil {
			return sum, fmt.Errorf("read %s: %w", e.Location, err)
		}
		return [sha256.Size]byte(digest.Sum(nil)), nil
	}
	if isWhole {
		h.add(file.Size)
	} else {
		data := make([]byte, file.Size)
		if _, err := io.ReadFull(file, data); err != nil {
			h.add(-file.Size)
			return sum, fmt.Errorf("read %s: %w", e.Location, err)
		}
		body = bytes.NewReader(data)
	}
	_, err = body.WriteTo(digest)
	if err == nil {
		_, err = body.Seek(0, io.SeekStart)
	}
	e.held = &heldBody{holder: h, data: body}
	return [sha256.Size]byte(digest.Sum(nil)), err
}
