package jpeg

// sink is where the coefficients of a block go.
type sink struct {
	place [256]uint8 // by position in zigzag order, see places
	last  uint       // the last position needed
	block [64]int16  // by place
}

// plainBlocks decodes MCUs of one row, from the units' place on, at a scale other than Eighth: the coefficients that
// the scale needs by value, the others passed over, then the transform. It begins MCUs up to end, as entropy.end, and
// returns how many it decoded; they are fewer when there was a fault or the window has to be loaded.
func (e *entropy) plainBlocks(units []unit, mcus, end int, scale Scale) (done int, f fault) {
	r, inverse := e.r, transforms[scale]
	for ; done < mcus && r.consumed() <= end; done++ {
		for i := range units {
			u := &units[i]
			begin := r
			var diff int32
			var k uint
			if r, diff, k = u.values(&e.window, r, &e.sink); !blockEnds(k) {
				if r, diff, k, f = u.recovered(&e.window, begin, r, diff, k, &e.sink); f != noFault {
					clear(e.sink.block[:])
					e.r = r
					return done, f
				}
			}
			e.pred[u.component&3] += diff
			dc := e.pred[u.component&3]
			if k == endOfBlock+1 && scale != Quarter {
				flat(u.pix[u.at:], u.stride, scale, dcSample(dc, u.dcQuant))
			} else {
				e.sink.block[0] = int16(dc)
				inverse(u.pix[u.at:], u.stride, &e.sink.block, u.quant)
			}
			u.at += u.step
		}
	}
	e.r = r
	return done, noFault
}

// values decodes a block: the DC difference and the coefficients needed, and passes over those behind.
// It returns where the block ended, as in tables.go; recovered deals with other ends than blockEnds allows.
func (c *codes) values(w *window, r bits, to *sink) (_ bits, diff int32, k uint) {
	r = r.refilled(w)
	t := c.open[r.acc>>(64-firstBits)]
	r = r.drop(uint(t))
	k, diff = uint(t>>8)&255, int32(int64(t)>>48)
	to.block[to.place[uint8(t>>24)]&63] = int16(int8(t >> 40))
	to.block[to.place[uint8(t>>16)]&63] = int16(int8(t >> 32))
	if k >= 64 {
		return r, diff, k
	}
	if k > to.last {
		r = r.refilled(w)
	}
	for k <= to.last {
		for range 4 { // look-ups that 56 bits, or the 44 left at first, suffice for
			v := c.value[r.acc>>(64-valueBits)]
			r = r.drop(uint(v))
			if v&valueFollows != 0 {
				r, v = completed(w, r, v)
			}
			to.block[to.place[uint8(k+uint(v>>24))]&63] = int16(v >> 48)
			to.block[to.place[uint8(k+uint(v>>16))]&63] = int16(v >> 32)
			if k += uint(v>>8) & 255; k > to.last {
				break
			}
		}
		if k >= 64 {
			return r, diff, k
		}
		r = r.refilled(w)
	}
	for k < 64 { // there are bits for four look-ups
		s := c.skips.widest(r)
		r = r.drop(s)
		if k += s >> 8; k >= 64 {
			break
		}
		s = c.skips.widest(r)
		r = r.drop(s)
		if k += s >> 8; k >= 64 {
			break
		}
		s = c.skips.widest(r)
		r = r.drop(s)
		if k += s >> 8; k >= 64 {
			break
		}
		s = c.skips.widest(r)
		r = r.drop(s)
		k += s >> 8
		r = r.refilled(w)
	}
	return r, diff, k
}

// completed returns an entry of a valueTable with the value that follows, and r, behind that, refilled.
func completed(w *window, r bits, entry uint64) (bits, uint64) {
	r, value := r.refilled(w).receive(uint(entry>>32) & 15)
	return r.refilled(w), entry&0xFFFF_FFFF | uint64(uint16(value))<<32
}

// transform writes a block's samples to dst and clears its values, but for the first.
type transform func(dst []byte, stride int, block, quant *[64]int16)

var transforms = [9]transform{
	Quarter: quarter, ThreeEighths: threeEighths, Half: half,
	FiveEighths: fiveEighths, ThreeQuarters: threeQuarters, SevenEighths: sevenEighths, Full: full,
}
