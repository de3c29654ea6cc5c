package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/blob"
)

// Dir is the files below a directory, at any depth. Entries are named from the directory.
type Dir struct {
	path string
	cfg  Config
	dirs Roots // of references
}

// OpenDir returns the files below the directory at path.
func OpenDir(path string, cfg Config) (*Dir, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("directory %q: %w", path, cause(err))
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%q is not a directory", path)
	}
	return &Dir{path: path, cfg: cfg}, nil
}

// OpenName opens the file of that name without a walk, as Open does. The caller closes what it returns.
func (d *Dir) OpenName(ctx context.Context, name string) (*File, error) {
	e, err := waitForFiles(ctx, func() (Entry, error) {
		root, err := os.OpenRoot(d.path)
		if err != nil {
			return Entry{}, err
		}
		defer root.Close()
		info, err := statBelow(root, name, d.cfg.FollowLinks)
		if err != nil {
			return Entry{}, err
		}
		return entry(name, filepath.Join(d.path, filepath.FromSlash(name)), info), nil
	})
	if err != nil {
		return nil, fmt.Errorf("open %s in %s: %w", name, d.path, cause(err))
	}
	return d.Open(ctx, e)
}

// String implements Source.
func (d *Dir) String() string { return d.path }

// Open implements Source.
func (d *Dir) Open(ctx context.Context, e Entry) (*File, error) {
	return waitForFiles(ctx, func() (*File, error) { return openBelow(d.path, e.Name, e, d.cfg.FollowLinks) })
}

// Walk implements Source. It goes through each directory in the order of names and follows no links to directories.
// However deep the tree is, it keeps at most three files open.
func (d *Dir) Walk(ctx context.Context, visit func(Entry) error, omit func(Omission)) error {
	return d.walkBelow(ctx, ".", func(string) {}, visit, omit)
}

// walkBelow is Walk of a directory below d; "." is d itself. It calls enter with each directory before it reads it.
func (d *Dir) walkBelow(
	ctx context.Context, dir string, enter func(name string), visit func(Entry) error, omit func(Omission),
) error {
	root, err := waitForFiles(ctx, func() (*os.Root, error) { return os.OpenRoot(d.path) })
	if err != nil {
		omit(Omission{Location: d.path, Kind: Unreadable, Err: cause(err)})
		return context.Cause(ctx)
	}
	defer root.Close()
	w := &dirWalk{Dir: d, ctx: ctx, entered: enter, visit: visit, omit: omit, root: root}
	defer w.leave()
	switch {
	case dir == ".":
		return w.walk(".")
	case w.cfg.hides(dir):
		omit(Omission{Location: w.location(dir), Kind: Hidden})
		return nil
	}
	return w.descend(dir)
}

// lookAt visits the one file of that name if Walk would, provided that Walk enters its directory.
func (d *Dir) lookAt(ctx context.Context, name string, visit func(Entry) error, omit func(Omission)) error {
	if d.cfg.hides(name) {
		omit(Omission{Location: filepath.Join(d.path, filepath.FromSlash(name)), Kind: Hidden})
		return nil
	}
	root, err := waitForFiles(ctx, func() (*os.Root, error) { return os.OpenRoot(d.path) })
	if err != nil {
		omit(Omission{Location: d.path, Kind: Unreadable, Err: cause(err)})
		return context.Cause(ctx)
	}
	defer root.Close()
	w := &dirWalk{Dir: d, ctx: ctx, visit: visit, omit: omit, root: root}
	defer w.leave()
	for i, r := range name {
		if r == '/' && w.leavesOutDir(name[:i]) != "" { // what it is now: a farm may have begun to write there
			return nil
		}
	}
	info, err := root.Lstat(filepath.FromSlash(name))
	if err != nil {
		omit(Omission{Location: w.location(name), Kind: Unreadable, Err: cause(err)})
		return context.Cause(ctx)
	}
	return w.file(path.Dir(name), name, fs.FileInfoToDirEntry(info))
}

// dirWalk is one walk of a Dir.
type dirWalk struct {
	*Dir
	ctx     context.Context
	entered func(name string) // called with each directory
	visit   func(Entry) error
	omit    func(Omission)
	root    *os.Root

	here   *os.Root // the directory that was looked at last; nil: none
	hereAt string   // its name
}

func (w *dirWalk) location(name string) string {
	return filepath.Join(w.path, filepath.FromSlash(name))
}

// walk goes through the directory dir, "." for the root.
func (w *dirWalk) walk(dir string) error {
	w.entered(dir)
	entries, err := w.read(dir)
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	if err != nil {
		w.omit(Omission{Location: w.location(dir), Kind: Unreadable, Err: cause(err)}) // what could be read of it is taken
	}
	for _, d := range entries {
		name := path.Join(dir, d.Name())
		switch {
		case w.cfg.hides(name):
			w.omit(Omission{Location: w.location(name), Kind: Hidden})
		case d.IsDir():
			err = w.descend(name)
		default:
			err = w.file(dir, name, d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// descend walks the directory name unless it is to be left out. A directory that a farm writes to is: thumbnails of
// thumbnails would be made in the next run. The input itself may be such a directory, since the caller named it.
func (w *dirWalk) descend(name string) error {
	if kind := w.leavesOutDir(name); kind != "" {
		w.omit(Omission{Location: w.location(name), Kind: kind})
		return nil
	}
	return w.walk(name)
}

// leavesOutDir returns why a directory is left out; empty if it is not.
func (w *dirWalk) leavesOutDir(name string) Kind {
	if matches(w.cfg.Exclude, name) {
		return Excluded
	}
	if _, err := w.root.Lstat(filepath.Join(filepath.FromSlash(name), blob.OwnDir)); err == nil {
		return OutputDir
	}
	return ""
}

// file visits the file name in dir if it is a regular one that the globs admit.
func (w *dirWalk) file(dir, name string, d fs.DirEntry) error {
	if err := context.Cause(w.ctx); err != nil {
		return err
	}
	if !w.cfg.admits(name) {
		w.omit(Omission{Location: w.location(name), Kind: Excluded})
		return nil
	}
	info, err := w.stat(dir, name, d)
	kind := Kind("")
	switch {
	case leadsOut(err):
		kind, err = LinkOut, nil
		if info, err := os.Stat(w.location(name)); err == nil && info.IsDir() {
			kind = LinkedDir
		}
	case err != nil:
		kind = Unreadable
	case info.IsDir():
		kind = LinkedDir
	case !info.Mode().IsRegular():
		kind = Special
	}
	if kind != "" {
		o := Omission{Location: w.location(name), Kind: kind, Err: cause(err)}
		if d.Type()&fs.ModeSymlink != 0 && errors.Is(err, fs.ErrNotExist) {
			o.Name, o.Err = name, errors.New("it is a link that leads nowhere")
		}
		w.omit(o)
		return nil
	}
	return w.visit(entry(name, w.location(name), info))
}

// stat returns what the entry d of dir is or, being a link, leads to.
func (w *dirWalk) stat(dir, name string, d fs.DirEntry) (fs.FileInfo, error) {
	if d.Type()&fs.ModeSymlink != 0 {
		return statBelow(w.root, name, w.cfg.FollowLinks)
	}
	here, err := w.enter(dir)
	if err != nil {
		return nil, err
	}
	return here.Lstat(d.Name())
}

// enter returns the directory dir. Only one is kept open, so that a deep tree needs no more files than a flat one.
func (w *dirWalk) enter(dir string) (*os.Root, error) {
	if w.here != nil && w.hereAt == dir {
		return w.here, nil
	}
	w.leave()
	here, err := waitForFiles(w.ctx, func() (*os.Root, error) { return w.root.OpenRoot(filepath.FromSlash(dir)) })
	if err != nil {
		return nil, err
	}
	w.here, w.hereAt = here, dir
	return here, nil
}

func (w *dirWalk) leave() {
	if w.here != nil {
		w.here.Close()
		w.here = nil
	}
}

// piece is how many entries of a directory are read at once. Even in a directory of a million files, or on a slow
// mount, the end of the context is noticed between two pieces.
const piece = 1024

// read returns the entries of a directory by name; with an error, as many of them as could be read.
func (w *dirWalk) read(name string) (entries []fs.DirEntry, failed error) {
	here, err := w.enter(name)
	if err != nil {
		return nil, err
	}
	dir, err := waitForFiles(w.ctx, func() (*os.File, error) { return here.Open(".") })
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	for w.ctx.Err() == nil {
		some, err := dir.ReadDir(piece)
		entries = append(entries, some...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			failed = err
			break
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, failed
}
