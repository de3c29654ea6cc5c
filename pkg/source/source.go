// Package source is where images come from: directories, lists of files, buckets, web servers, and the archives in
// them.
//
// A Source walks entries and opens them. Parse turns the text of an argument into one. A new kind of source is a file
// with an implementation and a case in Parse; nothing else in the farm opens an input.
//
// # What opening promises
//
// Inputs are written by strangers, and may change while a run reads them. Open therefore opens a regular file and
// nothing else, never waits for a pipe's other end, follows no link that leads out of the input unless
// Config.FollowLinks is set, and refuses an entry that is no longer the one that the walk found. What it returns
// ends at the size that was found.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// A Source is a place that holds files, images among them. Its methods may be called concurrently.
type Source interface {
	// Walk calls visit with each file that the source's Config admits, and omit with what it leaves out. The order is the
	// same in every walk. Walk ends early with visit's error or the context's cause.
	Walk(ctx context.Context, visit func(Entry) error, omit func(Omission)) error

	// Open opens an entry of an earlier walk. The error is ErrChanged when the entry is not what the walk found.
	// The caller closes what it returns.
	Open(ctx context.Context, e Entry) (*File, error)

	// String returns what the source was made from, for people.
	String() string
}

// An Entry is a file that a walk found.
type Entry struct {
	Name     string // outputs are named after it: slash-separated, relative; not always UTF-8
	Location string // where it is, for people: a path, a URL
	Size     int64  // bytes
	Modified time.Time
	Identity string // what tells this content from a later one at the same place; opaque

	// Version stands for the content where the source has a better mark than Size and Modified, such as the ETag of an
	// object. It is the same in every run while the content is; opaque. Empty: the source has none.
	Version string

	// Refused says why no task can be made of the entry: it stands for something that cannot be read. Nil: it can be
	// opened.
	Refused *outcome.Rejection

	// Image says that the caller means an image, so that nobody has to look at its first bytes to find out.
	Image bool

	// Columns is what the list that names the image says of it, by the names of the columns.
	Columns map[string]string

	in   *member   // where it is in an archive; nil: it is a file of its own
	held *heldBody // its content, fetched ahead; nil: Open fetches it

	Named bool // the caller named this file; a walk did not come upon it
}

// A File is an open entry. Reading ends after Size bytes, however much the entry has grown.
type File struct {
	io.Reader
	io.Closer
	Size int64 // bytes
}

// ErrChanged says that an entry is not what the walk found: it was replaced, rewritten, or is no regular file any more.
var ErrChanged = errors.New("it changed since it was found; the next run takes it as it is then")

// IsOutdated reports whether an error of Open says that the entry changed, or is not there any more.
func IsOutdated(err error) bool { return errors.Is(err, ErrChanged) || errors.Is(err, fs.ErrNotExist) }

// An Omission is something that a walk leaves out.
type Omission struct {
	Location string
	Kind     Kind
	Err      error  // why it cannot be looked at; nil unless Kind is Unreadable
	Name     string // of a link that leads nowhere, as that of an Entry; empty: it is none
	List     string // the list of URLs that is at fault, itself or in the line Location; empty: none is
}

// Kind says why something is left out.
type Kind string

// The kinds of omissions.
const (
	Unreadable Kind = "unreadable"             // it cannot be looked at; Omission.Err says why
	Excluded   Kind = "excluded"               // the globs leave it out
	Hidden     Kind = "hidden"                 // its name begins with a dot
	LinkedDir  Kind = "symlinked directory"    // walks follow no links to directories
	LinkOut    Kind = "link out of the input"  // Config.FollowLinks is not set
	Special    Kind = "device, pipe or socket" // it is neither a file nor a directory
	Repeated   Kind = "file of a name that the archive has already"
	// LargeSidecar is a file that would travel with the image beside it, if it had at most MaxSidecar bytes.
	LargeSidecar Kind = "sidecar of more than 16 KiB"
	OutputDir    Kind = "directory of outputs" // a farm writes to it, or did
	// NotAnImage is for the callers of Walk: neither the file's name nor its first bytes are those of an image.
	NotAnImage Kind = "not an image"
)

// Config says which files of a source a walk takes. The zero value takes all but hidden ones.
type Config struct {
	Include     []string // globs; when given, a file must match one. A glob without a slash is matched with the base name
	Exclude     []string // globs of files and directories to leave out
	Hidden      bool     // take files and directories whose name begins with a dot
	FollowLinks bool     // follow links to files outside the input

	Bucket bucket.Config // how buckets are reached
	Web    Web           // how web servers are asked
}

// Validate says in a sentence what is wrong with c.
func (c *Config) Validate() error {
	for _, g := range slices.Concat(c.Include, c.Exclude) {
		if !doublestar.ValidatePattern(g) {
			return fmt.Errorf("glob %q is malformed", g)
		}
	}
	return nil
}
