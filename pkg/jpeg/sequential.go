package jpeg

// unit is one block of an MCU.
type unit struct {
	*codes
	component int // index into the frame's components
	x, y      int // of the block in the MCU
	quant     *[64]int16
	dcQuant   int32
	pix       []byte // of the plane
	stride    int
	at        int // where in pix the next block goes
	step      int // from there to the same block of the next MCU
	rows      int // of pix in an MCU
}

// sequential decodes the scans of a baseline or extended-sequential file. listed is the error of listing them.
func (d *Decoder) sequential(dst *Planes, p *parser, listed error) error {
	f := &p.frame
	var first error
	note := func(err error) {
		if first == nil || isSurplus(first) && err != nil {
			first = err
		}
	}
	coded := make([]bool, len(f.components))
scans:
	for i := range p.scans {
		s := &p.scans[i]
		for _, c := range s.components {
			if coded[c] { // what the image is, is not sure
				note(corruptf(s.from, "%s codes component %d again", scanName(i), f.components[c].ID))
				break scans
			}
		}
		note(d.sequentialScan(dst, p, s))
		for _, c := range s.components {
			coded[c] = true
		}
	}
	for i, plane := range dst.planes(len(f.components)) {
		if coded[i] {
			continue
		}
		fill(plane.Pix, middle)
		note(listed)
		note(corruptf(len(p.data), "no scan has component %d", f.components[i].ID))
	}
	return first // an image that is complete is not spoiled by what follows it, nor by the lack of an end
}

// sequentialScan decodes a scan. What cannot be decoded becomes mid-gray, up to the next restart marker if there is
// one.
func (d *Decoder) sequentialScan(dst *Planes, p *parser, s *scan) (first error) {
	g := d.layout(dst, &p.frame, s)
	e := &d.entropy
	e.sink.place, e.sink.last = places[dst.Scale], lastNeeded[dst.Scale]
	e.open(p.data[s.from:s.to])
	for mcu, segment := 0, 0; mcu < g.mcus(); segment++ {
		if segment > 0 {
			if err := e.restart(p, s, segment-1); err != nil {
				g.blank(mcu, g.mcus())
				if first == nil {
					first = err
				}
				break
			}
		}
		until := s.segmentEnd(mcu, g.mcus())
		f := g.decode(e, mcu, until, dst.Scale)
		switch {
		case first != nil:
		case f != noFault:
			first = e.fault(f, p, s)
		default:
			first = e.surplus(s)
		}
		mcu = until
	}
	return first
}

// decode decodes the MCUs of a restart segment. Those that it cannot become mid-gray.
func (g *grid) decode(e *entropy, mcu, until int, scale Scale) (f fault) {
	for mcu < until && f == noFault {
		count := min(until-mcu, g.mcusX-mcu%g.mcusX)
		g.seek(mcu)
		var done int
		if scale == Eighth {
			done, f = e.eighths(g.units, count)
		} else {
			done, f = e.blocks(g.units, count, scale)
		}
		mcu += done
		switch {
		case f != noFault:
		case e.spent():
			f = ranOut
			mcu-- // the last one was made of zeros behind the data
		case done < count:
			e.load()
		}
	}
	if f != noFault {
		g.blank(mcu, until)
	}
	return f
}
