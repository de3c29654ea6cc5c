// Package wire defines the messages between the programs of a farm: tasks, results, heartbeats, events and control
// calls, in msgpack, with their limits. docs/PROTOCOL.md specifies them for other languages, and testdata/wire holds
// byte-exact vectors of every form.
//
// Every decoder here takes bytes from strangers. It first walks a message once, without recursion or allocation, and
// checks it against the limits below. Only then does the msgpack package see the message.
package wire

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/vmihailenco/msgpack/v5"
)

// Limits of every message, beside the socket's own limit on its size.
const (
	MaxName        = 4096        // bytes of a file or output name
	MaxDepth       = 16          // nesting of arrays and maps
	MaxElements    = 200_000     // values in one message, counting those inside arrays and maps
	MaxOutputs     = 256         // outputs of one result
	MaxBatch       = 1024        // ids in one control call
	MaxRequest     = 1 << 20     // bytes in a control request
	MaxHeld        = 10_000      // tasks that one worker may hold
	MaxID          = 128         // bytes of a task's or a run's id
	MaxRuns        = 256         // runs in one page of an answer; each has some fifty values
	MaxEvent       = 4 << 20     // bytes of an event; the largest is the heartbeat of a worker that holds MaxHeld tasks
	MaxReference   = 8 << 10     // bytes of a path or URL of an image, and of its ETag
	MaxInput       = 2 * MaxName // bytes of a taskid.Input
	MaxText        = 64 << 10    // bytes of a recipe
	MaxDropped     = 64          // kinds of metadata that a result says no output carries
	MaxDroppedName = 64          // bytes of the name of such a kind
)

// ErrMalformed is wrapped by every decoding error: the message is not of the form that its receiver takes.
var ErrMalformed = errors.New("malformed message")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// CheckName returns an error unless name can name an image or an output. It must be a clean relative path with
// slashes, in UTF-8, without control characters, that does not lead upwards.
func CheckName(name string) error {
	switch {
	case name == "":
		return malformed("empty name")
	case len(name) > MaxName:
		return malformed("name of %d bytes (limit %d)", len(name), MaxName)
	case !utf8.ValidString(name):
		return malformed("name %.80q is not UTF-8", name)
	case strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return malformed("name %.80q has control characters", name)
	case path.IsAbs(name) || path.Clean(name) != name || name == "." || name == ".." || strings.HasPrefix(name, "../"):
		return malformed("name %.80q is not a clean relative path", name)
	}
	return nil
}

// marshal encodes v, which must be of one of this package's types.
func marshal(v any) []byte { return appendValue(nil, v) }

// appendValue appends the encoding of v to b, so that large data is copied once.
func appendValue(b []byte, v any) []byte {
	w := bytes.NewBuffer(b)
	e := msgpack.GetEncoder()
	defer msgpack.PutEncoder(e)
	e.Reset(w)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("wire: %T cannot be encoded: %v", v, err)) // a programming error: only our own types come here
	}
	return w.Bytes()
}

// unmarshal walks b against the limits, then decodes it into v.
func unmarshal(b []byte, v any) error {
	n, err := walk(b)
	if err != nil {
		return err
	}
	if n != len(b) {
		return malformed("%d bytes after the value", len(b)-n)
	}
	return decode(b, v)
}

// decode decodes a value that has been walked.
func decode(b []byte, v any) error {
	if err := msgpack.Unmarshal(b, v); err != nil {
		return malformed("%v", err)
	}
	return nil
}
