package sink

import (
	"context"
	"io"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// These methods are the control calls and the subscription for callers in the same process.

// Watch returns the events from now on, and a function that ends the watch and closes the channel. At most buffer
// events wait. When there is room again after some were missed, an event of topic "events.missed" says how many.
func (s *Sink) Watch(buffer int) (<-chan wire.Event, func()) { return s.watchers.add(buffer) }

// Entries returns a page of the ledger.
func (s *Sink) Entries(ctx context.Context, args wire.EntriesArgs) (*wire.Entries, error) {
	return s.reader().Entries(ctx, args)
}

// Last returns up to limit of the entries that were settled last, newest first. With refused it returns only
// rejected and dead ones.
func (s *Sink) Last(ctx context.Context, refused bool, limit int) ([]wire.Receipt, error) {
	return s.reader().Last(ctx, refused, limit)
}

// Runs returns the runs of the ledger, newest first, with the last counts of the live ones.
func (s *Sink) Runs(context.Context) ([]wire.Run, error) { return s.control.allRuns() }

// SettledBefore returns about how many entries the ledger has from before each of the given times.
func (s *Sink) SettledBefore(times []time.Time) ([]uint64, error) {
	return s.cfg.Ledger.SettledBefore(times)
}

// Reasons returns how many entries the ledger has of each reason, and as "dead" how many dead letters.
func (s *Sink) Reasons() (map[string]uint64, error) {
	totals, err := s.cfg.Ledger.Totals()
	if err != nil {
		return nil, err
	}
	reasons := make(map[string]uint64, len(totals.Reasons)+1)
	for reason, n := range totals.Reasons {
		if n > 0 {
			reasons[string(reason)] = uint64(n)
		}
	}
	if totals.Dead > 0 {
		reasons[string(outcome.Dead)] = uint64(totals.Dead)
	}
	return reasons, nil
}

// Retry revives the rejected and dead tasks that args select, for the next run, and returns how many.
func (s *Sink) Retry(ctx context.Context, args wire.EntriesArgs) (int, error) {
	return s.reader().Retry(ctx, args)
}

// Steer pauses, resumes or cancels a run, or all live ones when want names none.
func (s *Sink) Steer(_ context.Context, want wire.Steering) error { return s.control.steer(want) }

// Open returns an output, which the caller closes. The error for a name that holds nothing is fs.ErrNotExist.
func (s *Sink) Open(name string) (io.ReadSeekCloser, error) { return s.cfg.Outputs().Open(name) }
