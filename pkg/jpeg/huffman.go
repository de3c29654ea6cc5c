package jpeg

import "bytes"

// huffSpec is a Huffman table as DHT defines it. It is not changed once read.
type huffSpec struct {
	count   [17]byte // how many codes there are of each length, 1..16
	symbols []byte   // in the order of their codes
}

func (s *huffSpec) equal(other *huffSpec) bool {
	return s == other || (s != nil && other != nil && s.count == other.count && bytes.Equal(s.symbols, other.symbols))
}

// readHuffSpec reads one table of a DHT segment, past its class and destination, and returns how many bytes it took.
func readHuffSpec(b []byte, class byte, at int) (*huffSpec, int, error) {
	if len(b) < 16 {
		return nil, 0, corruptf(at, "Huffman table cut short")
	}
	s := &huffSpec{}
	copy(s.count[1:], b)
	total, code := 0, 0
	for length := 1; length <= 16; length++ {
		total += int(s.count[length])
		code = code<<1 + int(s.count[length])
		if code > 1<<length {
			return nil, 0, corruptf(at, "Huffman table with more codes of length %d than there are", length)
		}
	}
	if total > 256 || total > len(b)-16 {
		return nil, 0, corruptf(at, "Huffman table of %d symbols in %d bytes", total, len(b)-16)
	}
	s.symbols = bytes.Clone(b[16 : 16+total])
	for _, symbol := range s.symbols {
		if class == 0 && symbol > 15 {
			return nil, 0, corruptf(at, "DC Huffman table with symbol %d", symbol)
		}
	}
	return s, 16 + total, nil
}

// each calls f for every code of at most maxLength bits, in order.
func (s *huffSpec) each(maxLength uint, f func(code uint, length uint, symbol byte)) {
	code, i := uint(0), 0
	for length := uint(1); length <= min(maxLength, 16); length++ {
		for range s.count[length] {
			f(code, length, s.symbols[i])
			code++
			i++
		}
		code <<= 1
	}
}

// symbolBits is the width of a huffman's look-up.
const symbolBits = 9

// huffman decodes one symbol at a time.
type huffman struct {
	lookup [1 << symbolBits]uint16 // length<<8 | symbol; 0 where the code is longer
	limit  [18]uint32              // by length: past its last code, aligned to 16 bits; the last entry ends the search
	first  [17]int32               // by length: index of its first symbol less its first code
	spec   *huffSpec               // nil until built
}

// build makes h decode s, which is nil where a scan has no such table.
func (h *huffman) build(s *huffSpec) {
	*h = huffman{spec: s}
	if s == nil {
		return
	}
	s.each(symbolBits, func(code, length uint, symbol byte) {
		fill(h.lookup[code<<(symbolBits-length):][:1<<(symbolBits-length)], uint16(length)<<8|uint16(symbol))
	})
	code, i := 0, 0
	for length := 1; length <= 16; length++ {
		h.first[length] = int32(i - code)
		i += int(s.count[length])
		code += int(s.count[length])
		h.limit[length] = uint32(code) << (16 - length)
		code <<= 1
	}
	h.limit[17] = 1 << 16
}

// next returns the next symbol; r must have 16 bits. A code that the table does not have returns ok false.
func (h *huffman) next(r bits) (_ bits, symbol byte, ok bool) {
	if e := h.lookup[r.acc>>(64-symbolBits)]; e != 0 {
		return r.drop(uint(e >> 8)), byte(e), true
	}
	peek := uint32(r.acc >> 48)
	length := symbolBits + 1
	for peek >= h.limit[length] {
		length++
	}
	if length > 16 {
		return r, 0, false
	}
	i := int(h.first[length]) + int(peek>>(16-length))
	if uint(i) >= uint(len(h.spec.symbols)) {
		return r, 0, false
	}
	return r.drop(uint(length)), h.spec.symbols[i], true
}

func fill[T any](s []T, v T) {
	for i := range s {
		s[i] = v
	}
}
