package jpeg

import "encoding/binary"

// bits reads the window, most significant bit first. It is passed and returned by value, so that it stays in
// registers; the window is passed beside it.
//
// acc holds the next bits at its top. Of these n, modulo 64, are counted; the bits below them are either zero or
// those that follow in the data, so that refilling may set them again.
type bits struct {
	acc uint64
	n   uint
	pos uint // of the next byte to load
}

// refilled returns r with at least 56 bits. It takes no branch: eight bytes are loaded, however many fit.
func (r bits) refilled(w *window) bits {
	p, n := r.pos&(windowSize-1), r.n&63
	r.acc |= binary.BigEndian.Uint64(w[p:p+8]) >> n
	r.pos += (63 - n) >> 3
	r.n = n | 56
	return r
}

// drop returns r without as many of its bits as the lowest six of n say, which it must have. So a table's entry can
// be given as it is.
func (r bits) drop(n uint) bits {
	r.acc <<= n & 63
	r.n -= n
	return r
}

// consumed returns how many bits of the window were read; it is negative when some are left of what came before.
func (r bits) consumed() int { return int(r.pos*8 - r.n&63) }

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
