package source

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/bucket"
)

// A Reference says where an entry is, for a process on another machine. It leads to the content that was found, or
// nowhere.
type Reference struct {
	At       string    // an absolute path, slash-separated; s3://BUCKET/KEY; or a URL
	Size     int64     // bytes; 0: unknown
	Modified time.Time // of a file
	ETag     string    // of an object or of an image on a web server; empty: unknown
}

// referrer is a Source whose entries others can open.
type referrer interface {
	refer(e Entry) (Reference, bool)
}

// Refer returns a reference to an entry of s; false if it has none, as a file in an archive.
func Refer(s Source, e Entry) (Reference, bool) {
	r, is := s.(referrer)
	if !is {
		return Reference{}, false
	}
	return r.refer(e)
}

func (s *shards) refer(e Entry) (Reference, bool) {
	if e.in != nil {
		return Reference{}, false
	}
	return Refer(s.base, e)
}

// referToFile names the file's directory without links, as an entry's source does: on another machine they may lead
// elsewhere. dirs remembers where directories are.
func referToFile(e Entry, dirs *Roots) (Reference, bool) {
	base := filepath.Base(e.Location)
	dir := dirs.Of(e.Location, base)
	return Reference{At: path.Join(dir, base), Size: e.Size, Modified: e.Modified}, dir != ""
}

func (d *Dir) refer(e Entry) (Reference, bool)  { return referToFile(e, &d.dirs) }
func (l *List) refer(e Entry) (Reference, bool) { return referToFile(e, &l.dirs) }

func (b *Bucket) refer(e Entry) (Reference, bool) {
	return Reference{At: e.Location, Size: e.Size, ETag: e.Identity}, true
}

func (u *URLs) refer(e Entry) (Reference, bool) {
	r := Reference{At: e.Location, Size: e.Size}
	if parts := strings.Split(e.Version, "\x00"); len(parts) == 4 { // of identify
		r.ETag = parts[1]
	}
	return r, true
}

// limited is a Source that asks servers, which bear only so many requests at a time.
type limited interface {
	admit(ctx context.Context, e Entry) (done func(), err error)
}

// Admit waits until somebody may fetch an entry of s, and returns what is to be called once that is over.
func Admit(ctx context.Context, s Source, e Entry) (done func(), err error) {
	if l, is := s.(limited); is {
		return l.admit(ctx, e)
	}
	return func() {}, nil
}

func (s *shards) admit(ctx context.Context, e Entry) (done func(), err error) {
	return Admit(ctx, s.base, e)
}

func (u *URLs) admit(ctx context.Context, e Entry) (done func(), err error) {
	at, err := url.Parse(e.Location)
	if err != nil {
		return nil, err
	}
	return u.fetch.wait(ctx, at.Host)
}

// Inputs are the places to which references may lead: directories, s3://BUCKET/PREFIX, and beginnings of URLs. Its
// methods may be called concurrently.
type Inputs struct {
	places  []string // as they were named
	dirs    []string // absolute, as they were named, and without links
	buckets []*Bucket
	urls    []string
	web     *fetcher
}

// maxFetches bounds the connections of Inputs to one web server. How many there really are is for the one who hands out
// references to say, who knows of all that follow them.
const maxFetches = 64

// OpenInputs returns the inputs below the named places. A URL stands for all that begin with it: https:// for all of
// that scheme.
func OpenInputs(places []string, cfg Config) (*Inputs, error) {
	cfg.Web.Connections, cfg.Web.Interval = maxFetches, time.Millisecond
	in := &Inputs{places: places, web: newFetcher(cfg.Web)}
	for _, place := range places {
		switch {
		case bucket.Is(place):
			b, err := openBucket(place, cfg)
			if err != nil {
				return nil, err
			}
			in.buckets = append(in.buckets, b)
		case IsURL(place):
			in.urls = append(in.urls, strings.TrimSuffix(place, "/")+"/")
		default:
			dir, err := filepath.Abs(place)
			if err != nil {
				return nil, err
			}
			if info, err := os.Stat(dir); err != nil {
				return nil, fmt.Errorf("directory %q: %w", place, cause(err))
			} else if !info.IsDir() {
				return nil, fmt.Errorf("%q is not a directory", place)
			}
			in.dirs = append(in.dirs, dir)
			if followed, err := filepath.EvalSymlinks(dir); err == nil && followed != dir {
				in.dirs = append(in.dirs, followed)
			}
		}
	}
	return in, nil
}

// Open opens what a reference leads to. Links that lead out of a directory are not followed. The error is an
// *OutsideError when the reference leads out of the inputs, ErrChanged when the content is another one, and an
// *outcome.Rejection when a server refuses it for good. The caller closes what Open returns.
func (in *Inputs) Open(ctx context.Context, r Reference) (*File, error) {
	e := Entry{Location: r.At, Size: r.Size, Identity: r.ETag}
	switch {
	case bucket.Is(r.At):
		at, err := bucket.Parse(r.At)
		if err != nil {
			return nil, err
		}
		for _, b := range in.buckets {
			if b.client.Location().Contains(at) {
				return b.Open(ctx, e)
			}
		}
	case IsURL(r.At):
		for _, begin := range in.urls {
			if strings.HasPrefix(r.At, begin) {
				return in.web.open(ctx, e)
			}
		}
	default:
		for _, dir := range in.dirs {
			name, err := filepath.Rel(dir, filepath.FromSlash(r.At))
			if err == nil && filepath.IsLocal(name) {
				return openReferred(ctx, dir, name, r)
			}
		}
	}
	return nil, &OutsideError{At: r.At, Places: in.places}
}

// OutsideError says that a reference leads out of the Inputs.
type OutsideError struct {
	At     string   // of the reference
	Places []string // of the Inputs, as they were named
}

// Error implements error.
func (e *OutsideError) Error() string {
	return e.At + " is not among the inputs that this process may open (--inputs-root)"
}

// openReferred opens a file below dir that has the size and the time of the reference. Numbers of devices and files may
// differ between machines.
func openReferred(ctx context.Context, dir, name string, r Reference) (*File, error) {
	return waitForFiles(ctx, func() (*File, error) {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", r.At, cause(err))
		}
		defer root.Close()
		info, err := root.Stat(name)
		if err != nil {
			if leadsOut(err) {
				return nil, &OutsideError{At: r.At, Places: []string{dir}}
			}
			return nil, fmt.Errorf("open %s: %w", r.At, cause(err))
		}
		if info.Size() != r.Size || !info.ModTime().Equal(r.Modified) {
			return nil, fmt.Errorf("open %s: %w", r.At, ErrChanged)
		}
		return openBelow(dir, filepath.ToSlash(name), entry(name, r.At, info), false)
	})
}

// open fetches an image.
func (f *fetcher) open(ctx context.Context, e Entry) (*File, error) {
	data, err := f.get(ctx, e.Location, e.Identity)
	if err != nil {
		if refused := refusalOf(err); refused != nil {
			return nil, refused
		}
		return nil, fmt.Errorf("it could not be fetched: %w", err)
	}
	return &File{Reader: data.Reader, Closer: data, Size: data.Size()}, nil
}

// noCloser is for what needs no closing.
type noCloser struct{}

// Close implements io.Closer.
func (noCloser) Close() error { return nil }
