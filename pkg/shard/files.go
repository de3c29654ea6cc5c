package shard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/diskfault"
)

// Reader reads samples out of shards, published or not. Its methods may be called concurrently.
type Reader struct {
	pattern Pattern
	open    string       // the directory of shards that are not published; empty: unknown
	bucket  *blob.Bucket // nil: the shards are in a directory
	looks   *blob.Bucket // the same, for the sizes of shards

	mu    sync.Mutex
	sizes map[string]sized // of published shards in a bucket, by name
}

type sized struct {
	size  int64
	until time.Time
}

// sizeKept is how long the size of a shard in a bucket is remembered: one request serves many samples.
const sizeKept = 10 * time.Second

// maxSizes bounds how many sizes are remembered.
const maxSizes = 10_000

// OpenDir returns where the shards of a pattern are kept until they are published. Those of a directory are in the
// farm's own directory there, so that they can be linked into place. Those of a bucket are beside the ledger.
func OpenDir(p Pattern, ledgerPath string) string {
	switch {
	case !p.Remote():
		return filepath.Join(p.Dir, blob.OwnDir, "shards")
	case ledgerPath == "":
		return ""
	}
	return ledgerPath + ".shards"
}

// NewReader returns a reader of the shards of a pattern. openDir is what OpenDir returns. The caller closes it.
func NewReader(p Pattern, openDir string, cfg blob.Config) (*Reader, error) {
	r := &Reader{pattern: p, open: openDir, sizes: make(map[string]sized)}
	if p.Remote() {
		b, err := blob.OpenBucket(p.Dir, cfg)
		if err != nil {
			return nil, err
		}
		r.bucket, r.looks = b, b
	}
	return r, nil
}

// How a Set looks at a bucket. Whoever waits for a Set repeats the look, and is to know soon why it waits.
const (
	fewTries = 3
	lookTime = 15 * time.Second
)

// giveUpSoon makes looks at an unavailable bucket end soon. cfg is that of NewReader.
func (r *Reader) giveUpSoon(cfg blob.Config) (err error) {
	if r.bucket == nil {
		return nil
	}
	cfg.Bucket.Tries = cmp.Or(cfg.Bucket.Tries, fewTries)
	cfg.StatTimeout = cmp.Or(cfg.StatTimeout, lookTime)
	r.looks, err = blob.OpenBucket(r.pattern.Dir, cfg)
	return err
}

// Path returns the text of the flag that names the shards.
func (r *Reader) Path() string { return r.pattern.String() }

// Close closes idle connections.
func (r *Reader) Close() error {
	if r.bucket == nil {
		return nil
	}
	err := r.bucket.Close()
	if r.looks != nil && r.looks != r.bucket {
		err = errors.Join(err, r.looks.Close())
	}
	return err
}

func (r *Reader) final(name string) string      { return filepath.Join(r.pattern.Dir, name) }
func (r *Reader) unfinished(name string) string { return filepath.Join(r.open, name) }

// StatAt returns an error unless the shard of that name reaches to end, in bytes. The error is fs.ErrNotExist when
// there is no such shard, or it is too short.
func (r *Reader) StatAt(name string, end int64) error {
	size, here := r.unpublished(name)
	if here == nil && size >= end { // a bucket that is unavailable costs such samples no time
		return nil
	}
	there, err := r.published(context.Background(), name)
	switch {
	case err == nil:
		size = there
	case errors.Is(err, fs.ErrNotExist):
		err = here
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no shard %s in %s: %w", name, r.pattern.Dir, fs.ErrNotExist)
	case err == nil && size < end:
		return fmt.Errorf("the shard %s in %s has %d bytes, less than %d: %w", name, r.pattern.Dir, size, end,
			fs.ErrNotExist)
	}
	return fault("look up", name, r.pattern.Dir, err)
}

// unpublished returns the size of a shard that is kept here until it is published. It keeps that place until it has its
// final name.
func (r *Reader) unpublished(name string) (int64, error) {
	if r.open == "" {
		return 0, fs.ErrNotExist
	}
	info, err := os.Stat(r.unfinished(name))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// published returns the size of a published shard.
func (r *Reader) published(ctx context.Context, name string) (int64, error) {
	return r.publishedIn(ctx, r.looks, name)
}

// publishedIn is published by way of one of the clients of a bucket.
func (r *Reader) publishedIn(ctx context.Context, b *blob.Bucket, name string) (int64, error) {
	if r.bucket == nil {
		if _, err := os.Stat(r.pattern.Dir); err != nil {
			return 0, &blob.Fault{Kind: blob.ErrUnavailable, Op: "use", Dir: r.pattern.Dir, Why: "the directory is gone"}
		}
		info, err := os.Stat(r.final(name))
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	r.mu.Lock()
	known, is := r.sizes[name]
	r.mu.Unlock()
	if is && time.Now().Before(known.until) {
		return known.size, nil
	}
	size, err := b.StatContext(ctx, name)
	if err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.sizes) >= maxSizes {
		clear(r.sizes)
	}
	r.sizes[name] = sized{size, time.Now().Add(sizeKept)}
	return size, nil
}

// forgetSize makes the next look at a shard ask for its size.
func (r *Reader) forgetSize(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sizes, name)
}

// OpenAt returns size bytes of a shard from an offset. The caller closes what it returns.
func (r *Reader) OpenAt(name string, offset, size int64) (io.ReadSeekCloser, error) {
	if here, err := r.unpublished(name); err == nil && here >= offset+size {
		if file, err := os.Open(r.unfinished(name)); err == nil { // else it was just published
			return &section{io.NewSectionReader(file, offset, size), file}, nil
		}
	}
	if err := r.StatAt(name, offset+size); err != nil {
		return nil, err
	}
	whole, err := r.openPublished(name)
	if err != nil {
		return nil, fault("open", name, r.pattern.Dir, err)
	}
	return &part{whole: whole, from: offset, size: size}, nil
}

// openPublished opens a published shard.
func (r *Reader) openPublished(name string) (io.ReadSeekCloser, error) {
	if r.bucket != nil {
		return r.bucket.Open(name)
	}
	return os.Open(r.final(name))
}

// section is a part of a file.
type section struct {
	*io.SectionReader
	file *os.File
}

// Close implements io.Closer.
func (s *section) Close() error { return s.file.Close() }

// part is a part of what can only be read from one place at a time.
type part struct {
	whole      io.ReadSeekCloser
	from, size int64
	at         int64 // in the part
}

// Read implements io.Reader.
func (p *part) Read(b []byte) (int, error) {
	if p.at >= p.size {
		return 0, io.EOF
	}
	if _, err := p.whole.Seek(p.from+p.at, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := p.whole.Read(b[:min(int64(len(b)), p.size-p.at)])
	p.at += int64(n)
	return n, err
}

// Seek implements io.Seeker.
func (p *part) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += p.at
	case io.SeekEnd:
		offset += p.size
	}
	if offset < 0 {
		return p.at, fs.ErrInvalid
	}
	p.at = offset
	return offset, nil
}

// Close implements io.Closer.
func (p *part) Close() error { return p.whole.Close() }

// fault explains err, the outcome of op on a shard: unless it is explained already, or something is missing or in the
// way, the store is unavailable.
func fault(op, name, dir string, err error) error {
	var known *blob.Fault
	if err == nil || errors.As(err, &known) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errTaken) {
		return err
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	why := diskfault.Of(err).Sentence()
	return &blob.Fault{Kind: blob.ErrUnavailable, Op: op, Name: name, Dir: dir, Why: why, Err: err}
}
