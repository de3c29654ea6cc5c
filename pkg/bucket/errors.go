package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// The kinds of errors; errors.Is tells them apart.
var (
	// ErrNotFound says that the bucket holds no object of that key.
	ErrNotFound = errors.New("no such object")

	// ErrChanged says that the object has been replaced since its ETag was learnt.
	ErrChanged = errors.New("the object was replaced")

	// ErrDenied says that these credentials may not do that.
	ErrDenied = errors.New("access denied")

	// ErrName says that the store takes no object of that key.
	ErrName = errors.New("unusable key")

	// ErrNoBucket says that the endpoint has no bucket of that name.
	ErrNoBucket = errors.New("no such bucket")

	// ErrUnavailable says that the store does not do now what it may do later. Retries were of no use.
	ErrUnavailable = errors.New("object store unavailable")
)

// fault is an error of a request.
type fault struct {
	kind error
	what string
	err  error
}

// Error implements error.
func (f *fault) Error() string { return fmt.Sprintf("cannot %s: %v", f.what, f.err) }

// Unwrap makes both the kind and the cause visible to errors.Is and errors.As.
func (f *fault) Unwrap() []error { return []error{f.kind, f.err} }

// explain returns the error of a request, or ctx's cause if it has ended; nil for nil.
func (c *Client) explain(ctx context.Context, op, key string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	f := &fault{kind: ErrUnavailable, what: op + " " + Scheme + c.at.Bucket + "/" + key, err: err}
	if why := s3utils.CheckValidBucketName(c.at.Bucket); why != nil { // nothing was asked, and waiting changes nothing
		f.kind, f.err = ErrNoBucket, fmt.Errorf("there is no bucket %q: %w", c.at.Bucket, why)
		return f
	}
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) {
		return f
	}
	switch {
	case answer.Code == minio.NoSuchBucket:
		f.kind = ErrNoBucket
		f.err = fmt.Errorf("there is no bucket %q at this endpoint: correct the name, AWS_ENDPOINT_URL or AWS_REGION",
			c.at.Bucket)
	case answer.Code == "NoSuchUpload": // it has ended already, and the answer was lost
	case answer.Code == minio.NoSuchKey || answer.StatusCode == http.StatusNotFound:
		f.kind = ErrNotFound
	case answer.StatusCode == http.StatusPreconditionFailed:
		f.kind = ErrChanged
	case answer.Code == "KeyTooLongError" || answer.Code == minio.XMinioInvalidObjectName:
		f.kind = ErrName
	case answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusUnauthorized:
		f.kind = ErrDenied
		f.err = fmt.Errorf("the store answers %s: check the credentials and what they may do", answer.Code)
	}
	return f
}
