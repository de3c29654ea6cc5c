package cli

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/shard"
)

// prunedShards are shards from which outputs are removed. It implements prunable.
type prunedShards struct {
	*shard.Reader
	pattern shard.Pattern
	ledger  *ledger.Ledger
	set     *shard.Set // nil: a dry run
	close   func() error

	dropped []string        // outputs that are removed with the next call of drop
	gone    map[int64]int64 // number of a shard → how many samples a dry run would remove
}

// openPruned opens the shards that an --out names. cfg.ReadOnly says that nothing is to be changed.
func openPruned(ctx context.Context, out string, entries *ledger.Ledger, cfg blob.Config) (*prunedShards, error) {
	p, err := shardsOf(out)
	if err != nil {
		return nil, err
	}
	s := &prunedShards{pattern: p, ledger: entries, gone: make(map[int64]int64)}
	known, err := entries.Shards()
	switch {
	case err != nil:
		return nil, err
	case known.Pattern != p.Name:
		return nil, fmt.Errorf("the ledger %s has no shards named %s", entries.Path(), p.Name)
	case cfg.ReadOnly:
		if s.Reader, err = shard.NewReader(p, shard.OpenDir(p, entries.Path()), cfg); err != nil {
			return nil, err
		}
		s.close = s.Reader.Close
		return s, nil
	}
	if s.set, err = shard.Open(ctx, p, shard.Config{Ledger: entries, Blob: cfg}); err != nil {
		return nil, err
	}
	s.Reader, s.close = s.set.Reader, func() error { return s.set.Close(ctx) }
	return s, nil
}

// place returns where an output is. The error is fs.ErrNotExist when it is in no shard.
func (s *prunedShards) place(name string) (ledger.Place, error) {
	key, ext := shard.Key(name)
	p, found, err := s.ledger.PlaceOf(key)
	if err == nil && (!found || p.Ext != ext) {
		err = fs.ErrNotExist
	}
	return p, err
}

// Stat implements prunable.
func (s *prunedShards) Stat(name string) (int64, error) {
	p, err := s.place(name)
	if err != nil {
		return 0, err
	}
	return p.Size, s.StatAt(s.pattern.Shard(p.Shard), p.Offset+p.Size)
}

// Remove implements prunable. The output is gone after the next call of drop.
func (s *prunedShards) Remove(name string) error {
	s.dropped = append(s.dropped, name)
	return nil
}

// drop removes the outputs for which Remove was called.
func (s *prunedShards) drop() error {
	err := s.set.Drop(s.dropped)
	s.dropped = s.dropped[:0]
	return err
}

// noteGone counts an output that is listed as one to be removed.
func (s *prunedShards) noteGone(name string) {
	if p, err := s.place(name); err == nil {
		s.gone[p.Shard]++
	}
}

// rewrite writes the shards again that have samples of no output, and calls tell with each. In a dry run it only tells.
func (s *prunedShards) rewrite(ctx context.Context, tell func(shard.Rewritten)) error {
	if s.set != nil {
		return s.set.Rewrite(ctx, tell)
	}
	stale, err := s.ledger.StaleShards()
	for _, one := range stale {
		s.gone[one.Number] += one.Samples
	}
	for _, number := range slices.Sorted(maps.Keys(s.gone)) {
		tell(shard.Rewritten{Shard: s.pattern.Shard(number), Removed: s.gone[number]})
	}
	return err
}

// Close implements prunable.
func (s *prunedShards) Close() error { return s.close() }
