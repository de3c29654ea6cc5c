package jpeg

// blocks decodes MCUs of one row, from the units' place on, at a scale other than Eighth: the coefficients that the scale needs
// by value, the others passed over, then the transform. It returns how many it decoded.
func (e *entropy) blocks(units []unit, mcus int) (int, fault) {
	r, data, end, block := e.r, e.data, e.end, &e.block
	place, last, inverse := &places[e.scale], lastNeeded[e.scale], transforms[e.scale]
	for m := range mcus {
		for i := range units {
			u := &units[i]
			if r.consumed() > end {
				return m, ranOut
			}
			r = r.refilled(data)
			begin := r
			t := u.first[r.acc>>(64-firstBits)]
			r = r.drop(uint(t))
			k, diff := uint(t>>8)&255, int32(t)>>16
			if k == tooLong {
				var f fault
				if r, diff, f = u.difference(r, data); f != noFault {
					return m, f
				}
				k = 1
			}
			for {
				for k <= last {
					r = r.refilled(data)
					v := u.values[r.acc>>(64-valueBits)]
					r = r.drop(uint(v))
					block[place[uint8(k+uint(v>>24))]&63] = int16(v >> 48)
					block[place[uint8(k+uint(v>>16))]&63] = int16(v >> 32)
					k += uint(v>>8) & 255
				}
				for k < 64 {
					r = r.refilled(data)
					s := u.skip[r.acc>>(64-skipBits)]
					r = r.drop(uint(s))
					k += uint(s >> 8)
				}
				if blockEnds(k) {
					break
				}
				var f fault
				if k >= tooLong {
					var v int32
					if r, v, k, f = u.value(r, data, k-tooLong); v != 0 {
						block[place[uint8(k-1)]&63] = int16(v)
					}
				} else {
					r, diff, k, f = u.block(begin, data, block, place)
				}
				if f != noFault {
					clear(block[:])
					return m, f
				}
			}
			e.pred[u.component&3] += diff
			dc := e.pred[u.component&3]
			if k == endOfBlock+1 {
				flat(u.plane.Pix[u.at:], u.plane.Stride, 8/int(e.scale), dcSample(dc, u.dcQuant))
			} else {
				block[0] = int16(dc)
				inverse(u.plane.Pix[u.at:], u.plane.Stride, block, u.quant)
			}
			u.at += u.step
		}
	}
	e.r = r
	if r.consumed() > end {
		return mcus - 1, ranOut
	}
	return mcus, noFault
}

// transform writes a block's samples to dst and clears its values, but for the first.
type transform func(dst []byte, stride int, block, quant *[64]int16)

var transforms = [9]transform{Full: full, Half: half, Quarter: quarter}
