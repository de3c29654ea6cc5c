package shard

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/ledger"
)

// Group is what Append wrote and the ledger is to record.
type Group struct {
	Samples []ledger.Sample
	After   ledger.Shards
	names   []string
}

// Append writes samples, whose names are reserved, to the end of the shards, and makes them durable. Nothing of them
// counts before the caller has committed the group and called Committed. After an error nothing of them is in the
// shards. Errors: blob.ErrUnavailable: call again. While more full shards wait than can be published at a time, nothing
// is appended.
func (s *Set) Append(ctx context.Context, samples []Sample) (*Group, error) {
	if err := s.awaitPublishers(ctx); err != nil {
		return nil, err
	}
	g := new(Group)
	err := s.write(ctx, g, samples)
	if err != nil {
		err = errors.Join(fault("write", "", s.pattern.Dir, err), s.rollBack())
		return nil, err
	}
	g.After = s.state()
	return g, nil
}

func (s *Set) write(ctx context.Context, g *Group, samples []Sample) error {
	if err := s.checkFiles(); err != nil {
		return err
	}
	var out *bufio.Writer
	finish := func() error {
		if out == nil {
			return nil
		}
		err := errors.Join(out.Flush(), s.current.file.Sync())
		out = nil
		return err
	}
	for i := range samples {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		one := &samples[i]
		if f := s.current; f != nil && f.samples > 0 && (f.samples >= s.cfg.Count || f.length+one.room() > s.cfg.Size) {
			if err := finish(); err != nil {
				return err
			}
			s.fresh, s.current = append(s.fresh, f), nil
		}
		if s.current == nil {
			if err := s.begin(); err != nil {
				return err
			}
		}
		if out == nil {
			if _, err := s.current.file.Seek(s.current.length, io.SeekStart); err != nil {
				return err
			}
			out = bufio.NewWriterSize(s.current.file, 1<<20)
		}
		w := &counter{w: out, n: s.current.length}
		at, err := one.write(w)
		if err != nil {
			return err
		}
		s.current.length = w.n
		s.current.samples++
		at.Shard = s.current.number
		g.Samples = append(g.Samples, at)
		g.names = append(g.names, one.Name)
	}
	return finish()
}

// begin begins a shard.
func (s *Set) begin() error {
	file, err := os.OpenFile(s.unfinished(s.pattern.Shard(s.next)), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	if err := syncDir(s.open); err != nil {
		return errors.Join(err, file.Close())
	}
	s.current = &shardFile{number: s.next, file: file}
	s.next++
	return nil
}

// checkFiles returns an error if the current shard is not at its place any more, such as when another disk is mounted
// there: what is written to it would be lost.
func (s *Set) checkFiles() error {
	if s.current == nil {
		return nil
	}
	name := s.pattern.Shard(s.current.number)
	there, err := os.Stat(s.unfinished(name))
	ours, oursErr := s.current.file.Stat()
	if err = errors.Join(err, oursErr); err != nil || !os.SameFile(there, ours) {
		return &blob.Fault{Kind: blob.ErrUnavailable, Op: "write", Name: name, Dir: s.open,
			Why: "the open shard is not there any more; put it back, or start the sink again", Err: err}
	}
	return nil
}

// rollBack removes what no commit covers.
func (s *Set) rollBack() error {
	files := s.fresh
	if s.current != nil {
		files = append(files, s.current)
	}
	s.fresh, s.current = nil, nil
	var errs []error
	for _, f := range files {
		if f.committed == 0 {
			errs = append(errs, f.file.Close(), os.Remove(s.unfinished(s.pattern.Shard(f.number))))
			s.next = min(s.next, f.number)
			continue
		}
		errs = append(errs, f.file.Truncate(f.committed))
		f.length, f.samples = f.committed, f.counted
		s.current = f // only the first may have committed samples
	}
	return errors.Join(errs...)
}

// state is what the ledger is to record of the shards.
func (s *Set) state() ledger.Shards {
	after := ledger.Shards{Pattern: s.pattern.Name, Next: s.next, Host: s.host, Dir: s.open}
	s.mu.Lock()
	for number, f := range s.publishing {
		after.Open = append(after.Open, ledger.OpenShard{Number: number, Length: f.committed, Samples: f.counted})
	}
	files := append(slices.Clone(s.waiting), s.fresh...)
	s.mu.Unlock()
	if s.current != nil {
		files = append(files, s.current)
	}
	for _, f := range files {
		after.Open = append(after.Open, ledger.OpenShard{Number: f.number, Length: f.length, Samples: f.samples})
	}
	return after
}

// Committed says that the ledger has recorded a group. Full shards are published from now on.
func (s *Set) Committed(g *Group) {
	for _, f := range append(append([]*shardFile{}, s.fresh...), s.current) {
		if f != nil {
			f.committed, f.counted = f.length, f.samples
		}
	}
	full := s.fresh
	s.fresh = nil
	s.publishFull(full...)
	s.Release(g.names)
}

// publishFull publishes full shards in the background.
func (s *Set) publishFull(full ...*shardFile) {
	s.mu.Lock()
	s.waiting = append(s.waiting, full...)
	s.mu.Unlock()
	s.startPublishers()
}

// Seal ends the current shard, and publishes it in the background: nothing more is expected for now. No group may be
// waiting for its commit.
func (s *Set) Seal() {
	if s.current != nil {
		full := s.current
		s.current = nil
		s.publishFull(full)
	}
}
