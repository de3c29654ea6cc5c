package ledger

import (
	"errors"
	"io/fs"

	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/imagefarm/imagefarm/pkg/diskfault"
)

// The kinds of faults; errors.Is tells them apart.
var (
	// ErrForeign says that the file is something else than a ledger. It was not changed.
	ErrForeign = errors.New("not a ledger")

	// ErrDamaged says that the file is, or was, a ledger and cannot be trusted any more.
	ErrDamaged = errors.New("damaged ledger")

	// ErrNewer says that a newer imagefarm wrote the ledger, in a format that this one does not know.
	ErrNewer = errors.New("newer ledger")

	// ErrInUse says that another process has the ledger open.
	ErrInUse = errors.New("ledger in use")

	// ErrUnavailable says that the ledger cannot be written now, such as when the disk is full. Nothing was changed,
	// and the same call may succeed once the cause is mended.
	ErrUnavailable = errors.New("ledger unavailable")

	// ErrClosed says that the ledger has been closed.
	ErrClosed = errors.New("ledger closed")
)

// A Fault says what is wrong with which ledger.
type Fault struct {
	Kind error  // one of the kinds above
	Path string // the ledger's file
	Why  string // in plain words
	Err  error  // what the operating system said; may be nil
}

// Error implements error.
func (f *Fault) Error() string {
	s := f.Path + ": " + f.Kind.Error() + ": " + f.Why
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

// Unwrap makes both the kind and the cause visible to errors.Is and errors.As.
func (f *Fault) Unwrap() []error {
	if f.Err == nil {
		return []error{f.Kind}
	}
	return []error{f.Kind, f.Err}
}

// Temporary reports whether the same call may succeed later.
func (f *Fault) Temporary() bool {
	return errors.Is(f.Kind, ErrUnavailable) || errors.Is(f.Kind, ErrInUse)
}

// fault returns a Fault that explains err. what says in words what could not be done with the ledger at path.
func fault(path, what string, err error) error {
	var already *Fault
	if err == nil || errors.As(err, &already) {
		return err
	}
	f := &Fault{Kind: ErrUnavailable, Path: path, Why: "cannot " + what, Err: cause(err)}
	switch {
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		f.Kind, f.Why, f.Err = ErrClosed, "cannot "+what, nil
	case errors.Is(err, bolterrors.ErrMaxSizeReached):
		f.Why += ": " + diskfault.Full.Sentence()
	case diskfault.Of(err) == diskfault.Failing:
		// The kernel reports a failed write once and then forgets the data, so the file cannot be trusted any more.
		f.Kind, f.Why = ErrDamaged, diskfault.Failing.Sentence()+"; check it and open the ledger again"
	case diskfault.Of(err) != diskfault.None:
		f.Why += ": " + diskfault.Of(err).Sentence()
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch):
		f.Kind, f.Why = ErrDamaged, "its first pages are invalid"
	}
	return f
}

// cause drops the path from an error of package os: the Fault names the ledger already.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
