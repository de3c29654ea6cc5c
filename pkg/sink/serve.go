package sink

import (
	"context"
	"io"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// These are the calls of control, for those in the same process.

// Entries returns a page of the ledger.
func (s *Sink) Entries(ctx context.Context, args wire.EntriesArgs) (*wire.Entries, error) {
	return s.book().Entries(ctx, args)
}

// Retry makes the rejected and dead tasks that args select due again, for the next run, and returns how many those are.
func (s *Sink) Retry(ctx context.Context, args wire.EntriesArgs) (int, error) {
	return s.book().Retry(ctx, args)
}

// Steer pauses, resumes or cancels a run, or all live ones when want names none.
func (s *Sink) Steer(_ context.Context, want wire.RunState) error {
	_, err := s.steer(&want)
	return err
}

// Open returns an output; the caller closes it. The error for a name that holds nothing is fs.ErrNotExist.
func (s *Sink) Open(name string) (io.ReadSeekCloser, error) { return s.cfg.Out.Open(name) }
