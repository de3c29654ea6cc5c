package jpeg

// difference decodes the DC difference that opens a block.
func (c *codes) difference(r bits, data []byte) (_ bits, diff int32, f fault) {
	r, size, ok := c.dc.next(r.refilled(data))
	if !ok {
		return r, 0, badCode
	}
	if size > 0 {
		r, diff = r.receive(uint(size))
	}
	return r, diff, noFault
}

// value decodes one AC symbol at k and returns the coefficient, 0 if the symbol has none, and the next k as in tables.go. The
// coefficient's position is then k-1.
func (c *codes) value(r bits, data []byte, k uint) (_ bits, v int32, next uint, f fault) {
	r, symbol, ok := c.ac.next(r.refilled(data))
	if !ok {
		return r, 0, k, badCode
	}
	s, _ := sequentialAC(symbol)
	if s.advance != endOfBlock && k+s.advance > 64 {
		return r, 0, k, pastBlock
	}
	if s.size > 0 {
		r, v = r.receive(s.size)
	}
	return r, v, k + s.advance, noFault
}

// block decodes a block symbol by symbol, which remains when the look-ups of tables.go ran on into the next block.
// It writes the AC coefficients to dst, place telling where, and returns the DC difference and where the block ended.
func (c *codes) block(r bits, data []byte, dst *[64]int16, place *[256]uint8) (_ bits, diff int32, k uint, f fault) {
	clear(dst[:])
	if r, diff, f = c.difference(r, data); f != noFault {
		return r, diff, 0, f
	}
	for k = 1; k < 64; {
		var v int32
		if r, v, k, f = c.value(r, data, k); f != noFault {
			return r, diff, k, f
		}
		dst[place[uint8(k-1)]&63] = int16(v)
	}
	return r, diff, k, noFault
}

// zigzag is the order of coefficients in the stream: 8*row + column.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}
