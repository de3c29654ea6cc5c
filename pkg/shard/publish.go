package shard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
)

// publishWaiting begins to publish the full shards. While too many are being published it waits.
func (s *Set) publishWaiting(ctx context.Context) error {
	for len(s.waiting) > 0 {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		f := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.mu.Lock()
		s.publishing[f.number] = f
		s.mu.Unlock()
		s.publishers.Go(func() {
			defer func() { <-s.slots }()
			s.publish(f)
		})
	}
	return nil
}

// publish publishes a shard, and tries again while the store is unavailable, until Close. A shard that cannot be
// published stays where it is until the next start.
func (s *Set) publish(f *shardFile) {
	name := s.pattern.Shard(f.number)
	err := s.tryPublish(name, f)
	for warned := false; errors.Is(err, blob.ErrUnavailable); warned = true {
		if !warned {
			s.log.Error("a shard cannot be published; trying again", "shard", name, "error", err)
		}
		closing := false
		select {
		case <-s.closing:
			closing = true
		case <-time.After(blob.Pause):
		}
		if err = s.tryPublish(name, f); closing {
			break
		}
	}
	if err == nil {
		s.mu.Lock()
		delete(s.publishing, f.number)
		s.mu.Unlock()
		if err := s.cfg.Ledger.MarkPublished(f.number); err != nil {
			s.log.Warn("cannot note that a shard was published", "shard", name, "error", err)
		}
		s.log.Info("shard published", "shard", name, "samples", f.counted, "bytes", f.committed+trailerSize)
		return
	}
	if f.file != nil {
		err = errors.Join(err, f.file.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = errors.Join(s.failed, fmt.Errorf("the shard %s is not published, and kept in %s until the next start: %w",
		name, s.open, err))
}

// tryPublish completes a shard and makes it visible under its final name.
func (s *Set) tryPublish(name string, f *shardFile) error {
	if f.file != nil {
		_, err := f.file.WriteAt(make([]byte, trailerSize), f.committed)
		if err = errors.Join(err, f.file.Sync()); err != nil {
			return fault("complete", name, s.open, err)
		}
		if err := f.file.Close(); err != nil { // some systems rename no open file
			return fault("complete", name, s.open, err)
		}
		f.file = nil
	}
	if s.bucket == nil {
		return fault("publish", name, s.pattern.Dir, s.link(name))
	}
	err := s.bucket.PutFrom(context.Background(), name, func() (io.ReadCloser, error) {
		return os.Open(s.unfinished(name))
	})
	if err != nil {
		return err
	}
	return fault("remove", name, s.open, os.Remove(s.unfinished(name)))
}

// link gives a shard its final name, durably, unless that name is taken.
func (s *Set) link(name string) error {
	err := os.Link(s.unfinished(name), s.final(name))
	switch {
	case errors.Is(err, fs.ErrExist) && sameFile(s.unfinished(name), s.final(name)):
		err = nil // an earlier attempt failed later on
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s has another file of that name: move it away", s.pattern.Dir)
	case err != nil: // a file system without links
		if err := os.Rename(s.unfinished(name), s.final(name)); err != nil {
			return err
		}
		return errors.Join(syncDir(s.pattern.Dir), syncDir(s.open))
	}
	if err != nil {
		return err
	}
	if err := syncDir(s.pattern.Dir); err != nil {
		return err
	}
	return os.Remove(s.unfinished(name))
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// syncDir makes durable which names a directory holds.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be synced there; NTFS journals them
	}
	f, err := os.Open(filepath.FromSlash(dir))
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // some network file systems sync no directories: their servers keep names safe at once
	}
	return errors.Join(err, f.Close())
}

// Close publishes what is committed, and closes the set. A shard that cannot be published now is kept; the next Open
// publishes it.
func (s *Set) Close() error {
	err := s.rollBack()
	close(s.closing)
	err = errors.Join(err, s.Seal(context.Background()))
	s.publishers.Wait()
	if s.next == 0 { // nothing was ever written here, so that nothing is to stay
		_ = os.Remove(filepath.Join(s.open, lockName))
	}
	return errors.Join(err, s.failed, s.closeFiles(), s.Reader.Close())
}

// closeFiles closes the files that are not being published.
func (s *Set) closeFiles() error {
	var errs []error
	for _, f := range append(s.waiting, s.current) {
		if f != nil && f.file != nil {
			errs = append(errs, f.file.Close())
		}
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}
