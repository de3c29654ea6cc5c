// Package diskfault tells what is wrong with a disk: one kind and one wording for each fault, for the stores that
// meet it and for the pages that show it.
package diskfault

import (
	"errors"
	"syscall"
)

// Kind names what is wrong with a disk. It travels, so a kind never changes its meaning.
type Kind string

// The kinds. None means that the error says nothing of the disk.
const (
	None         Kind = ""
	Full         Kind = "full"
	Quota        Kind = "quota"
	FileTooLarge Kind = "file-too-large"
	ReadOnly     Kind = "read-only"
	Failing      Kind = "failing"
	Denied       Kind = "denied"
	ManyFiles    Kind = "too-many-files"
	Stale        Kind = "stale"
	Stuck        Kind = "stuck" // calls do not return; no error says so
)

// Of returns what err says of the disk.
func Of(err error) Kind {
	for _, known := range []struct {
		errno syscall.Errno
		kind  Kind
	}{
		{syscall.ENOSPC, Full},
		{syscall.EDQUOT, Quota},
		{syscall.EFBIG, FileTooLarge},
		{syscall.EROFS, ReadOnly},
		{syscall.EIO, Failing},
		{syscall.EACCES, Denied},
		{syscall.EPERM, Denied},
		{syscall.EMFILE, ManyFiles},
		{syscall.ENFILE, ManyFiles},
		{syscall.ESTALE, Stale},
	} {
		if errors.Is(err, known.errno) {
			return known.kind
		}
	}
	return None
}

// Sentence says what is wrong, without a full stop. It is empty for None, and for a kind of a later version.
func (k Kind) Sentence() string {
	switch k {
	case Full:
		return "the disk is full"
	case Quota:
		return "the disk quota is used up"
	case FileTooLarge:
		return "the file would be larger than is allowed here"
	case ReadOnly:
		return "the file system is read-only"
	case Failing:
		return "the disk fails"
	case Denied:
		return "this process may not write there"
	case ManyFiles:
		return "this process or this machine has too many files open"
	case Stale:
		return "the file server has forgotten the directory"
	case Stuck:
		return "the disk does not answer"
	}
	return ""
}
