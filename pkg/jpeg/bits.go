package jpeg

// bits reads the window, most significant bit first. It is passed and returned by value, so that it stays in registers; the
// window is passed beside it.
//
// acc holds the next bits at its top. Of these n are counted; the bits below them are either zero or those that follow in
// the data, so that refilling may set them again.
type bits struct {
	acc uint64
	n   uint
	pos uint // of the next byte to load
}

// refilled returns r with at least 56 bits. It takes no branch: eight bytes are loaded, however many fit.
func (r bits) refilled(w *window) bits {
	p := r.pos & (windowSize - 1)
	next := uint64(w[p+7]) | uint64(w[p+6])<<8 | uint64(w[p+5])<<16 | uint64(w[p+4])<<24 |
		uint64(w[p+3])<<32 | uint64(w[p+2])<<40 | uint64(w[p+1])<<48 | uint64(w[p])<<56
	r.acc |= next >> (r.n & 63)
	r.pos += (63 - r.n) >> 3
	r.n |= 56
	return r
}

// drop returns r without its first n < 64 bits, which it must have. Higher bits of n than the lowest six are ignored.
func (r bits) drop(n uint) bits {
	r.acc <<= n & 63
	r.n -= n & 63
	return r
}

// consumed returns how many bits of the window were read; it is negative when some are left of what came before.
func (r bits) consumed() int { return int(r.pos*8 - r.n) }

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
