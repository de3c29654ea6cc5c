package blob

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/imagefarm/imagefarm/pkg/diskfault"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// The kinds of faults; errors.Is tells them apart.
var (
	// ErrName says that no store can hold the name: whoever made the name is at fault, and a retry is of no use.
	ErrName = errors.New("unusable name")

	// ErrObstructed says that something which is no file is in the way of this name: a directory with the output's
	// name, a file where the output's directory should be, a link that leads out. Other names are not affected.
	ErrObstructed = errors.New("obstructed name")

	// ErrUnavailable says that the store cannot be used now: full, read-only, gone, broken. It is the farm's fault,
	// and the same call may succeed once an operator has repaired it.
	ErrUnavailable = errors.New("store unavailable")

	// ErrLost says that what was put since the last Flush may not be there, and must be put again.
	ErrLost = errors.New("outputs lost")
)

// A Fault says what could not be done, with which name, and why.
type Fault struct {
	Kind error  // ErrName, ErrObstructed, ErrUnavailable or ErrLost
	Op   string // such as "write"
	Name string // the output's name; empty when the whole store is meant
	Dir  string // the store's directory; may be empty
	Why  string // in plain words; may be empty
	Err  error  // what the operating system said; may be nil
}

// Error implements error.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString("cannot " + f.Op)
	if f.Name != "" {
		b.WriteString(" " + quoted(f.Name))
	}
	switch {
	case f.Dir == "":
	case f.Name == "": // Op is done to the directory
		b.WriteString(" " + f.Dir)
	default:
		b.WriteString(" in " + f.Dir)
	}
	if f.Why != "" {
		b.WriteString(": " + f.Why)
	}
	if f.Err != nil {
		b.WriteString(": " + f.Err.Error())
	}
	return b.String()
}

// Unwrap makes both the kind and the cause visible to errors.Is and errors.As.
func (f *Fault) Unwrap() []error {
	if f.Err == nil {
		return []error{f.Kind}
	}
	return []error{f.Kind, f.Err}
}

// Temporary reports whether the same call may succeed later without anything being made again.
func (f *Fault) Temporary() bool { return errors.Is(f.Kind, ErrUnavailable) }

// Rejection returns the rejection that an error of Put means for the image, or nil if it means none. What is in the
// way of one name stays in the way, however often the image is transformed. A name that no store takes is no
// rejection: the ventilator looks at names before it makes a task, so that whoever sent the name is at fault.
func Rejection(err error) *outcome.Rejection {
	var f *Fault
	switch {
	case !errors.As(err, &f):
		return nil
	case errors.Is(f.Kind, ErrObstructed):
		return outcome.Reject(outcome.Obstructed, "%v", f)
	case errors.Is(f.Kind, ErrName) && f.Err != nil: // this file system refused it
		return outcome.Reject(outcome.BadName, "rename it: %v", f)
	}
	return nil
}

func quoted(name string) string {
	return "\"" + strings.ToValidUTF8(name, "\uFFFD") + "\""
}

// plain maps the errors of the operating system that are no fault of the disk to words for an operator.
var plain = []struct {
	errno syscall.Errno
	kind  error
	why   string
}{
	{syscall.EISDIR, ErrObstructed, "a directory has that name"},
	{syscall.ENOTEMPTY, ErrObstructed, "a directory has that name"},
	{syscall.EEXIST, ErrObstructed, "something else has that name"},
	{syscall.ENOTDIR, ErrObstructed, "a file is where a directory should be"},
	{syscall.ELOOP, ErrObstructed, "its links lead in a circle"},
	{syscall.EXDEV, ErrObstructed, "a part of the directory is on another file system"},
	{syscall.ENAMETOOLONG, ErrName, "it is too long for this file system"},
	{syscall.EILSEQ, ErrName, "this file system does not take its characters"},
}

// fault explains err, the outcome of op on name in the store at dir.
func fault(op, name, dir string, err error) error {
	var already *Fault
	if err == nil || errors.As(err, &already) {
		return err
	}
	f := &Fault{Kind: ErrUnavailable, Op: op, Name: name, Dir: dir, Err: cause(err)}
	if kind := diskfault.Of(err); kind != diskfault.None {
		f.Why = kind.Sentence()
		return f
	}
	for _, p := range plain {
		if errors.Is(err, p.errno) {
			f.Kind, f.Why = p.kind, p.why
			return f
		}
	}
	if strings.Contains(err.Error(), "escapes from parent") { // os.Root has no exported error for it
		f.Kind, f.Why = ErrObstructed, "a link leads out of the directory"
	}
	return f
}

// cause drops the paths from an error of package os: they are names of temporary files, which mean nothing to an
// operator.
func cause(err error) error {
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
