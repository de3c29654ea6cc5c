package bucket

import (
	"context"
	"errors"
	"io"

	"github.com/minio/minio-go/v7"
)

// reader reads a part of an object, and opens a new request behind what it has read when the connection breaks. Its
// methods are not for concurrent use.
type reader struct {
	ctx       context.Context
	client    *Client
	key, etag string
	offset    int64 // of the next byte
	left      int64 // bytes still to read
	breaks    int   // broken connections since the last byte
	body      io.ReadCloser
}

// maxBreaks bounds how often a reader reconnects without having read anything.
const maxBreaks = 10

var errBroken = errors.New("the connection breaks again and again")

// connect requests what is left.
func (r *reader) connect() error {
	var o minio.GetObjectOptions
	if r.etag != "" {
		if err := o.SetMatchETag(r.etag); err != nil {
			return err
		}
	}
	if err := o.SetRange(r.offset, r.offset+r.left-1); err != nil {
		return err
	}
	body, info, _, err := r.client.core.GetObject(r.ctx, r.client.at.Bucket, r.key, o)
	if err != nil {
		return r.client.explain(r.ctx, "read", r.key, err)
	}
	switch found := objectOf(&info).ETag; {
	case r.etag == "":
		r.etag = found // later requests must find the same object
	case found != r.etag: // a store that ignores If-Match
		body.Close()
		return &fault{kind: ErrChanged, what: "read " + r.key, err: ErrChanged}
	}
	r.body = body
	return nil
}

// Read implements io.Reader.
func (r *reader) Read(b []byte) (int, error) {
	for {
		if r.left == 0 {
			return 0, io.EOF
		}
		if r.body == nil {
			if err := r.connect(); err != nil {
				return 0, err
			}
		}
		n, err := r.body.Read(b[:min(int64(len(b)), r.left)])
		r.offset, r.left = r.offset+int64(n), r.left-int64(n)
		if err != nil { // also an early end
			r.body.Close()
			r.body = nil
		}
		if n > 0 {
			r.breaks = 0
			return n, nil
		}
		if err == nil {
			continue
		}
		if r.breaks++; r.ctx.Err() != nil || r.breaks > maxBreaks {
			return 0, r.client.explain(r.ctx, "read", r.key, errors.Join(errBroken, err))
		}
		if r.client.cfg.Observe != nil {
			r.client.cfg.Observe("GET", Faulty)
		}
	}
}

// Close implements io.Closer.
func (r *reader) Close() error {
	if r.body == nil {
		return nil
	}
	return r.body.Close()
}
