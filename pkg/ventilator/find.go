package ventilator

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// image is a file that a run found.
type image struct {
	Name     string // where it and its outputs stand: slash-separated, relative
	Path     string // where it is read
	Size     int64  // bytes
	Modified time.Time
}

// finder walks the inputs of a run. It can walk them more than once: first to count and to refuse conflicts before any
// work, then to hand out, so that no list of all images is kept.
type finder struct {
	inputs           []string
	list             []string // the paths that were read from standard input
	include, exclude []string
	hidden           bool
}

func newFinder(c *Config) (*finder, error) {
	f := &finder{include: c.Include, exclude: c.Exclude, hidden: c.Hidden}
	for _, g := range slices.Concat(c.Include, c.Exclude) {
		if !doublestar.ValidatePattern(g) {
			return nil, usage("glob %q is malformed", g)
		}
	}
	for _, in := range c.Inputs {
		if in == "-" {
			if err := f.readList(c.Stdin); err != nil {
				return nil, err
			}
			continue
		}
		info, err := os.Stat(in)
		if err != nil {
			return nil, usage("input %q: %v", in, errors.Unwrap(err))
		}
		if !info.IsDir() && !info.Mode().IsRegular() {
			return nil, usage("input %q is neither a file nor a directory", in)
		}
		f.inputs = append(f.inputs, in)
	}
	return f, nil
}

func (f *finder) readList(r io.Reader) error {
	if r == nil {
		return usage("no standard input to read a list from")
	}
	listed := make(map[string]bool)
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 2*wire.MaxName)
	for lines.Scan() {
		if line := strings.TrimSuffix(lines.Text(), "\r"); line != "" && !listed[filepath.Clean(line)] {
			listed[filepath.Clean(line)] = true
			f.list = append(f.list, line)
		}
	}
	if err := lines.Err(); err != nil {
		return usage("the list on standard input: %v", err)
	}
	return nil
}

// walk calls visit for each image, in a stable order, and unreadable for each place that could not be looked at. It
// ends early with visit's error or the context's.
func (f *finder) walk(ctx context.Context, visit func(image) error, unreadable func(path string, err error)) error {
	for _, in := range f.inputs {
		info, err := os.Stat(in)
		if err != nil {
			unreadable(in, err)
			continue
		}
		if info.IsDir() {
			err = f.walkDir(ctx, in, visit, unreadable)
		} else {
			err = f.offer(ctx, filepath.Base(in), in, info, true, visit, unreadable)
		}
		if err != nil {
			return err
		}
	}
	for _, p := range f.list {
		info, err := os.Stat(p)
		if err != nil {
			unreadable(p, err)
			continue
		}
		if info.IsDir() {
			unreadable(p, errors.New("a directory in the list of files"))
			continue
		}
		if err := f.offer(ctx, listedName(p), p, info, true, visit, unreadable); err != nil {
			return err
		}
	}
	return nil
}

// listedName makes a relative name of a path from the list, keeping as many of its directories as it can.
func listedName(p string) string {
	name := strings.TrimPrefix(filepath.ToSlash(filepath.Clean(p)), filepath.ToSlash(filepath.VolumeName(p)))
	name = strings.TrimLeft(name, "/")
	for strings.HasPrefix(name, "../") {
		name = name[len("../"):]
	}
	return name
}

// walkDir walks what is below root, whose files are named from there. It reads directories piece by piece, so that even in
// one of a million files, or on a slow mount, the context's end is noticed.
func (f *finder) walkDir(ctx context.Context, root string, visit func(image) error, unreadable func(string, error)) error {
	return f.walkBelow(ctx, root, "", visit, unreadable)
}

func (f *finder) walkBelow(ctx context.Context, root, dir string, visit func(image) error, unreadable func(string, error)) error {
	at := filepath.Join(root, filepath.FromSlash(dir))
	entries, err := readDir(ctx, at)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		unreadable(at, err) // what could be read of it is taken
	}
	for _, d := range entries {
		name, p := path.Join(dir, d.Name()), filepath.Join(at, d.Name())
		switch {
		case f.isHidden(name):
		case !d.IsDir():
			var info fs.FileInfo
			if info, err = os.Stat(p); err != nil { // follows links to files
				unreadable(p, err)
				continue
			}
			err = f.offer(ctx, name, p, info, false, visit, unreadable)
		case !matches(f.exclude, name):
			err = f.walkBelow(ctx, root, name, visit, unreadable)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// piece is how many entries of a directory are read at once.
const piece = 1024

// readDir returns the entries of a directory by name, with an error as far as they could be read.
func readDir(ctx context.Context, dir string) (entries []fs.DirEntry, failed error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		some, err := file.ReadDir(piece)
		entries = append(entries, some...)
		if err == io.EOF {
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

func (f *finder) isHidden(name string) bool {
	return !f.hidden && strings.HasPrefix(path.Base(name), ".")
}

// offer visits the file if it is an image that the globs admit. One that was named, not found, is missed aloud when it is none.
func (f *finder) offer(ctx context.Context, name, p string, info fs.FileInfo, named bool, visit func(image) error, unreadable func(string, error)) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if !info.Mode().IsRegular() || matches(f.exclude, name) || len(f.include) > 0 && !matches(f.include, name) {
		return nil
	}
	is, err := looksLikeImage(name, p)
	if err != nil {
		unreadable(p, err)
		return nil
	}
	if !is {
		if named {
			unreadable(p, errors.New("it is no image"))
		}
		return nil
	}
	if err := wire.CheckName(name); err != nil {
		unreadable(p, fmt.Errorf("its name cannot travel, rename it: %w", err))
		return nil
	}
	return visit(image{Name: name, Path: p, Size: info.Size(), Modified: info.ModTime()})
}

// looksLikeImage says whether a file is to be accounted for: when its first bytes say so, whatever it is called, and when
// only its name says so, too, since a damaged photo must not be passed over in silence: a worker will reject it.
func looksLikeImage(name, p string) (bool, error) {
	if format.OfFile(name).Name != "" {
		return true, nil
	}
	file, err := os.Open(p)
	if err != nil {
		return false, err
	}
	defer file.Close()
	head := make([]byte, format.HeadSize)
	n, err := io.ReadFull(file, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, err
	}
	return format.Detect(head[:n]) != "", nil
}

// matches reports whether one of the globs matches the name, or its base when the glob has no slash.
func matches(globs []string, name string) bool {
	for _, g := range globs {
		target := name
		if !strings.Contains(g, "/") {
			target = path.Base(name)
		}
		if ok, _ := doublestar.Match(g, target); ok { // the pattern was validated
			return true
		}
	}
	return false
}

// survey is what the first walk learns.
type survey struct {
	Images int64
}

// survey counts the images and refuses two that would make the same output. It remembers a hash of each output, not its
// name; only when two are equal does it look again for their names.
func (f *finder) survey(ctx context.Context, outputs func(name string) []string) (survey, error) {
	var s survey
	seed := maphash.MakeSeed()
	var hashes []uint64
	err := f.walk(ctx, func(im image) error {
		s.Images++
		for _, out := range outputs(im.Name) {
			hashes = append(hashes, maphash.String(seed, out))
		}
		return nil
	}, func(string, error) {})
	if err != nil {
		return s, err
	}
	slices.Sort(hashes)
	suspect := make(map[uint64]struct{})
	for i := 1; i < len(hashes); i++ {
		if hashes[i] == hashes[i-1] {
			suspect[hashes[i]] = struct{}{}
		}
	}
	if len(suspect) == 0 {
		return s, nil
	}
	var clashes clashes
	made := make(map[string]string) // output → image
	err = f.walk(ctx, func(im image) error {
		for _, out := range outputs(im.Name) {
			if _, ok := suspect[maphash.String(seed, out)]; !ok {
				continue
			}
			if other, taken := made[out]; taken {
				clashes.add(other, im.Path, out)
				return nil // its other outputs clash with the same image's
			}
			made[out] = im.Path
		}
		return nil
	}, func(string, error) {})
	return s, cmp.Or(err, clashes.refusal())
}

// Inside reports whether child is parent or lies below it, after links are resolved.
func Inside(child, parent string) (bool, error) {
	resolve := func(p string) (string, error) {
		p, err := filepath.Abs(p)
		if err != nil {
			return "", err
		}
		for rest := ""; ; {
			if real, err := filepath.EvalSymlinks(p); err == nil {
				return filepath.Join(real, rest), nil
			}
			if p == filepath.Dir(p) {
				return "", fmt.Errorf("cannot resolve %q", p)
			}
			p, rest = filepath.Dir(p), filepath.Join(filepath.Base(p), rest)
		}
	}
	c, err := resolve(child)
	if err != nil {
		return false, err
	}
	p, err := resolve(parent)
	if err != nil {
		return false, err
	}
	rel, err := filepath.Rel(p, c)
	return err == nil && (rel == "." || rel != ".." && !strings.HasPrefix(rel, "../")), nil
}
