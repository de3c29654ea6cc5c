package jpeg

// eighths decodes MCUs of one row, from the units' place on, of which only the DC coefficients are wanted.
// It returns how many it decoded; they are fewer when there was a fault or the window has to be loaded.
func (e *entropy) eighths(units []unit, mcus int) (done int, f fault) {
	r := e.r
	for ; done < mcus && r.consumed() <= e.end; done++ {
		for i := range units {
			u := &units[i]
			begin := r
			var diff int32
			var k uint
			if r, diff, k = u.pass(&e.window, r); !blockEnds(k) {
				if r, diff, _, f = u.recovered(&e.window, begin, r, diff, k, &e.sink); f != noFault {
					e.r = r
					return done, f
				}
			}
			e.pred[u.component&3] += diff
			u.pix[u.at] = dcSample(e.pred[u.component&3], u.dcQuant)
			u.at += u.step
		}
	}
	e.r = r
	return done, noFault
}

// pass decodes the DC difference of a block and passes over the AC coefficients. It returns where the block ended,
// as in tables.go; recovered deals with other ends than blockEnds allows.
func (c *codes) pass(w *window, r bits) (_ bits, diff int32, k uint) {
	r = r.refilled(w)
	t := c.first[r.acc>>(64-firstBits)]
	r = r.drop(uint(t))
	k, diff = uint(t>>8)&255, int32(t)>>16
	if k >= 64 {
		return r, diff, k
	}
	// What is left of 56 bits suffices for three look-ups; one fewer than in the loop.
	s := c.skips.widest(r)
	r = r.drop(s)
	if k += s >> 8; k >= 64 {
		return r, diff, k
	}
	s = c.skips.widest(r)
	r = r.drop(s)
	if k += s >> 8; k >= 64 {
		return r, diff, k
	}
	s = c.skips.widest(r)
	r = r.drop(s)
	k += s >> 8
	if k < 64 {
		r, k = c.passRest(w, r, k)
	}
	return r, diff, k
}

// passRest passes over AC coefficients from k < 64 on.
func (c *codes) passRest(w *window, r bits, k uint) (bits, uint) {
	for {
		r = r.refilled(w) // for four look-ups
		s := c.skips.widest(r)
		r = r.drop(s)
		if k += s >> 8; k >= 64 {
			return r, k
		}
		s = c.skips.widest(r)
		r = r.drop(s)
		if k += s >> 8; k >= 64 {
			return r, k
		}
		s = c.skips.widest(r)
		r = r.drop(s)
		if k += s >> 8; k >= 64 {
			return r, k
		}
		s = c.skips.widest(r)
		r = r.drop(s)
		if k += s >> 8; k >= 64 {
			return r, k
		}
	}
}

// dcSample is the value of all samples of a block that has a DC coefficient only.
func dcSample(dc, quant int32) byte {
	return clamp((int32(int16(dc))*quant+4)>>3 + 128)
}

func clamp(v int32) byte { return byte(min(max(v, 0), 255)) }
