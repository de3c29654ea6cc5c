package jpeg

// eighths decodes MCUs of one row, from the units' place on, of which only the DC coefficients are wanted.
// It returns how many it decoded.
func (e *entropy) eighths(units []unit, mcus int) (int, fault) {
	r, data, end := e.r, e.data, e.end
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
				r, k = r.refilled(data), 1
			}
			// The bits left suffice for three more look-ups, then for four at a time.
			if k < 64 {
				s := u.skip[r.acc>>(64-skipBits)]
				r = r.drop(uint(s))
				if k += uint(s >> 8); k < 64 {
					s := u.skip[r.acc>>(64-skipBits)]
					r = r.drop(uint(s))
					if k += uint(s >> 8); k < 64 {
						s := u.skip[r.acc>>(64-skipBits)]
						r = r.drop(uint(s))
						k += uint(s >> 8)
					}
				}
			}
			for !blockEnds(k) {
				for k < 64 {
					r = r.refilled(data)
					s := u.skip[r.acc>>(64-skipBits)]
					r = r.drop(uint(s))
					if k += uint(s >> 8); k < 64 {
						s := u.skip[r.acc>>(64-skipBits)]
						r = r.drop(uint(s))
						if k += uint(s >> 8); k < 64 {
							s := u.skip[r.acc>>(64-skipBits)]
							r = r.drop(uint(s))
							if k += uint(s >> 8); k < 64 {
								s := u.skip[r.acc>>(64-skipBits)]
								r = r.drop(uint(s))
								k += uint(s >> 8)
							}
						}
					}
				}
				if blockEnds(k) {
					break
				}
				var f fault
				if k >= tooLong {
					r, _, k, f = u.value(r, data, k-tooLong)
				} else {
					r, diff, k, f = u.block(begin, data, &e.block, &places[Eighth])
				}
				if f != noFault {
					return m, f
				}
			}
			e.pred[u.component&3] += diff
			u.plane.Pix[u.at] = dcSample(e.pred[u.component&3], u.dcQuant)
			u.at += u.step
		}
	}
	e.r = r
	if r.consumed() > end {
		return mcus - 1, ranOut
	}
	return mcus, noFault
}

// dcSample is the value of all samples of a block that has a DC coefficient only.
func dcSample(dc, quant int32) byte {
	return clamp((int32(int16(dc))*quant+4)>>3 + 128)
}

func clamp(v int32) byte { return byte(min(max(v, 0), 255)) }
