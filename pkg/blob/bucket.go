package blob

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/format"
)

// Bucket keeps outputs as objects in a bucket. An object appears whole or not at all, and is durable when Put
// returns, so that Flush has nothing to do. Its methods may be called concurrently.
type Bucket struct {
	client *bucket.Client
	cfg    Config
}

var _ Store = (*Bucket)(nil)

// maxKey is the length of the longest key that S3 takes, bytes.
const maxKey = 1024

// defaultStatTimeout is the default of Config.StatTimeout.
const defaultStatTimeout = time.Minute

// errSilent says that a store gave no answer in the time that Config.StatTimeout allows.
var errSilent = fmt.Errorf("no answer in time: %w", bucket.ErrUnavailable)

// OpenBucket opens the bucket that a text such as s3://bucket/prefix names. It sends nothing. The caller closes it.
func OpenBucket(text string, cfg Config) (*Bucket, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.StatTimeout = cmp.Or(cfg.StatTimeout, defaultStatTimeout)
	client, err := bucket.Dial(text, cfg.Bucket)
	if err != nil {
		return nil, err
	}
	return &Bucket{client: client, cfg: cfg}, nil
}

// Path returns the bucket and the prefix, such as s3://bucket/prefix.
func (b *Bucket) Path() string { return b.client.Location().String() }

// Close closes idle connections.
func (b *Bucket) Close() error {
	b.client.Close()
	return nil
}

// Put implements Writer. The content type follows from the output's extension.
func (b *Bucket) Put(ctx context.Context, name string, data []byte) error {
	key, err := b.key(name)
	if err == nil {
		err = b.fault("write", name, b.client.Put(ctx, key, data, b.options(name)))
	}
	return err
}

// PutFrom implements Store.
func (b *Bucket) PutFrom(ctx context.Context, name string, open func() (io.ReadCloser, error)) error {
	return b.putFrom(ctx, name, open, b.options(name))
}

// PutNew is PutFrom of a file. The error is a bucket.ErrChanged if the bucket has something of that name already, as
// far as its store knows such conditions.
func (b *Bucket) PutNew(ctx context.Context, name string, open func() (io.ReadCloser, error)) error {
	o := b.options(name)
	o.New = true
	return b.putFrom(ctx, name, open, o)
}

// Replace is PutFrom of a file that takes the place of what OpenVersion returned this version of. The error is a
// bucket.ErrChanged if something else is there, and fs.ErrNotExist if nothing is, as far as the store of the bucket
// knows such conditions. Without a version anything is replaced.
func (b *Bucket) Replace(ctx context.Context, name, version string, open func() (io.ReadCloser, error)) error {
	o := b.options(name)
	o.Replaces = version
	return b.putFrom(ctx, name, open, o)
}

func (b *Bucket) putFrom(
	ctx context.Context, name string, open func() (io.ReadCloser, error), o bucket.PutOptions,
) error {
	key, err := b.key(name)
	if err != nil {
		return err
	}
	data, err := open()
	if err != nil {
		return err
	}
	defer data.Close()
	size := int64(-1)
	if file, is := data.(*os.File); is {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		size = info.Size()
	}
	return b.fault("write", name, b.client.PutFrom(ctx, key, data, size, o))
}

func (b *Bucket) options(name string) bucket.PutOptions {
	return bucket.PutOptions{
		ContentType: contentType(name), CacheControl: b.cfg.CacheControl, StorageClass: b.cfg.StorageClass,
	}
}

// contentType returns the media type of an output: of an image by its extension, else of plain bytes.
func contentType(name string) string {
	if f := format.OfFile(name); f.Name != "" {
		return "image/" + f.Name
	}
	return "application/octet-stream"
}

// Flush implements Writer.
func (b *Bucket) Flush(ctx context.Context) error { return ctx.Err() }

// Stat implements Reader, by a HEAD request.
func (b *Bucket) Stat(name string) (int64, error) { return b.StatContext(context.Background(), name) }

// StatContext is Stat that ends when ctx does, with its cause.
func (b *Bucket) StatContext(ctx context.Context, name string) (int64, error) {
	key, err := b.key(name)
	if err != nil {
		return 0, err
	}
	ctx, cancel := b.limit(ctx)
	defer cancel()
	o, err := b.client.Stat(ctx, key)
	return o.Size, b.fault("look up", name, err)
}

// Open implements Reader.
func (b *Bucket) Open(name string) (io.ReadSeekCloser, error) {
	data, _, err := b.OpenVersion(name)
	return data, err
}

// OpenVersion is Open that also returns which version of the object it opened: its ETag.
func (b *Bucket) OpenVersion(name string) (data io.ReadSeekCloser, version string, err error) {
	key, err := b.key(name)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := b.limit(context.Background())
	defer cancel()
	o, err := b.client.Stat(ctx, key)
	if err != nil {
		return nil, "", b.fault("open", name, err)
	}
	return &seeker{client: b.client, object: o}, o.ETag, nil
}

// Remove removes the output name. Removing an output that is not there is no error.
func (b *Bucket) Remove(name string) error {
	key, err := b.key(name)
	if err != nil {
		return err
	}
	ctx, cancel := b.limit(context.Background())
	defer cancel()
	return b.fault("remove", name, b.client.Remove(ctx, key))
}

// limit returns a context for a short request. Once it has ended by itself, the store counts as unavailable.
func (b *Bucket) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, b.cfg.StatTimeout, errSilent)
}

// key returns the key of an output.
func (b *Bucket) key(name string) (string, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	key := b.client.Location().Key(name)
	if len(key) > maxKey {
		return "", &Fault{Kind: ErrName, Op: "use the name", Name: name, Dir: b.Path(),
			Why: fmt.Sprintf("its key has %d bytes, more than %d", len(key), maxKey), Err: bucket.ErrName}
	}
	return key, nil
}

// fault turns an error of the bucket into one of a store. Denied access concerns the whole store until an operator
// mends it.
func (b *Bucket) fault(op, name string, err error) error {
	f := &Fault{Kind: ErrUnavailable, Op: op, Name: name, Dir: b.Path(), Err: err}
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, bucket.ErrNotFound):
		return fmt.Errorf("no output %s in %s: %w", quoted(name), b.Path(), fs.ErrNotExist)
	case errors.Is(err, bucket.ErrName):
		f.Kind, f.Why = ErrName, "the store does not take it"
	case !errors.Is(err, bucket.ErrUnavailable) && !errors.Is(err, bucket.ErrDenied) &&
		!errors.Is(err, bucket.ErrNoBucket) &&
		!errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return f
}

// seeker reads an object from any offset. It is not for concurrent use.
type seeker struct {
	client *bucket.Client
	object bucket.Object
	at     int64
	body   io.ReadCloser // from at on; nil: none is open
}

// Read implements io.Reader.
func (s *seeker) Read(p []byte) (int, error) {
	if s.at >= s.object.Size {
		return 0, io.EOF
	}
	if s.body == nil {
		body, err := s.client.Get(context.Background(), s.object.Key, s.object.ETag, s.at, s.object.Size-s.at)
		if err != nil {
			return 0, err
		}
		s.body = body
	}
	n, err := s.body.Read(p)
	s.at += int64(n)
	return n, err
}

// Seek implements io.Seeker.
func (s *seeker) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += s.at
	case io.SeekEnd:
		offset += s.object.Size
	}
	if offset < 0 {
		return s.at, fmt.Errorf("seek in %s: %w", strings.ToValidUTF8(s.object.Key, "\uFFFD"), fs.ErrInvalid)
	}
	if offset != s.at {
		_ = s.Close() // the next read opens another request
	}
	s.at = offset
	return offset, nil
}

// Close implements io.Closer.
func (s *seeker) Close() error {
	body := s.body
	s.body = nil
	if body == nil {
		return nil
	}
	return body.Close()
}
