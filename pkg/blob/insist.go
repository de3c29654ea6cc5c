package blob

import (
	"context"
	"errors"
	"time"
)

// Pause is how long Insist leaves a store alone that is full, read-only or gone: somebody has to heal it, and is not quick.
const Pause = time.Second

// Insist calls do again and again, with a Pause between, as long as it fails with ErrUnavailable, and returns what it
// returned last; when ctx ends meanwhile, that one's cause. trouble is told of each failure that is not yet the end.
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
