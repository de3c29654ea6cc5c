package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/bucket"
)

// Parse returns the source that an argument names: a directory, a file, s3://BUCKET/PREFIX, a URL, a file that lists
// URLs (.txt, .csv, .jsonl or .parquet), or "-" for a list of paths on stdin, which Parse reads to its end. The error
// names the argument and says what is wrong with it.
func Parse(text string, stdin io.Reader, cfg Config) (Source, error) {
	base, err := parse(text, stdin, cfg)
	if err != nil {
		return nil, err
	}
	return withShards(base, cfg), nil
}

// parse is Parse without a look into archives.
func parse(text string, stdin io.Reader, cfg Config) (Source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if text == "-" {
		return ReadList(stdin, cfg)
	}
	if bucket.Is(text) {
		b, err := openBucket(text, cfg)
		if err != nil {
			return nil, fmt.Errorf("input %w", err)
		}
		return b, nil
	}
	if IsURL(text) {
		u, err := newURLs(text, cfg)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", text, err)
		}
		return u, nil
	}
	info, err := os.Stat(text)
	if scheme, _, is := strings.Cut(text, "://"); err != nil && is {
		return nil, fmt.Errorf("input %q: there are no sources of the kind %s://, only directories, files, s3://, https:// "+
			"and - for a list", text, scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("input %q: %w", text, cause(err))
	}
	switch {
	case info.IsDir():
		return &Dir{path: text, cfg: cfg}, nil
	case info.Mode().IsRegular() && isURLList(text):
		return newURLs(text, cfg)
	case info.Mode().IsRegular():
		return &List{cfg: cfg, text: text, files: []listed{{name: filepath.Base(text), path: text, follow: true}}}, nil
	}
	return nil, fmt.Errorf("input %q is neither a file nor a directory", text)
}

// IsDir reports whether the directory dir is the input that text names, or the same directory by another path.
func IsDir(text, dir string) bool {
	if text == "-" {
		return false
	}
	input, err := os.Stat(text)
	if err != nil || !input.IsDir() {
		return false
	}
	info, err := os.Stat(dir)
	return err == nil && os.SameFile(input, info)
}

// IsFile reports whether text names a regular file.
func IsFile(text string) bool {
	info, err := os.Stat(text)
	return text != "-" && err == nil && info.Mode().IsRegular()
}

// IsBucket reports whether text names a place in a bucket.
func IsBucket(text string) bool { return bucket.Is(text) }

// IsBucketAround reports whether out is in the bucket and below the prefix that the input text names.
func IsBucketAround(text, out string) bool {
	in, inErr := bucket.Parse(text)
	to, outErr := bucket.Parse(out)
	return inErr == nil && outErr == nil && in.Contains(to)
}

// cause drops the path from an error of package os, for messages that name it already.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
