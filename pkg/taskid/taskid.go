// Package taskid names tasks.
//
// An ID is a hash of the image's name, of its size and modification time (or its content), and of the canonical
// recipe. It is the same on every platform and in every run. So a run recognises tasks that an earlier run settled,
// and the sink recognises a second result of a task as a duplicate. The package is a leaf: the wire, the ledger and
// the roles share it.
package taskid

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"time"
)

// Size is the length of an ID in bytes.
const Size = 16

// ID names one task. The zero ID names none.
type ID [Size]byte

// String returns id as 32 lower-case hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// IsZero reports whether id names no task.
func (id ID) IsZero() bool { return id == ID{} }

// MarshalText implements encoding.TextMarshaler: 32 lower-case hexadecimal digits.
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It accepts what Parse accepts.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// Parse returns the ID that s, 32 hexadecimal digits in either case, writes.
func Parse(s string) (ID, error) {
	var id ID
	if len(s) != 2*Size {
		return ID{}, fmt.Errorf("task id %.80q has %d characters, not %d hexadecimal digits", s, len(s), 2*Size)
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return ID{}, fmt.Errorf("task id %q is not %d hexadecimal digits", s, 2*Size)
	}
	return id, nil
}

// FromBytes returns the ID whose bytes are b: the form in which it travels.
func FromBytes(b []byte) (ID, error) {
	if len(b) != Size {
		return ID{}, fmt.Errorf("a task id has %d bytes, not %d", Size, len(b))
	}
	return ID(b), nil
}

// The hashed bytes begin with the name of their form, so that IDs of different forms never coincide. The digit at
// its end changes with the form.
const (
	metadataForm = "imagefarm task metadata 1"
	contentForm  = "imagefarm task content 1"
	versionForm  = "imagefarm task version 1"
)

// FromMetadata returns the ID of the image name (slash-separated, relative to the directory that is worked on) with
// a size in bytes and a modification time, under a canonical recipe text. The time counts to the nanosecond,
// whatever its zone.
func FromMetadata(name string, size int64, mtime time.Time, recipe string) ID {
	h := begin(metadataForm)
	field(h, []byte(name))
	number(h, size)
	number(h, mtime.Unix())
	number(h, int64(mtime.Nanosecond()))
	field(h, []byte(recipe))
	return end(h)
}

// FromVersion returns the ID of the image name whose source marks its content with a version, such as an ETag, under a
// canonical recipe text.
func FromVersion(name, version, recipe string) ID {
	h := begin(versionForm)
	field(h, []byte(name))
	field(h, []byte(version))
	field(h, []byte(recipe))
	return end(h)
}

// FromContent returns the ID of the image name with the given encoded bytes, under a canonical recipe text. It does
// not depend on when the image was written.
func FromContent(name string, data []byte, recipe string) ID {
	return FromDigest(name, sha256.Sum256(data), recipe)
}

// FromDigest is FromContent for a content whose SHA-256 is digest.
func FromDigest(name string, digest [sha256.Size]byte, recipe string) ID {
	h := begin(contentForm)
	field(h, []byte(name))
	field(h, digest[:])
	field(h, []byte(recipe))
	return end(h)
}

func begin(form string) hash.Hash {
	h := sha256.New()
	field(h, []byte(form))
	return h
}

// field hashes the length of b and b, so that no two sequences of fields hash the same bytes.
func field(h hash.Hash, b []byte) {
	number(h, int64(len(b)))
	h.Write(b)
}

func number(h hash.Hash, n int64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}

func end(h hash.Hash) ID {
	return ID(h.Sum(nil)[:Size])
}
