package report

import (
	"context"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// WithLive returns b with the runs that live returns, which are fresher than what the ledger keeps of them, in the
// place of their records.
func WithLive(b wire.LedgerReader, live func(context.Context) ([]wire.Run, error)) wire.LedgerReader {
	return liveReader{b, live}
}

type liveReader struct {
	wire.LedgerReader
	live func(context.Context) ([]wire.Run, error)
}

// Runs implements wire.LedgerReader.
func (b liveReader) Runs(ctx context.Context) ([]wire.Run, error) {
	runs, err := b.LedgerReader.Runs(ctx)
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
