package report

import (
	"context"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// WithLive returns b with the runs that live returns, which are fresher than what the ledger keeps of them, in the place
// of their records.
func WithLive(b Book, live func(context.Context) ([]wire.Run, error)) Book { return liveBook{b, live} }

type liveBook struct {
	Book
	live func(context.Context) ([]wire.Run, error)
}

// Runs implements Book.
func (b liveBook) Runs(ctx context.Context) ([]wire.Run, error) {
	runs, err := b.Book.Runs(ctx)
	if err != nil {
		return nil, err
	}
	fresh, err := b.live(ctx)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*wire.Run, len(fresh))
	for i := range fresh {
		byID[fresh[i].ID] = &fresh[i]
	}
	for i := range runs {
		if f := byID[runs[i].ID]; f != nil {
			runs[i] = *f
		}
	}
	return runs, nil
}
