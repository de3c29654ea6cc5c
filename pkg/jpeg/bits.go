package jpeg

import "encoding/binary"

// bits reads a segment of unstuffed entropy-coded data, most significant bit first. It is passed and returned by value,
// so that it stays in registers; the data is passed beside it.
//
// acc holds the next bits at its top. Of these n are counted; the bits below them are either zero or those that follow in
// the data, so that refilling may set them again.
type bits struct {
	acc uint64
	n   uint
	pos int // of the next byte to load
}

// refilled returns r with at least 56 bits. It takes no branch: eight bytes are loaded, however many fit.
func (r bits) refilled(data []byte) bits {
	r.acc |= binary.BigEndian.Uint64(data[r.pos:]) >> (r.n & 63)
	r.pos += int((63 - r.n) >> 3)
	r.n |= 56
	return r
}

// drop returns r without its first n < 64 bits, which it must have.
func (r bits) drop(n uint) bits {
	r.acc <<= n & 63
	r.n -= n & 63
	return r
}

// consumed returns how many bits were read.
func (r bits) consumed() int { return r.pos*8 - int(r.n) }

// receive returns the value coded by the next size bits (T.81 F.2.2.1, RECEIVE and EXTEND), size 1..16.
func (r bits) receive(size uint) (bits, int32) {
	v := int32(r.acc >> ((64 - size) & 63))
	return r.drop(size), extend(v, size)
}

// extend turns size bits into the value they code: those that begin with 0 are negative.
func extend(v int32, size uint) int32 {
	if v>>(size-1) == 0 {
		v += -1<<size + 1
	}
	return v
}
