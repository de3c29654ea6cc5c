package blob

import (
	"context"
	"errors"
	"time"
)

// Pause is how long Insist waits before it tries an unavailable store again.
const Pause = time.Second

// Insist calls do, with a Pause between two calls, until it fails no longer with ErrUnavailable, and returns its
// last result. Before each pause it calls trouble with the error. When ctx ends, Insist returns its cause.
func Insist(ctx context.Context, do func() error, trouble func(err error)) error {
	for {
		err := do()
		if !errors.Is(err, ErrUnavailable) {
			return err
		}
		trouble(err)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(Pause):
		}
	}
}
