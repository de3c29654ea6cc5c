package jpeg

import "errors"

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

// fault is what stopped the decoding of entropy-coded data.
type fault int

const (
	noFault   fault = iota
	ranOut          // the data is consumed before the segment's MCUs are complete
	badCode         // bits that the Huffman table gives no meaning
	pastBlock       // a run of zeros that leads past coefficient 63
)

func (f fault) String() string {
	return [...]string{"no fault", "the data ends too early", "bits that are no Huffman code", "a coefficient past the 63rd"}[f]
}

// sequential decodes the scans of a baseline or extended-sequential file. listed is the error of listing them.
func (d *Decoder) sequential(dst *Planes, p *parser, listed error) error {
	var first error
	f := &p.frame
	seen := make([]bool, len(f.components))
	for i := range p.scans {
		s := &p.scans[i]
		for _, c := range s.components {
			if seen[c] {
				return errors.Join(first, corruptf(s.from, "%s codes component %d again", scanName(i), f.components[c].ID))
			}
			seen[c] = true
		}
		if err := d.sequentialScan(dst, p, s); err != nil && first == nil {
			first = err
		}
	}
	for c, ok := range seen {
		if ok {
			continue
		}
		fill(dst.planes(len(f.components))[c].Pix, middle)
		if first == nil {
			first = corruptf(len(p.data), "no scan has component %d", f.components[c].ID)
			if !p.ended {
				first = p.truncated(p.after())
			}
		}
	}
	var truncated *TruncatedError
	if first == nil && !errors.As(listed, &truncated) {
		first = listed // truncation after the last scan took nothing away
	}
	return first
}

// sequentialScan decodes a scan. What cannot be decoded becomes mid-gray up to the next restart marker.
func (d *Decoder) sequentialScan(dst *Planes, p *parser, s *scan) error {
	g := d.layout(dst, &p.frame, s)
	e := &d.entropy
	e.open(p.data[s.from:s.to])
	var worst fault
	for mcu, segment := 0, 0; mcu < g.mcus(); segment++ {
		if segment > 0 && e.marker != markerRST0+byte(segment-1)&7 {
			g.blank(mcu, g.mcus())
			worst = max(worst, ranOut)
			break
		}
		if segment > 0 {
			e.next()
		}
		until := g.mcus()
		if s.restart > 0 {
			until = min(until, mcu+s.restart)
		}
		if f := g.decode(e, mcu, until, dst.Scale); f != noFault {
			worst = max(worst, f)
		}
		for !e.whole { // data left over, or given up
			e.r.pos = uint(e.size)
			e.load()
		}
		mcu = until
	}
	if worst != noFault {
		return g.fault(worst, p, s)
	}
	return nil
}

// decode decodes the MCUs of a restart segment. Those that it cannot become mid-gray.
func (g *grid) decode(e *entropy, mcu, until int, scale Scale) fault {
	for mcu < until {
		count := min(until-mcu, g.mcusX-mcu%g.mcusX)
		g.seek(mcu)
		var done int
		var f fault
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
			mcu-- // the last one was made of zeros
		case done < count:
			e.load()
		}
		if f != noFault {
			g.blank(mcu, until)
			return f
		}
	}
	return noFault
}
