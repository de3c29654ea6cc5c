package jpeg

import "errors"

// entropy is one restart segment of a sequential scan while it is decoded.
type entropy struct {
	scale Scale
	data  []byte // unstuffed, with slack behind
	end   int    // of the segment, bits
	r     bits
	pred  [4]int32 // DC prediction of each component

	block [64]int16 // the block being decoded, where one is needed

	blocksEnd int // progressive: so many blocks to come end without a symbol of their own
}

// unit is one block of an MCU.
type unit struct {
	*codes
	component int // index into the frame's components
	x, y      int // of the block in the MCU
	quant     *[64]int16
	dcQuant   int32
	plane     *Plane
	at        int // where in the plane's samples the next block goes
	step      int // from there to the same block of the next MCU
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
	e.scale = dst.Scale
	run := (*entropy).blocks
	if dst.Scale == Eighth {
		run = (*entropy).eighths
	}
	rest, marker := p.data[s.from:s.to], byte(0)
	var first error
	for mcu, segment := 0, 0; mcu < g.mcus(); segment++ {
		if segment > 0 && marker != markerRST0+byte(segment-1)&7 && first == nil {
			g.blank(mcu, g.mcus())
			return g.fault(ranOut, p, s)
		}
		var size int
		e.data, size, rest, marker = unstuff(e.data, rest)
		e.end, e.r, e.pred = size*8, bits{}, [4]int32{}
		until := g.mcus()
		if s.restart > 0 {
			until = min(until, mcu+s.restart)
		}
		for mcu < until {
			count := min(until-mcu, g.mcusX-mcu%g.mcusX)
			g.seek(mcu)
			done, f := run(e, g.units, count)
			mcu += done
			if f != noFault {
				if first == nil {
					first = g.fault(f, p, s)
				}
				g.blank(mcu, until)
				mcu = until
			}
		}
		if marker == 0 && mcu < g.mcus() {
			g.blank(mcu, g.mcus())
			if first == nil {
				first = g.fault(ranOut, p, s)
			}
			return first
		}
	}
	return first
}
