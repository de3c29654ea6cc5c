package wire

import (
	"encoding/binary"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// head describes the msgpack value at the start of b: the bytes of its header, the bytes of payload after the header
// (strings, binaries, numbers), and the number of values nested in it.
type head struct {
	code     byte
	header   int
	payload  uint64
	children uint64
}

// sized describes a code that is followed by a length: the width of the length field, and extra payload bytes.
func sized(code byte) (width int, extra uint64, kind byte) {
	switch code {
	case msgpcode.Bin8, msgpcode.Str8:
		return 1, 0, 'p'
	case msgpcode.Bin16, msgpcode.Str16:
		return 2, 0, 'p'
	case msgpcode.Bin32, msgpcode.Str32:
		return 4, 0, 'p'
	case msgpcode.Ext8:
		return 1, 1, 'p'
	case msgpcode.Ext16:
		return 2, 1, 'p'
	case msgpcode.Ext32:
		return 4, 1, 'p'
	case msgpcode.Array16:
		return 2, 0, 'a'
	case msgpcode.Array32:
		return 4, 0, 'a'
	case msgpcode.Map16:
		return 2, 0, 'm'
	case msgpcode.Map32:
		return 4, 0, 'm'
	}
	return 0, 0, 0
}

// fixed is the payload size of the codes without a length.
func fixed(code byte) (payload uint64, ok bool) {
	switch code {
	case msgpcode.Nil, msgpcode.False, msgpcode.True:
		return 0, true
	case msgpcode.Uint8, msgpcode.Int8:
		return 1, true
	case msgpcode.Uint16, msgpcode.Int16, msgpcode.FixExt1:
		return 2, true
	case msgpcode.FixExt2:
		return 3, true
	case msgpcode.Float, msgpcode.Uint32, msgpcode.Int32:
		return 4, true
	case msgpcode.FixExt4:
		return 5, true
	case msgpcode.Double, msgpcode.Uint64, msgpcode.Int64:
		return 8, true
	case msgpcode.FixExt8:
		return 9, true
	case msgpcode.FixExt16:
		return 17, true
	}
	return 0, false
}

func readHead(b []byte) (head, error) {
	if len(b) == 0 {
		return head{}, malformed("it ends where a value should begin")
	}
	c := b[0]
	switch {
	case msgpcode.IsFixedNum(c):
		return head{code: c, header: 1}, nil
	case msgpcode.IsFixedString(c):
		return head{code: c, header: 1, payload: uint64(c & msgpcode.FixedStrMask)}, nil
	case msgpcode.IsFixedArray(c):
		return head{code: c, header: 1, children: uint64(c & msgpcode.FixedArrayMask)}, nil
	case msgpcode.IsFixedMap(c):
		return head{code: c, header: 1, children: 2 * uint64(c&msgpcode.FixedMapMask)}, nil
	}
	if n, ok := fixed(c); ok {
		return head{code: c, header: 1, payload: n}, nil
	}
	width, extra, kind := sized(c)
	if width == 0 {
		return head{}, malformed("no msgpack value begins with byte %#x", c)
	}
	if len(b) < 1+width {
		return head{}, malformed("it ends inside a length")
	}
	var n uint64
	switch width {
	case 1:
		n = uint64(b[1])
	case 2:
		n = uint64(binary.BigEndian.Uint16(b[1:]))
	case 4:
		n = uint64(binary.BigEndian.Uint32(b[1:]))
	}
	h := head{code: c, header: 1 + width}
	switch kind {
	case 'p':
		h.payload = n + extra
	case 'a':
		h.children = n
	case 'm':
		h.children = 2 * n
	}
	return h, nil
}

// walk checks the first msgpack value in b against the limits and returns its length. It neither recurses nor
// allocates, so deep nesting and large announced sizes are harmless.
func walk(b []byte) (int, error) {
	var pending [MaxDepth + 1]uint64 // values still to come at each depth
	depth, pos, seen := 0, 0, 0
	pending[0] = 1
	for {
		for pending[depth] == 0 {
			if depth == 0 {
				return pos, nil
			}
			depth--
		}
		pending[depth]--
		if seen++; seen > MaxElements {
			return 0, malformed("more than %d values", MaxElements)
		}
		h, err := readHead(b[pos:])
		if err != nil {
			return 0, err
		}
		pos += h.header
		if h.payload > uint64(len(b)-pos) || h.children > uint64(len(b)-pos) {
			return 0, malformed("a value announces more than the message holds")
		}
		pos += int(h.payload)
		if h.children > 0 {
			if depth++; depth > MaxDepth {
				return 0, malformed("nested deeper than %d", MaxDepth)
			}
			pending[depth] = h.children
		}
	}
}

// elements checks b, which must be exactly one array, and returns its first elements, at most max, still encoded.
// Further elements are checked and ignored.
func elements(b []byte, max int) ([][]byte, error) {
	n, err := walk(b)
	if err != nil {
		return nil, err
	}
	if n != len(b) {
		return nil, malformed("%d bytes after the value", len(b)-n)
	}
	h, err := readHead(b)
	if err != nil {
		return nil, err
	}
	if !isArray(h.code) {
		return nil, malformed("an array was expected, not code %#x", h.code)
	}
	count := min(int(h.children), max)
	out := make([][]byte, 0, count)
	rest := b[h.header:]
	for range count {
		n, err := walk(rest)
		if err != nil {
			return nil, err
		}
		out = append(out, rest[:n])
		rest = rest[n:]
	}
	return out, nil
}

func isArray(c byte) bool {
	return msgpcode.IsFixedArray(c) || c == msgpcode.Array16 || c == msgpcode.Array32
}

func isMap(c byte) bool {
	return msgpcode.IsFixedMap(c) || c == msgpcode.Map16 || c == msgpcode.Map32
}

// raw returns the payload of an encoded string or binary, without copying it.
func raw(b []byte) ([]byte, error) {
	h, err := readHead(b)
	if err != nil {
		return nil, err
	}
	if !msgpcode.IsString(h.code) && !msgpcode.IsBin(h.code) {
		return nil, malformed("a string or binary was expected, not code %#x", h.code)
	}
	return b[h.header:], nil
}

func isNil(b []byte) bool { return len(b) == 1 && b[0] == msgpcode.Nil }
