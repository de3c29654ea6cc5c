package shard

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/ledger"
)

// A sample that was superseded, or whose output was removed, stays in its shard until Rewrite replaces that shard by
// one without it. The new shard is first made durable beside the open ones. Then the ledger notes that it is about to
// replace the old one, and at last that it has, with where its samples are. Whatever process is killed on the way, the
// next Open completes it: a new shard is shorter than the old one, so that each is known by its length.

// Names of files beside the open shards.
const (
	newSuffix = ".rewritten" // a shard that is to replace a published one
	oldSuffix = ".published" // a copy of a published shard in a bucket
)

// Rewritten is what Rewrite did to a shard.
type Rewritten struct {
	Shard   string // its name
	Removed int64  // samples
	Freed   int64  // bytes
}

// Rewrite replaces the published shards that have samples of no entry. A shard keeps its name; one without any sample
// left becomes an empty tar file. It calls tell with each. The rules of Append hold for the caller.
func (s *Set) Rewrite(ctx context.Context, tell func(Rewritten)) error {
	s.Seal()
	if err := s.awaitPublished(ctx); err != nil {
		return err
	}
	stale, err := s.cfg.Ledger.StaleShards()
	if err != nil {
		return err
	}
	for _, one := range stale {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		name := s.pattern.Shard(one.Number)
		before, err := s.publishedIn(ctx, s.bucket, name)
		if errors.Is(err, fs.ErrNotExist) {
			if err := s.cfg.Ledger.FinishRewrite(one.Number, nil); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fault("look up", name, s.pattern.Dir, err)
		}
		made, err := s.beginRewrite(ctx, one.Number)
		if err == nil {
			err = s.finishRewrite(ctx, made)
		}
		if err != nil {
			return fault("rewrite", name, s.pattern.Dir, err)
		}
		tell(Rewritten{Shard: name, Removed: one.Samples, Freed: before - trailerSize - made.Length})
	}
	return nil
}

// beginRewrite makes the shard that is to replace another, durably, and notes it in the ledger. finishRewrite follows.
func (s *Set) beginRewrite(ctx context.Context, number int64) (r ledger.Rewrite, err error) {
	r.Number = number
	name := s.pattern.Shard(number)
	from := s.final(name)
	if s.bucket != nil {
		from = s.unfinished(name + oldSuffix)
		if r.Version, err = s.download(ctx, name, from); err != nil {
			return r, err
		}
		defer func() { err = errors.Join(err, os.Remove(from)) }()
	}
	old, err := os.Open(from)
	if err != nil {
		return r, err
	}
	defer old.Close()
	out, err := os.Create(s.unfinished(name + newSuffix))
	if err != nil {
		return r, err
	}
	r.Length, err = s.copyCurrent(ctx, number, old, out)
	if err == nil {
		_, err = out.Write(make([]byte, trailerSize))
	}
	if err = errors.Join(err, out.Sync(), out.Close()); err == nil {
		err = syncDir(s.open)
	}
	if err == nil {
		err = s.cfg.Ledger.BeginRewrite(r)
	}
	return r, err
}

// download copies a published shard out of the bucket, and returns which version of it that is.
func (s *Set) download(ctx context.Context, name, to string) (version string, err error) {
	from, version, err := s.bucket.OpenVersion(name)
	if err != nil {
		return "", err
	}
	defer from.Close()
	out, err := os.Create(to)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(out, &cancellable{ctx, from})
	return version, errors.Join(err, out.Close())
}

// cancellable is a reader that fails when its context has ended.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (c *cancellable) Read(b []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}

// copyCurrent copies the samples of a shard that the ledger has there.
func (s *Set) copyCurrent(ctx context.Context, number int64, old *os.File, to io.Writer) (length int64, err error) {
	out := bufio.NewWriterSize(to, 1<<20)
	err = eachSample(old, func(one storedSample) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		p, found, err := s.cfg.Ledger.PlaceOf(one.key)
		if err != nil || !found || p.Shard != number || p.Offset != one.data {
			return err
		}
		n, err := io.Copy(out, io.NewSectionReader(old, one.begin, one.end-one.begin))
		length += n
		return err
	})
	return length, errors.Join(err, out.Flush())
}

// storedSample is a sample in a shard, in bytes from its beginning.
type storedSample struct {
	key        string
	begin, end int64 // of its files, with their headers
	data       int64 // where the output begins
}

// eachSample calls visit with each sample of a shard.
func eachSample(file *os.File, visit func(storedSample) error) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	data := io.NewSectionReader(file, 0, info.Size())
	files := tar.NewReader(data)
	var now storedSample
	end := int64(0)
	for {
		h, err := files.Next()
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("the shard cannot be read: %w", err)
		}
		last := errors.Is(err, io.EOF)
		if last || end == 0 || keyOfFile(h.Name) != now.key {
			if now.end = end; end > 0 {
				if err := visit(now); err != nil {
					return err
				}
			}
			if last {
				return nil
			}
			now = storedSample{key: keyOfFile(h.Name), begin: end}
			if now.data, err = data.Seek(0, io.SeekCurrent); err != nil {
				return err
			}
		}
		at, err := data.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		end = at + (h.Size+blockSize-1)/blockSize*blockSize
	}
}

// keyOfFile returns the key of a file in a shard.
func keyOfFile(name string) string {
	dir, base := path.Split(name)
	key, _, _ := strings.Cut(base, ".")
	return dir + key
}

// finishRewrites completes what a killed process began. When the bucket is unavailable, what is left of that waits for
// it: see finishLater.
func (s *Set) finishRewrites(ctx context.Context) error {
	all, err := s.cfg.Ledger.Rewrites()
	if err != nil {
		return err
	}
	for i, r := range all {
		err := s.finishRewrite(ctx, r)
		if err != nil && ctx.Err() == nil && s.bucket != nil && errors.Is(err, bucket.ErrUnavailable) {
			s.log.Error("the bucket of the shards is unavailable; a shard is replaced once it returns",
				"shard", s.pattern.Shard(r.Number), "error", err)
			s.away, s.unreplaced = true, all[i:]
			return nil
		}
		if err != nil {
			return fault("rewrite", s.pattern.Shard(r.Number), s.pattern.Dir, err)
		}
	}
	return nil
}

// finishLater completes the rewrites that wait for the bucket, until it has, or Close. Until then the places of the
// samples in these shards are not known, so that nothing is read there.
func (s *Set) finishLater() {
	for _, r := range s.unreplaced {
		for {
			err := s.finishRewrite(s.uploads, r)
			if err != nil && s.uploads.Err() != nil {
				return
			}
			s.mu.Lock()
			if s.fault = err; err == nil {
				delete(s.replacing, r.Number)
			}
			s.wake()
			s.mu.Unlock()
			if err == nil {
				s.log.Info("shard replaced", "shard", s.pattern.Shard(r.Number))
				break
			}
			if !errors.Is(err, blob.ErrUnavailable) {
				s.log.Error("a shard cannot be replaced; trying again", "shard", s.pattern.Shard(r.Number), "error", err)
			}
			select {
			case <-s.closing:
				return
			case <-time.After(blob.Pause):
			}
		}
	}
}

// startReplacing begins finishLater.
func (s *Set) startReplacing() {
	if len(s.unreplaced) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.unreplaced {
		s.replacing[r.Number] = true
	}
	s.busy++
	s.publishers.Go(func() {
		s.finishLater()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.busy--
		s.wake()
	})
}

// checkPlace returns an error while the place of a sample is not known, since its shard is being replaced.
func (s *Set) checkPlace(p ledger.Place) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.replacing[p.Shard] {
		return nil
	}
	return &blob.Fault{Kind: blob.ErrUnavailable, Op: "look into", Name: s.pattern.Shard(p.Shard), Dir: s.pattern.Dir,
		Why: "it is being replaced, which waits for the bucket"}
}

// finishRewrite puts the new shard in the place of the old one, and notes it.
func (s *Set) finishRewrite(ctx context.Context, r ledger.Rewrite) error {
	name := s.pattern.Shard(r.Number)
	made := s.unfinished(name + newSuffix)
	at := made
	_, err := os.Stat(made)
	if err == nil && s.bucket != nil {
		err = s.replace(ctx, name, made, r.Version)
	}
	switch {
	case err == nil && s.bucket == nil:
		at = s.final(name)
		if err := os.Rename(made, at); err != nil {
			return err
		}
		if err := errors.Join(syncDir(s.pattern.Dir), syncDir(s.open)); err != nil {
			return err
		}
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, bucket.ErrChanged):
		return err
	default: // it has replaced the old one already, or is lost, or another farm has replaced or removed the old one
		s.forgetSize(name)
		size, err := s.publishedIn(ctx, s.bucket, name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && size != r.Length+trailerSize {
			return errors.Join(s.cfg.Ledger.AbandonRewrite(r.Number), removeIfThere(made))
		} else if err != nil {
			return err
		}
		at = s.final(name)
		if s.bucket != nil {
			at = s.unfinished(name + oldSuffix)
			if _, err := s.download(ctx, name, at); err != nil {
				return err
			}
			defer os.Remove(at)
		}
	}
	s.forgetSize(name)
	samples, err := samplesIn(at)
	if err == nil {
		err = s.cfg.Ledger.FinishRewrite(r.Number, samples)
	}
	if err == nil && s.bucket != nil {
		err = removeIfThere(made)
	}
	return err
}

// replace uploads a shard in place of that version of it. The error is a bucket.ErrChanged or fs.ErrNotExist if the
// bucket has another version by now, or none.
func (s *Set) replace(ctx context.Context, name, made, version string) error {
	return s.bucket.Replace(ctx, name, version, func() (io.ReadCloser, error) { return os.Open(made) })
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// samplesIn returns the samples that a shard has.
func samplesIn(path string) (samples []ledger.Sampled, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	err = eachSample(file, func(one storedSample) error {
		samples = append(samples, ledger.Sampled{Key: one.key, Offset: one.data})
		return nil
	})
	return samples, err
}

// Drop removes outputs from the ledger's samples. Their shards have them until Rewrite.
func (s *Set) Drop(names []string) error {
	keys := make([]string, 0, len(names))
	for _, name := range names {
		if _, err := s.place(name); err == nil {
			key, _ := Key(name)
			keys = append(keys, key)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return s.cfg.Ledger.DropSamples(keys)
}
