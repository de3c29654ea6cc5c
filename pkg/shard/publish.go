package shard

import (
	"bytes"
	"cmp"
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
	"github.com/imagefarm/imagefarm/pkg/bucket"
)

// publishersAtOnce is how many full shards are published at a time. While more wait, Append takes no samples.
const publishersAtOnce = 2

// slowAfter is how long Append waits for a store that takes full shards slowly, before it says so.
const slowAfter = 5 * time.Second

// startPublishers begins to publish full shards, as many as may be published at a time. They go on with those that
// wait.
func (s *Set) startPublishers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.busy < publishersAtOnce && len(s.waiting) > 0 {
		s.busy++
		f := s.takeWaiting()
		s.publishers.Go(func() {
			for f != nil {
				s.publish(f)
				s.mu.Lock()
				if f = s.takeWaiting(); f == nil {
					s.busy--
				}
				s.wake()
				s.mu.Unlock()
			}
		})
	}
}

// takeWaiting takes a full shard out of those that wait; nil: none does. The caller holds the mutex.
func (s *Set) takeWaiting() *shardFile {
	if len(s.waiting) == 0 {
		return nil
	}
	f := s.waiting[0]
	s.waiting = s.waiting[1:]
	s.publishing[f.number] = f
	return f
}

// wake tells those who wait that something has changed. The caller holds the mutex.
func (s *Set) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// awaitPublishers waits until every full shard is being published. The error is a blob.ErrUnavailable when the store
// does not take shards, or takes them slowly, and when it has refused one.
func (s *Set) awaitPublishers(ctx context.Context) error {
	slow := time.After(slowAfter)
	for {
		s.mu.Lock()
		waiting, changed, refused, err := len(s.waiting), s.changed, s.refusal(), s.fault
		s.mu.Unlock()
		switch {
		case refused != nil: // else shards of a pattern that others use would fill the disk
			return refused
		case waiting == 0:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-changed:
		case <-slow:
			return &blob.Fault{Kind: blob.ErrUnavailable, Op: "add to the shards", Dir: s.pattern.Dir,
				Why: fmt.Sprintf("%d full shards are being published, and %d wait for that", publishersAtOnce, waiting)}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// refusal returns why one of the shards cannot be published; nil: none was refused. The caller holds the mutex.
func (s *Set) refusal() error {
	for _, f := range s.publishing {
		if f.refused != nil {
			return f.refused
		}
	}
	return nil
}

// awaitPublished waits until every full shard is published. The error is a blob.ErrUnavailable when one cannot be. When
// ctx ends, uploads end, too, so that Close does not wait for them.
func (s *Set) awaitPublished(ctx context.Context) error {
	for {
		s.mu.Lock()
		busy, changed, refused, err := s.busy, s.changed, s.refusal(), s.fault
		s.mu.Unlock()
		switch err = cmp.Or(refused, err); {
		case busy == 0:
			return nil
		case ctx.Err() != nil:
			s.stop(context.Cause(ctx))
			return context.Cause(ctx)
		case err != nil:
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

// publish publishes a shard. A shard that cannot be published stays where it is until the next start.
func (s *Set) publish(f *shardFile) {
	name := s.pattern.Shard(f.number)
	err := s.insist(name, f)
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

// insist tries to publish a shard until the store takes it, or Close. Then it tries once more, unless the store has
// been unavailable to another shard since Close began.
func (s *Set) insist(name string, f *shardFile) error {
	for first := true; ; first = false {
		closing := s.isClosing()
		if fault := s.faultOfClose(); fault != nil && closing && first {
			return fault
		}
		err := s.tryPublish(name, f)
		if err != nil && s.uploads.Err() != nil {
			return err
		}
		unavailable, refused := err, error(nil)
		if err != nil && !errors.Is(err, blob.ErrUnavailable) {
			err = s.refused(name, err)
			unavailable, refused = nil, err
		}
		if err != nil && !closing && (first || refused != nil && f.refused == nil) {
			s.log.Error("a shard cannot be published; trying again", "shard", name, "error", err)
		}
		s.mu.Lock()
		s.fault, f.refused = unavailable, refused
		if closing {
			s.closeFault = unavailable
		}
		s.wake()
		s.mu.Unlock()
		if err == nil || closing {
			return err
		}
		select {
		case <-s.closing:
		case <-time.After(blob.Pause):
		}
	}
}

// errTaken says that something else has the final name of a shard.
var errTaken = errors.New("another shard has its name there: move it away")

// refused returns the error of a shard that waiting alone does not get published.
func (s *Set) refused(name string, err error) error {
	f := &blob.Fault{Kind: blob.ErrUnavailable, Op: "publish", Name: name, Dir: s.pattern.Dir, Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		f.Why = fmt.Sprintf("it is not in %s any more; put it back, or start the sink again", s.open)
	}
	return f
}

func (s *Set) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// faultOfClose returns why the store was unavailable to the last shard that was tried since Close began; nil: it was
// not.
func (s *Set) faultOfClose() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closeFault
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
	if err := s.upload(name, f); err != nil {
		return err
	}
	err := os.Remove(s.unfinished(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fault("remove", name, s.open, err)
}

// upload puts a shard into the bucket, unless the bucket has it: from a killed process, or because the answer to an
// earlier attempt was lost.
func (s *Set) upload(name string, f *shardFile) error {
	if there, err := s.isUploaded(name, f); there || err != nil {
		return err
	}
	err := s.bucket.PutNew(s.uploads, name, func() (io.ReadCloser, error) { return os.Open(s.unfinished(name)) })
	if errors.Is(err, bucket.ErrChanged) { // since the look, by us or by another farm
		if there, lookErr := s.isUploaded(name, f); there || lookErr != nil {
			return lookErr
		}
	}
	return err
}

// isUploaded reports whether the bucket has a shard. The error is errTaken if it has another one of that name.
func (s *Set) isUploaded(name string, f *shardFile) (bool, error) {
	s.forgetSize(name)
	switch there, err := s.published(s.uploads, name); {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case there != f.committed+trailerSize || errors.Is(f.refused, errTaken): // else it was compared
		return false, errTaken
	}
	return true, s.compare(name, f.committed)
}

// compare returns an error unless a published shard has the samples of the one here, whose length it is. It returns
// fs.ErrNotExist when there is none here.
func (s *Set) compare(name string, length int64) error {
	here, err := os.Open(s.unfinished(name))
	if err != nil {
		return fault("compare", name, s.open, err)
	}
	defer here.Close()
	if s.bucket == nil && sameFile(s.unfinished(name), s.final(name)) {
		return nil
	}
	there, err := s.openPublished(name)
	if err != nil {
		return fault("compare", name, s.pattern.Dir, err)
	}
	defer there.Close()
	ours, theirs := make([]byte, min(length, 1<<20)), make([]byte, min(length, 1<<20))
	for left := length; left > 0; left -= int64(len(ours)) {
		ours, theirs = ours[:min(left, int64(len(ours)))], theirs[:min(left, int64(len(theirs)))]
		_, err := io.ReadFull(here, ours)
		if err == nil {
			_, err = io.ReadFull(there, theirs)
		}
		if err != nil {
			return fault("compare", name, s.pattern.Dir, err)
		}
		if !bytes.Equal(ours, theirs) {
			return errTaken
		}
	}
	return nil
}

// link gives a shard its final name, durably, unless that name is taken.
func (s *Set) link(name string) error {
	err := os.Link(s.unfinished(name), s.final(name))
	switch {
	case errors.Is(err, fs.ErrExist) && sameFile(s.unfinished(name), s.final(name)):
		err = nil // an earlier attempt failed later on
	case errors.Is(err, fs.ErrExist):
		return errTaken
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

// Close publishes what is committed, and closes the set. When ctx ends, uploads end, too. A shard that cannot be
// published now is kept; the next Open publishes it.
func (s *Set) Close(ctx context.Context) error {
	err := s.rollBack()
	close(s.closing)
	s.Seal()
	stopped := context.AfterFunc(ctx, func() { s.stop(context.Cause(ctx)) })
	s.publishers.Wait()
	stopped()
	s.stop(nil)
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
