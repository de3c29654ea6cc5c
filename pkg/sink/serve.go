package sink

import (
	"context"
	"io"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// These are the calls of control, for those in the same process.

// Entries returns a page of the ledger.
func (s *Sink) Entries(ctx context.Context, args wire.EntriesArgs) (*wire.Entries, error) {
	return s.book().Entries(ctx, args)
}

// Last returns up to limit of the ledger's entries that were settled last, the newest first; with refused, of those that
// were rejected or are dead.
func (s *Sink) Last(ctx context.Context, refused bool, limit int) ([]wire.Receipt, error) {
	return s.book().Last(ctx, refused, limit)
}

// Runs returns the runs that the ledger knows, newest first, and of the live ones what they told last. One that nobody saw
// end, and that has not been heard of since the sink was started, was interrupted, unless it may still be about to speak.
func (s *Sink) Runs(context.Context) ([]wire.Run, error) {
	known, since := s.state.known()
	young := time.Since(since) <= runSilence
	told := make(map[string]wire.Run, len(known))
	for _, r := range known {
		told[r.ID] = r
	}
	runs, err := s.book().runs(func(id string) bool { return young || told[id].ID != "" })
	for i := range runs {
		if r, ok := told[runs[i].ID]; ok {
			runs[i] = r
		}
	}
	return runs, err
}

// SettledBefore returns how many entries the ledger has from before each of the given times, nearly.
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

// Retry makes the rejected and dead tasks that args select due again, for the next run, and returns how many those are.
func (s *Sink) Retry(ctx context.Context, args wire.EntriesArgs) (int, error) {
	return s.book().Retry(ctx, args)
}

// Steer pauses, resumes or cancels a run, or all live ones when want names none.
func (s *Sink) Steer(_ context.Context, want wire.Steering) error {
	_, err := s.steer(&want)
	return err
}

// Open returns an output; the caller closes it. The error for a name that holds nothing is fs.ErrNotExist.
func (s *Sink) Open(name string) (io.ReadSeekCloser, error) { return s.cfg.Out.Open(name) }
