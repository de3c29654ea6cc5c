package jpeg

// dcScan decodes a scan of DC coefficients, one component's or several interleaved.
func (d *Decoder) dcScan(p *parser, s *scan) error {
	g := &grid{mcusX: p.frame.mcusX, mcusY: p.frame.mcusY}
	var units []dcUnit
	for i, index := range s.components {
		f := &p.frame.components[index]
		u := dcUnit{coefs: &d.coefs[index], component: index, mcuWidth: f.H, mcuHeight: f.V}
		if s.high == 0 {
			u.codes = d.cache.get(s.dc[i], nil, firstDC)
		}
		if len(s.components) == 1 {
			g.mcusX, g.mcusY = f.blocksX, f.blocksY
			u.mcuWidth, u.mcuHeight = 1, 1
		}
		for u.y = 0; u.y < u.mcuHeight; u.y++ {
			for u.x = 0; u.x < u.mcuWidth; u.x++ {
				units = append(units, u)
			}
		}
	}
	e := &d.entropy
	return e.segments(p, s, g, func(mcu, count int) (int, fault) {
		for i := range units {
			u := &units[i]
			u.at = (mcu/g.mcusX*u.mcuHeight+u.y)*u.coefs.stride + mcu%g.mcusX*u.mcuWidth + u.x
		}
		if s.high == 0 {
			return e.firstDC(units, count, s.low)
		}
		return e.refinedDC(units, count, s.low)
	})
}

// dcUnit is one block of an MCU in a DC scan.
type dcUnit struct {
	*codes
	coefs               *coefficients
	component           int
	x, y                int // in the MCU
	mcuWidth, mcuHeight int // of the component, in blocks
	at                  int // index of the next block
}

// firstDC decodes MCUs of one row in the first scan of the DC coefficients, down to bit low.
func (e *entropy) firstDC(units []dcUnit, mcus int, low uint) (done int, f fault) {
	r := e.r
	for ; done < mcus && r.consumed() <= e.end; done++ {
		for i := range units {
			u := &units[i]
			r = r.refilled(&e.window)
			t := u.first[r.acc>>(64-firstBits)]
			r = r.drop(uint(t))
			diff := int32(t) >> 16
			if t>>8&255 == tooLong {
				if r, diff, f = u.difference(&e.window, r); f != noFault {
					e.r = r
					return done, f
				}
			}
			e.pred[u.component&3] += diff
			u.coefs.dc[u.at] = int16(e.pred[u.component&3] << low)
			u.at += u.mcuWidth
		}
	}
	e.r = r
	return done, noFault
}

// refinedDC decodes MCUs of one row in a scan that adds bit low to the DC coefficients.
func (e *entropy) refinedDC(units []dcUnit, mcus int, low uint) (done int, f fault) {
	r := e.r
	for ; done < mcus && r.consumed() <= e.end; done++ {
		r = r.refilled(&e.window) // an MCU has at most 10 blocks
		for i := range units {
			u := &units[i]
			u.coefs.dc[u.at] |= int16(r.acc >> 63 << low)
			r = r.drop(1)
			u.at += u.mcuWidth
		}
	}
	e.r = r
	return done, noFault
}
