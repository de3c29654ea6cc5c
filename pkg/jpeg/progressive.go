package jpeg

import "errors"

// coefficients are what is known of a component of a progressive image: its DC coefficients and of the AC
// coefficients the values that the scale needs, and which of all of them are not zero as far as later scans must
// know that.
type coefficients struct {
	stride int      // blocks in a row
	dc     []int16  // by block
	each   int      // values kept of a block
	values []int16  // by block and place (see places); the first of a block is not used. Behind the last are 64 more
	masks  []uint64 // by block: bit k is set if the coefficient at k in zigzag order is not zero
}

func (c *coefficients) reset(f *component, scale Scale) {
	blocks := f.paddedX * f.paddedY
	c.stride = f.paddedX
	c.dc = sized(c.dc, blocks)
	clear(c.dc)
	if scale == Eighth {
		return
	}
	c.each = scale.kept()
	c.values = sized(c.values, blocks*c.each+64)
	clear(c.values)
	c.masks = sized(c.masks, blocks)
	clear(c.masks)
}

// set sets a block to coefficients in zigzag order.
func (c *coefficients) set(n int, b *block, scale Scale) {
	c.dc[n] = b[0]
	if scale == Eighth {
		return
	}
	for k := 1; k < 64; k++ {
		if place := places[scale][k]; b[k] != 0 && place != 0 {
			c.values[n*c.each+int(place)] = b[k]
			c.masks[n] |= 1 << k
		}
	}
}

// progressive decodes the scans that the scale needs, then transforms. listed is the error of listing the scans.
func (d *Decoder) progressive(dst *Planes, p *parser, opt Options, listed error) error {
	f := &p.frame
	first, decoded := error(nil), false
	if p.lacksOnlyEnd(listed) {
		// The last scan may be cut. That is the same at every scale only if it is decoded for each.
		if first = d.scans(p, Full, false); first == nil || isSurplus(first) {
			listed = nil
		}
		decoded = dst.Scale == Full
	}
	if !decoded {
		first = d.scans(p, dst.Scale, opt.SkipRefinement)
	}
	for i, plane := range dst.planes(len(f.components)) {
		d.coefs[i].transform(plane, &f.components[i], dst.Scale)
		if (first == nil || isSurplus(first)) && listed == nil && p.known[i][0] == 0 {
			first = corruptf(len(p.data), "no scan has component %d", f.components[i].ID)
		}
	}
	if first == nil || isSurplus(first) && listed != nil {
		first = listed // a scan may be missing, or be cut, among those not needed
	}
	return first
}

// scans decodes the scans that a scale needs, up to the first that fails.
func (d *Decoder) scans(p *parser, scale Scale, skipRefinement bool) (first error) {
	for i := range p.frame.components {
		d.coefs[i].reset(&p.frame.components[i], scale)
	}
	for _, s := range selectScans(p.scans, scale, skipRefinement) {
		var err error
		if s.start == 0 {
			err = d.dcScan(p, s.scan)
		} else {
			err = d.bandScan(p, s, scale)
		}
		if err != nil && (first == nil || !isSurplus(err)) {
			first = err
		}
		if err != nil && !isSurplus(err) {
			return first // what follows refines what is not there
		}
	}
	return first
}

// transform writes the samples of a component.
func (c *coefficients) transform(dst *Plane, f *component, scale Scale) {
	if f.quant == nil { // no scan had it
		fill(dst.Pix, middle)
		return
	}
	quant := arranged(f.quant, scale)
	side := int(scale)
	dcQuant, needed, inverse := int32(quant[0]), neededMask(scale), transforms[scale]
	for y := range f.blocksY {
		row := dst.Pix[y*side*dst.Stride:]
		for x := range f.blocksX {
			i := y*c.stride + x
			switch {
			case scale == Eighth:
				row[x] = dcSample(int32(c.dc[i]), dcQuant)
			case c.masks[i]&needed == 0:
				flat(row[x*side:], dst.Stride, scale, dcSample(int32(c.dc[i]), dcQuant))
			default:
				block := (*[64]int16)(c.values[i*c.each:])
				block[0] = c.dc[i]
				inverse(row[x*side:], dst.Stride, block, quant)
			}
		}
	}
}

// neededMask has a bit for each AC coefficient, in zigzag order, that a scale needs.
func neededMask(scale Scale) (mask uint64) {
	for k := range 64 {
		if places[scale][k] != 0 {
			mask |= 1 << k
		}
	}
	return mask
}

// segments calls decode for runs of MCUs of a scan that lie in one row and one restart segment. decode returns how
// many it decoded: fewer when there is a fault or the window has to be loaded. segments stops at the first fault.
func (e *entropy) segments(p *parser, s *scan, g *grid, decode func(mcu, count int) (int, fault)) error {
	e.open(p.data[s.from:s.to])
	var left error
	for mcu, segment := 0, 0; mcu < g.mcus(); segment++ {
		if segment > 0 {
			if err := e.restart(p, s, segment-1); err != nil {
				return err
			}
		}
		for until := s.segmentEnd(mcu, g.mcus()); mcu < until; {
			count := min(until-mcu, g.mcusX-mcu%g.mcusX)
			done, f := decode(mcu, count)
			if f != noFault || e.spent() {
				return e.fault(max(f, ranOut), p, s)
			}
			if mcu += done; done < count {
				e.load()
			}
		}
		if left == nil {
			left = e.surplus(s)
		}
	}
	return left
}

// isSurplus reports whether an error says that all samples are there, though some data was left over.
func isSurplus(err error) bool {
	var corrupt *CorruptError
	return errors.As(err, &corrupt) && corrupt.Surplus
}
