package isolate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

var errShort = errors.New("message ends early")

// begin starts a message in b, overwriting what b holds; finish sets the message's length.
func begin(b []byte, kind byte) []byte {
	return append(b[:0], 0, 0, 0, 0, kind)
}

func finish(b []byte) []byte {
	binary.LittleEndian.PutUint32(b, uint32(len(b)-headerSize))
	return b
}

func appendU32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
func appendU64(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func append8(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }
func append16(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(s))), s...)
}
func append32(b []byte, s string) []byte { return append(appendU32(b, uint32(len(s))), s...) }

// fields reads the fields of a body. After the first error it returns zeros.
type fields struct {
	b   []byte
	err error
}

func (f *fields) take(n int) []byte {
	if f.err != nil || n < 0 || n > len(f.b) {
		if f.err == nil {
			f.err = errShort
		}
		return nil
	}
	p := f.b[:n]
	f.b = f.b[n:]
	return p
}

func (f *fields) u8() int {
	if p := f.take(1); p != nil {
		return int(p[0])
	}
	return 0
}

func (f *fields) u16() int {
	if p := f.take(2); p != nil {
		return int(binary.LittleEndian.Uint16(p))
	}
	return 0
}

func (f *fields) u32() uint32 {
	if p := f.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (f *fields) u64() uint64 {
	if p := f.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

// size reads a number that must fit an int64.
func (f *fields) size() int64 {
	v := f.u64()
	if v > math.MaxInt64 && f.err == nil {
		f.err = fmt.Errorf("a size of %d", v)
		return 0
	}
	return int64(v)
}

func (f *fields) dimension() int {
	v := f.u32()
	if v > maxDimension && f.err == nil {
		f.err = fmt.Errorf("a side of %d pixels", v)
		return 0
	}
	return int(v)
}

func (f *fields) str(n int) string { return string(f.take(n)) }

func (f *fields) end() error {
	if f.err == nil && len(f.b) > 0 {
		return fmt.Errorf("%d bytes after the end of the message", len(f.b))
	}
	return f.err
}

// readMessage reads one message whose body has at most limit bytes into buf, which it grows as needed.
// The body is valid until the next call with the same buf.
func readMessage(r io.Reader, buf *[]byte, limit int) (kind byte, body []byte, err error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int64(binary.LittleEndian.Uint32(head[:]))
	if n > int64(limit) {
		return 0, nil, fmt.Errorf("a message of %d bytes, the limit is %d", n, limit)
	}
	if int64(cap(*buf)) < n {
		*buf = make([]byte, n)
	}
	body = (*buf)[:n]
	if _, err := io.ReadFull(r, body); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return head[4], body, nil
}

// clip makes s fit for a message and a log line: valid UTF-8 on one line of at most maxText bytes.
func clip(s string) string { return outcome.Clip(s, maxText) }
