// Package blob is where outputs live.
//
// A Bucket keeps them in an object store. A Dir keeps them in a directory: every output appears under its name
// complete or not at all, whatever process is killed meanwhile, and no name leads out of the directory. What it
// writes is made durable in groups by Flush, which the sink calls before it commits the ledger entries that name the
// outputs: an entry never says done of bytes that a power cut could take back.
//
// # What is synced when
//
// With SyncBatch (the default) Put writes a temporary file and renames it; nothing is synced. Flush then makes
// everything that was put before it durable: contents, names and new directories. On Linux it syncs the whole file
// system with one call (syncfs, which reports failed writes since Linux 5.8); for few outputs, when that call
// turns out to be slow because others write there too, and elsewhere, it syncs (fsync) each file and each directory
// that got a new entry. A process that is killed loses nothing that Put acknowledged. A power cut between Put and
// Flush may lose an output or leave it empty, but only one that no ledger entry names yet, so that the next run makes
// it again.
//
// With SyncEach, Put syncs the file before it renames it, and its directory after: not even a power cut shows an
// incomplete file. It costs two to three syncs per output. With SyncNever nothing is ever synced.
package blob

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A Writer keeps outputs.
type Writer interface {
	// Put makes data readable under name, complete or not at all, in place of what was there.
	// Errors: ErrName and ErrObstructed concern this name alone; ErrUnavailable concerns the store and passes.
	Put(ctx context.Context, name string, data []byte) error

	// Flush makes durable whatever was put before it was called. Only one goroutine may call it: of several that wait
	// for the same sync, only one would get its error. Errors: ErrUnavailable: call again; ErrLost: what was put since
	// the last Flush must be put again.
	Flush(ctx context.Context) error
}

// A Reader gives outputs back. The error for a name that holds nothing is fs.ErrNotExist.
type Reader interface {
	// Stat returns the size in bytes of what name holds.
	Stat(name string) (int64, error)

	// Open returns what name holds; the caller closes it.
	Open(name string) (io.ReadSeekCloser, error)
}

// The limits on names: what common file systems take.
const (
	MaxName      = 4096 // bytes in a name
	MaxComponent = 255  // bytes between two slashes
)

// OwnDir is the directory at the root of a store that belongs to the farm: temporary files are made there. No output
// may be named into it. A directory that holds one is a store, or was.
const OwnDir = ".imagefarm"

// CheckName reports why name cannot be the name of an output, with an error that is an ErrName. A name is relative
// and slash-separated; it has no empty, "." or ".." component and no NUL; it is at most MaxName bytes long with
// components of at most MaxComponent bytes; its first component is not ".imagefarm". It need not be UTF-8: old
// photographs have old names.
func CheckName(name string) error {
	switch {
	case name == "":
		return nameError(name, "it is empty")
	case len(name) > MaxName:
		return nameError(name, fmt.Sprintf("it has %d bytes, more than %d", len(name), MaxName))
	case strings.IndexByte(name, 0) >= 0:
		return nameError(name, "it contains a NUL")
	case name[0] == '/':
		return nameError(name, "it is not relative")
	}
	for i, part := range strings.Split(name, "/") {
		switch {
		case part == "":
			return nameError(name, "it has an empty component")
		case part == "." || part == "..":
			return nameError(name, fmt.Sprintf("it has a component %q", part))
		case len(part) > MaxComponent:
			return nameError(name, fmt.Sprintf("a part of it has %d bytes, more than %d", len(part), MaxComponent))
		case i == 0 && isOwnDir(part):
			return nameError(name, OwnDir+" is the farm's own")
		}
	}
	return nil
}

// isOwnDir also knows the spellings that file systems without case, and Windows, take for the same directory.
func isOwnDir(part string) bool {
	return strings.EqualFold(strings.TrimRight(part, ". "), OwnDir)
}

func nameError(name, why string) error {
	if len(name) > 120 {
		end := 117
		for end > 0 && !utf8.RuneStart(name[end]) {
			end--
		}
		name = name[:end] + "…"
	}
	return &Fault{Kind: ErrName, Op: "use the name", Name: name, Why: why}
}
