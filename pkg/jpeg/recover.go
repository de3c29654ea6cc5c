package jpeg

// recovered goes on with a block that the look-ups of tables.go could not end. It began at begin and is at r and k.
func (c *codes) recovered(w *window, begin, r bits, diff int32, k uint, to *sink) (_ bits, _ int32, end uint, f fault) {
	for !blockEnds(k) {
		var v int32
		switch {
		case k == tooLong: // the DC difference is
			r, diff, f = c.difference(w, r)
			k = 1
		case k > tooLong:
			r, v, k, f = c.symbol(w, r, k-tooLong)
		case k > 64: // in the next block
			return c.slowly(w, begin, to)
		default:
			r, v, k, f = c.symbol(w, r, k)
		}
		if f != noFault {
			return r, diff, k, f
		}
		if v != 0 {
			to.block[to.place[uint8(k-1)]&63] = int16(v)
		}
		if k > to.last && k < 64 {
			r, k = c.passRest(w, r, k)
		}
	}
	return r, diff, k, noFault
}

// slowly decodes a block symbol by symbol. The block holds only what failed look-ups have left there.
func (c *codes) slowly(w *window, r bits, to *sink) (_ bits, diff int32, k uint, f fault) {
	clear(to.block[:])
	if r, diff, f = c.difference(w, r); f != noFault {
		return r, diff, 0, f
	}
	for k = 1; k < 64; {
		var v int32
		if r, v, k, f = c.symbol(w, r, k); f != noFault {
			return r, diff, k, f
		}
		to.block[to.place[uint8(k-1)]&63] = int16(v)
	}
	return r, diff, k, noFault
}

// difference decodes the DC difference that opens a block.
func (c *codes) difference(w *window, r bits) (_ bits, diff int32, f fault) {
	r, size, ok := c.dc.next(r.refilled(w))
	if !ok {
		return r, 0, badCode
	}
	if size > 0 {
		r, diff = r.receive(uint(size))
	}
	return r, diff, noFault
}

// symbol decodes one AC symbol at k and returns the coefficient, 0 if the symbol has none, and the next k as in
// tables.go. The coefficient's position is then k-1.
func (c *codes) symbol(w *window, r bits, k uint) (_ bits, v int32, next uint, f fault) {
	r, symbol, ok := c.ac.next(r.refilled(w))
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
