package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// List is files that the caller named one by one.
type List struct {
	cfg   Config
	text  string // what it was made from
	files []listed
	dirs  Roots // of references
}

// listed is a file of a List.
type listed struct {
	name   string
	path   string
	follow bool // the path may be a link to another directory
}

// maxPath bounds a line of a list, bytes.
const maxPath = 8192

// ReadList reads a list of paths, one a line, to its end. Empty lines and repeated paths are left out. A file is
// named by its path, without what leads upwards or to the root.
func ReadList(r io.Reader, cfg Config) (*List, error) {
	if r == nil {
		return nil, errors.New("no standard input to read a list from")
	}
	l := &List{cfg: cfg, text: "-"}
	seen := make(map[string]bool)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxPath)
	for lines.Scan() {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if clean := filepath.Clean(line); line != "" && !seen[clean] {
			seen[clean] = true
			l.files = append(l.files, listed{name: listedName(line), path: line, follow: cfg.FollowLinks})
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("the list on standard input: %w", err)
	}
	return l, nil
}

// listedName makes a relative name of a path, keeping as many of its directories as it can.
func listedName(p string) string {
	name := strings.TrimPrefix(filepath.ToSlash(filepath.Clean(p)), filepath.ToSlash(filepath.VolumeName(p)))
	name = strings.TrimLeft(name, "/")
	for strings.HasPrefix(name, "../") {
		name = name[len("../"):]
	}
	return name
}

// String implements Source.
func (l *List) String() string { return l.text }

// Walk implements Source. It visits the files in the order in which they were named.
func (l *List) Walk(ctx context.Context, visit func(Entry) error, omit func(Omission)) error {
	for _, f := range l.files {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		e, omitted := l.look(ctx, f)
		if omitted.Kind != "" {
			omit(omitted)
			continue
		}
		if err := visit(e); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// look returns the entry of f, or why it is left out. A named file that is no file is unreadable: the caller expects
// it.
func (l *List) look(ctx context.Context, f listed) (Entry, Omission) {
	out := Omission{Location: f.path}
	if !l.cfg.admits(f.name) {
		out.Kind = Excluded
		return Entry{}, out
	}
	root, err := waitForFiles(ctx, func() (*os.Root, error) { return os.OpenRoot(filepath.Dir(f.path)) })
	if err == nil {
		defer root.Close()
		info, statErr := statBelow(root, filepath.Base(f.path), f.follow)
		switch {
		case statErr != nil:
			err = statErr
		case info.IsDir():
			err = errors.New("it is a directory, in a list of files")
		case !info.Mode().IsRegular():
			err = errors.New("it is neither a file nor a directory")
		default:
			e := entry(f.name, f.path, info)
			e.Named = true
			return e, Omission{}
		}
	}
	out.Kind, out.Err = Unreadable, cause(err)
	if leadsOut(err) {
		out.Err = errors.New("it is a link to another directory; --follow-links takes such links")
	}
	return Entry{}, out
}

// Open implements Source.
func (l *List) Open(ctx context.Context, e Entry) (*File, error) {
	follow := l.text != "-" || l.cfg.FollowLinks // a file that is itself an argument may be a link
	return waitForFiles(ctx, func() (*File, error) {
		return openBelow(filepath.Dir(e.Location), filepath.Base(e.Location), e, follow)
	})
}
