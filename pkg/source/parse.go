package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Parse returns the source that an argument names: a directory, a file, or "-" for a list of paths on stdin, which Parse
// reads to its end. The error names the argument and says what is wrong with it.
func Parse(text string, stdin io.Reader, cfg Config) (Source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if text == "-" {
		return ReadList(stdin, cfg)
	}
	info, err := os.Stat(text)
	if scheme, _, is := strings.Cut(text, "://"); err != nil && is {
		return nil, fmt.Errorf("input %q: there are no sources of the kind %s://, only directories, files and - for a list", text, scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("input %q: %w", text, cause(err))
	}
	switch {
	case info.IsDir():
		return &Dir{path: text, cfg: cfg}, nil
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

// cause drops the path from an error of package os, for messages that name it already.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
