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
	"strings"
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

// An Input says which content of which image a task is about: what an ID hashes before the recipe. It is opaque.
// Two tasks of one Input differ in their recipes alone.
type Input string

// InputOfMetadata returns the Input of the image name (slash-separated, relative to the directory that is worked on)
// with a size in bytes and a modification time. The time counts to the nanosecond, whatever its zone.
func InputOfMetadata(name string, size int64, mtime time.Time) Input {
	b := field(nil, metadataForm)
	b = field(b, name)
	b = number(b, size)
	b = number(b, mtime.Unix())
	b = number(b, int64(mtime.Nanosecond()))
	return Input(b)
}

// InputOfVersion returns the Input of the image name whose source marks its content with a version, such as an ETag.
func InputOfVersion(name, version string) Input {
	return Input(field(field(field(nil, versionForm), name), version))
}

// InputOfDigest returns the Input of the image name whose content has the SHA-256 digest. It does not depend on when
// the image was written.
func InputOfDigest(name string, digest [sha256.Size]byte) Input {
	return Input(field(field(field(nil, contentForm), name), string(digest[:])))
}

// Digest returns the SHA-256 of the image's content, if in was made by InputOfDigest.
func (in Input) Digest() (digest [sha256.Size]byte, ok bool) {
	head := string(field(nil, contentForm))
	tail := field(nil, string(digest[:])) // as long as every digest's
	if !strings.HasPrefix(string(in), head) || len(in) < len(head)+8+len(tail) {
		return digest, false
	}
	name := in[len(head)+8 : len(in)-len(tail)]
	copy(digest[:], in[len(in)-sha256.Size:])
	return digest, in == InputOfDigest(string(name), digest)
}

// ID returns the ID of the task that makes a canonical recipe text of the image.
func (in Input) ID(recipe string) ID {
	sum := sha256.Sum256(field([]byte(in), recipe))
	return ID(sum[:Size])
}

// FromMetadata returns the ID of a canonical recipe text and the Input of InputOfMetadata.
func FromMetadata(name string, size int64, mtime time.Time, recipe string) ID {
	return InputOfMetadata(name, size, mtime).ID(recipe)
}

// FromContent returns the ID of the image name with the given encoded bytes, under a canonical recipe text.
func FromContent(name string, data []byte, recipe string) ID {
	return InputOfDigest(name, sha256.Sum256(data)).ID(recipe)
}

// field appends the length of s and s, so that no two sequences of fields are the same bytes.
func field(b []byte, s string) []byte { return append(number(b, int64(len(s))), s...) }

func number(b []byte, n int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(n)) }
