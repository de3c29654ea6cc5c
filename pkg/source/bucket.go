package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// Bucket is the objects below a prefix, or one object. Entries are named from the prefix. Their Version is made of
// ETag and size, so that a walk reads no object.
//
// While the object store is unavailable, Walk, Open and reading wait for it.
type Bucket struct {
	client *bucket.Client
	cfg    Config
}

func openBucket(text string, cfg Config) (*Bucket, error) {
	client, err := bucket.Dial(text, cfg.Bucket)
	if err != nil {
		return nil, err
	}
	return &Bucket{client: client, cfg: cfg}, nil
}

// String implements Source.
func (b *Bucket) String() string { return b.client.Location().String() }

// Walk implements Source. The order is that of the keys. Objects whose keys end with a slash stand for directories.
func (b *Bucket) Walk(ctx context.Context, visit func(Entry) error, omit func(Omission)) error {
	at := b.client.Location()
	if at.Prefix != "" {
		var one bucket.Object
		err := b.client.Insist(ctx, func() (err error) {
			one, err = b.client.Stat(ctx, at.Prefix)
			return err
		})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil && one.Size > 0 { // the argument names one object
			e := b.entry(&one, path.Base(at.Prefix))
			e.Named = true
			if err := visit(e); err != nil {
				return err
			}
		}
	}
	prefix := at.Key("")
	var visitErr error
	err := b.client.List(ctx, func(o bucket.Object) error {
		name := strings.TrimPrefix(o.Key, prefix)
		if name == "" || strings.HasSuffix(name, "/") {
			return nil
		}
		e := b.entry(&o, name)
		if kind := b.cfg.leavesOut(name); kind != "" {
			omit(Omission{Location: e.Location, Kind: kind})
			return nil
		}
		visitErr = visit(e)
		return visitErr
	})
	if err == nil || visitErr != nil || ctx.Err() != nil {
		return err
	}
	omit(Omission{Location: b.String(), Kind: Unreadable, Err: err})
	return nil
}

func (b *Bucket) entry(o *bucket.Object, name string) Entry {
	return Entry{
		Name: name, Location: bucket.Scheme + b.client.Location().Bucket + "/" + o.Key, Size: o.Size, Modified: o.Modified,
		Identity: o.ETag, Version: o.ETag + ":" + strconv.FormatInt(o.Size, 10),
	}
}

// Open implements Source.
func (b *Bucket) Open(ctx context.Context, e Entry) (*File, error) {
	if file := e.held.open(); file != nil {
		return file, nil
	}
	return b.openPart(ctx, e, 0, e.Size)
}

// openPart opens n bytes of an entry from an offset.
func (b *Bucket) openPart(ctx context.Context, e Entry, offset, n int64) (*File, error) {
	key := strings.TrimPrefix(e.Location, bucket.Scheme+b.client.Location().Bucket+"/")
	r := &insistent{ctx: ctx, client: b.client, open: func(read int64) (io.ReadCloser, error) {
		return b.client.Get(ctx, key, e.Identity, offset+read, n-read)
	}}
	err := r.insist(func() error { return r.reopen() })
	switch {
	case errors.Is(err, bucket.ErrChanged), errors.Is(err, bucket.ErrNotFound):
		err = fmt.Errorf("open %s: %w", e.Location, ErrChanged)
	case errors.Is(err, bucket.ErrDenied):
		err = outcome.Reject(outcome.Forbidden, "%v", err)
	}
	if err != nil {
		return nil, err
	}
	return &File{Reader: r, Closer: r, Size: n}, nil
}

// head implements header: it requests no more of an object than its first bytes.
func (b *Bucket) head(ctx context.Context, e Entry, n int) (*File, error) {
	return b.openPart(ctx, e, 0, min(e.Size, int64(n)))
}

// insistent reads an object, and waits while the store is unavailable. It is not for concurrent use.
type insistent struct {
	ctx    context.Context
	client *bucket.Client
	open   func(read int64) (io.ReadCloser, error)
	body   io.ReadCloser // nil: broken
	read   int64         // bytes
}

func (r *insistent) insist(do func() error) error { return r.client.Insist(r.ctx, do) }

func (r *insistent) reopen() (err error) {
	r.body, err = r.open(r.read)
	return err
}

// Read implements io.Reader.
func (r *insistent) Read(p []byte) (n int, err error) {
	err = r.insist(func() error {
		if r.body == nil {
			if err := r.reopen(); err != nil {
				r.body = nil
				return err
			}
		}
		n, err = r.body.Read(p)
		if errors.Is(err, bucket.ErrUnavailable) {
			r.body.Close()
			r.body = nil
		}
		return err
	})
	r.read += int64(n)
	return n, err
}

// Close implements io.Closer.
func (r *insistent) Close() error {
	if r.body == nil {
		return nil
	}
	return r.body.Close()
}
