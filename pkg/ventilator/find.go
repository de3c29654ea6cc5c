package ventilator

import (
	"context"
	"errors"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// image is an image that a run found.
type image struct {
	Name     string // names the image and its outputs: slash-separated, relative; a message can carry it
	Path     string // where it is, for people
	Size     int64  // bytes
	Modified time.Time

	entry   source.Entry
	source  source.Source
	refused *outcome.Rejection // why no task can be made of it; nil: one can

	referred bool // the last message of its task refers to it; owned by the loop

	input taskid.Input // set when the image is looked up
	only  []string     // variants to make, since the ledger knows the others; empty: all
}

// open opens the image as it was found.
func (im *image) open(ctx context.Context) (*source.File, error) {
	return im.source.Open(ctx, im.entry)
}

// refusal returns why an image is rejected before a worker sees it; nil if it is not.
func (v *Ventilator) refusal(im *image) *outcome.Rejection {
	if im.refused == nil && im.Size > v.cfg.MaxMessage {
		return outcome.Reject(outcome.TooLarge, "%d bytes, the limit is %d", im.Size, v.cfg.MaxMessage)
	}
	return im.refused
}

// finder walks the inputs of a run. A run walks them several times: first to count the images and to decide the names
// of their outputs, then to send tasks. So it keeps no list of all images.
type finder struct {
	sources []source.Source
	part    Part

	// named are the real paths of the files that are inputs of their own. A directory among the inputs may hold them.
	named map[string]struct{}
	roots source.Roots
}

func newFinder(c *Config) (*finder, error) {
	f := &finder{part: c.Part, named: make(map[string]struct{})}
	var dirs []string
	for _, in := range c.Inputs {
		if slices.ContainsFunc(dirs, func(dir string) bool { return source.IsDir(in, dir) }) {
			continue // named twice
		}
		s, err := source.Parse(in, c.Stdin, c.Select)
		if err != nil {
			return nil, usage("%v", err)
		}
		f.sources = append(f.sources, s)
		if source.IsFile(in) {
			f.named[f.realPath(in, filepath.Base(in))] = struct{}{}
		} else {
			dirs = append(dirs, in)
		}
	}
	return f, nil
}

// realPath returns the path of a file without links in the directory that it is named from.
func (f *finder) realPath(location, name string) string {
	return path.Join(f.roots.Of(location, name), name)
}

// walkAll calls visit for each image of all parts and omit for everything else, in an order that is the same each
// time. It visits a file once that is an input and in a directory that is another, or that is an input twice. It ends
// early with visit's error or the context's cause.
func (f *finder) walkAll(ctx context.Context, visit func(image) error, omit func(source.Omission)) error {
	visited := make(map[string]struct{}) // of f.named
	for _, s := range f.sources {
		err := s.Walk(ctx, func(e source.Entry) error {
			if len(f.named) == 0 || len(f.sources) == 1 {
				return offer(ctx, s, e, visit, omit)
			}
			at := f.realPath(e.Location, e.Name)
			if _, named := f.named[at]; !named {
				return offer(ctx, s, e, visit, omit)
			}
			if _, again := visited[at]; again {
				return nil
			}
			return offer(ctx, s, e, func(im image) error {
				visited[at] = struct{}{}
				return visit(im)
			}, omit)
		}, omit)
		if err != nil {
			return err
		}
	}
	return nil
}

// offer visits the entry if it is an image. A file that was named explicitly is reported as unreadable if it is not
// an image. Any other file is left out, and its kind is counted.
func offer(
	ctx context.Context, s source.Source, e source.Entry, visit func(image) error, omit func(source.Omission),
) error {
	is, err := e.Refused != nil || e.Image, error(nil)
	if !is {
		is, err = looksLikeImage(ctx, s, e)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil && !is && e.Named:
		err = errors.New("it is not an image")
		fallthrough
	case err != nil:
		omit(source.Omission{Location: e.Location, Kind: source.Unreadable, Err: err})
		return nil
	case !is:
		omit(source.Omission{Location: e.Location, Kind: kindOf(e.Name)})
		return nil
	}
	im := image{Name: e.Name, Path: e.Location, Size: e.Size, Modified: e.Modified, entry: e, source: s,
		refused: e.Refused}
	if err := wire.CheckName(e.Name); err != nil {
		im.Name, im.Path, im.refused = printable(e.Name), printable(e.Location), refuseName(e.Name, err)
	}
	return visit(im)
}

// refuseName says what is wrong with a name that no message can carry.
func refuseName(name string, err error) *outcome.Rejection {
	switch {
	case !utf8.ValidString(name):
		return outcome.Reject(outcome.BadName, "rename it: the name is not UTF-8")
	case strings.ContainsAny(name, "\t\n\r"):
		return outcome.Reject(outcome.BadName, "rename it: the name has a tab or a line break")
	}
	why := strings.TrimPrefix(err.Error(), wire.ErrMalformed.Error()+": ")
	return outcome.Reject(outcome.BadName, "rename it: the %s", why)
}

// printable returns a name that a message, a terminal and a ledger can hold. Bytes that are not UTF-8 or cannot be
// printed become escape sequences such as \xe9 or \t.
func printable(name string) string {
	quoted := strconv.Quote(name)
	quoted = strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
	if len(quoted) > wire.MaxName {
		quoted = strings.ToValidUTF8(quoted[:wire.MaxName], "")
	}
	return quoted
}

// looksLikeImage reports whether a file is an image by its name or by its first bytes. A name alone is enough: a
// damaged photo must be rejected, not left out.
func looksLikeImage(ctx context.Context, s source.Source, e source.Entry) (bool, error) {
	if format.OfFile(e.Name).Name != "" {
		return true, nil
	}
	head, err := source.Head(ctx, s, e, format.HeadSize)
	return format.Detect(head) != "", err
}

// kindOf names the kind of a file that no engine reads. Well-known kinds are named by their extension, which people
// recognize when they look for their pictures.
func kindOf(name string) source.Kind {
	switch ext := strings.ToUpper(strings.TrimPrefix(path.Ext(name), ".")); ext {
	case "CRW", "SRF", "X3F", "IIQ", // raw files of cameras that are not read
		"SVG", "SVGZ", "PDF", "PSD", "PSB", "AI", "EPS", "XCF", "JP2", "J2K", "JXR", "ICO", "ICNS", "TGA", "EXR",
		"HDR", "DDS",
		"MOV", "MP4", "M4V", "AVI", "MKV", "WEBM", "MTS", "3GP":
		return source.Kind(ext)
	}
	return source.NotAnImage
}
