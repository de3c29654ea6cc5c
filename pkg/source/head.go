package source

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// header is a source that can read the first bytes of an entry for less than Open costs.
type header interface {
	head(ctx context.Context, e Entry, n int) (*File, error)
}

// identifier is a source whose entries a walk leaves without Size, Modified and Version, since it would have to ask
// for each.
type identifier interface {
	identify(ctx context.Context, e Entry) Entry
}

// Identify completes the Size, Modified, Version and Refused of an entry, where a walk leaves them out.
func Identify(ctx context.Context, s Source, e Entry) Entry {
	if i, is := s.(identifier); is {
		return i.identify(ctx, e)
	}
	return e
}

// Head returns the first n bytes of an entry; fewer if it has no more.
func Head(ctx context.Context, s Source, e Entry, n int) ([]byte, error) {
	open := s.Open
	if h, is := s.(header); is {
		open = func(ctx context.Context, e Entry) (*File, error) { return h.head(ctx, e, n) }
	}
	file, err := open(ctx, e)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b := make([]byte, n)
	n, err = io.ReadFull(file, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read %s: %w", e.Location, err)
	}
	return b[:n], nil
}
