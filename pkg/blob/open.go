package blob

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/bucket"
)

// A Store is a place of outputs that a flag can name.
type Store interface {
	Writer
	Reader

	// PutFrom is Put of what open returns, a piece at a time, however large it is. It closes what open returns, and
	// may call open twice. An error of open, and of reading, is returned as it is.
	PutFrom(ctx context.Context, name string, open func() (io.ReadCloser, error)) error

	// Remove removes an output. Removing one that is not there is no error.
	Remove(name string) error

	// Path returns where the store is: an absolute directory, or s3://bucket/prefix.
	Path() string

	// Close closes the store. It does not flush.
	Close() error
}

// Open returns the store that the text of a flag names: a directory, or a bucket if it begins with s3://. A store of
// another kind is a case here.
func Open(text string, cfg Config) (Store, error) {
	if bucket.Is(text) {
		return OpenBucket(text, cfg)
	}
	if strings.HasPrefix(text, "tar:") {
		return nil, fmt.Errorf("cannot open the store %q: only the outputs of a sink go into shards", text)
	}
	if scheme, _, is := strings.Cut(text, "://"); is {
		return nil, fmt.Errorf("cannot open the store %q: there are no stores of the kind %s://, only directories and s3://",
			text, scheme)
	}
	return OpenDir(text, cfg)
}
