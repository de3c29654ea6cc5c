package jpeg

import (
	"encoding/binary"
	"strconv"
)

// frame is what the frame header (SOF) says and what follows from it.
type frame struct {
	progressive  bool
	arithmetic   bool
	components   []component // nil until the frame header was read
	mcusX, mcusY int         // of a scan that interleaves all components
	hMax, vMax   int         // largest sampling factors
}

// component is one component of the frame.
type component struct {
	Component
	width, height int // in samples of its own
	blocksX       int // blocks that hold samples of the image; a scan of this component alone codes these
	blocksY       int
	paddedX       int // blocks coded when the component is interleaved with others: whole MCUs
	paddedY       int
	quantFrom     byte        // destination of its quantization table
	quant         *[64]uint16 // as it was at the component's first scan; zigzag order
}

// scan is one SOS header and where its entropy-coded data lies.
type scan struct {
	index      int   // in the file
	components []int // indices into frame.components
	dc, ac     []*huffSpec
	tables     [2][]byte  // of each component, the destinations of its tables for DC and AC
	condition  [2][4]byte // of arithmetic coding, by class and destination: how bins are chosen
	start, end int        // first and last spectral coefficient, in zigzag order
	high, low  uint       // successive approximation: bit position before and after this scan; high 0 for the first
	restart    int        // interval in MCUs, 0 for none
	from, to   int        // entropy-coded data, offsets into the file
	cut        bool       // the file ends in the scan
}

func scanName(index int) string { return "scan " + strconv.Itoa(index+1) }

// frameHeader reads SOFn.
func (p *parser) frameHeader(marker byte, b []byte, at int) error {
	if p.frame.components != nil {
		return corruptf(at, "a second frame header")
	}
	if len(b) < 6 || len(b) < 6+3*int(b[5]) {
		return corruptf(at, "a frame header of %d bytes", len(b))
	}
	f, h := &p.frame, &p.header
	h.Height, h.Width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	f.progressive = marker == markerSOF0+2 || marker == markerSOF0+10
	f.arithmetic = marker > markerSOF0+8
	h.Progressive, h.Arithmetic, h.Precision = f.progressive, f.arithmetic, int(b[0])
	f.hMax, f.vMax = 1, 1
	components := make([]component, b[5])
	for i := range components {
		c := &components[i]
		spec := b[6+3*i:]
		c.ID, c.H, c.V, c.quantFrom = spec[0], int(spec[1]>>4), int(spec[1]&15), spec[2]
		if c.H < 1 || c.H > 4 || c.V < 1 || c.V > 4 || c.quantFrom > 3 {
			return corruptf(at, "component %d: sampling %dx%d, quantization table %d", i, c.H, c.V, c.quantFrom)
		}
		for _, other := range components[:i] {
			if other.ID == c.ID {
				return corruptf(at, "components of the same identifier %d", c.ID)
			}
		}
		f.hMax, f.vMax = max(f.hMax, c.H), max(f.vMax, c.V)
		h.Components = append(h.Components, c.Component)
	}
	if feature := unsupported(marker, b[0], p.twelve, len(components), h.Height); feature != "" {
		return &UnsupportedError{feature}
	}
	if h.Width == 0 {
		return corruptf(at, "a width of 0")
	}
	f.mcusX, f.mcusY = ceilDiv(h.Width, 8*f.hMax), ceilDiv(h.Height, 8*f.vMax)
	for i := range components {
		c := &components[i]
		c.width, c.height = ceilDiv(h.Width*c.H, f.hMax), ceilDiv(h.Height*c.V, f.vMax)
		c.blocksX, c.blocksY = ceilDiv(c.width, 8), ceilDiv(c.height, 8)
		c.paddedX, c.paddedY = f.mcusX*c.H, f.mcusY*c.V
	}
	f.components = components
	return nil
}

// unsupported names what of a frame header this package does not do, "" if it does all. twelve says that samples of 12
// bits are decoded.
func unsupported(marker, precision byte, twelve bool, components, height int) Feature {
	switch marker - markerSOF0 {
	case 0, 1, 2, 9, 10:
	case 3, 11:
		return Lossless
	case 5, 6, 7, 13, 14, 15:
		return Hierarchical
	default:
		return Reserved
	}
	switch {
	case precision == 12 && !twelve:
		return Precision12
	case precision != 8 && precision != 12:
		return OddPrecision
	case components != 1 && components != 3 && components != 4:
		return OddComponents
	case height == 0:
		return HeightAfterScan
	}
	return ""
}

// scan reads a scan header and moves past the entropy-coded data.
func (p *parser) scan() error {
	at := p.pos
	b, err := p.content(scanName(len(p.scans)))
	if err != nil {
		return err
	}
	if len(b) < 1 || len(b) != 4+2*int(b[0]) || b[0] < 1 || int(b[0]) > len(p.frame.components) {
		return corruptf(at, "a scan header of %d bytes", len(b))
	}
	n := int(b[0])
	s := scan{index: len(p.scans), restart: p.restart, from: p.pos, condition: p.condition}
	blocks := 0
	for i := range n {
		c := p.component(b[1+2*i], s.components)
		dc, ac := b[2+2*i]>>4, b[2+2*i]&15
		if c < 0 || dc > 3 || ac > 3 {
			return corruptf(at, "scan of component %d, tables %d and %d", b[1+2*i], dc, ac)
		}
		s.components = append(s.components, c)
		s.dc = append(s.dc, p.huffman[0][dc])
		s.ac = append(s.ac, p.huffman[1][ac])
		s.tables[0], s.tables[1] = append(s.tables[0], dc), append(s.tables[1], ac)
		if s.dc[i] == nil && dc < 2 { // Motion JPEG leaves the tables of annex K out
			s.dc[i] = annexK(0, dc)
		}
		if s.ac[i] == nil && ac < 2 {
			s.ac[i] = annexK(1, ac)
		}
		blocks += p.frame.components[c].H * p.frame.components[c].V
	}
	if n > 1 && blocks > 10 {
		return corruptf(at, "%d blocks in an MCU; 10 are allowed", blocks)
	}
	s.start, s.end = int(b[1+2*n]), int(b[2+2*n])
	s.high, s.low = uint(b[3+2*n]>>4), uint(b[3+2*n]&15)
	if !p.frame.progressive { // libjpeg, too, does not insist on the values that T.81 wants here
		s.start, s.end, s.high, s.low = 0, 63, 0, 0
	}
	if err := p.check(&s, at); err != nil {
		return err
	}
	p.skipEntropy(&s)
	p.scans = append(p.scans, s)
	return nil
}

// component finds a component by its identifier among those that the scan does not have yet, -1 if there is none.
func (p *parser) component(id byte, taken []int) int {
	for i := range p.frame.components {
		if p.frame.components[i].ID != id {
			continue
		}
		for _, t := range taken {
			if t == i {
				return -1
			}
		}
		return i
	}
	return -1
}

// check sees to it that a scan continues what the scans before it have coded and that the tables which it needs are
// there. It keeps the quantization tables.
func (p *parser) check(s *scan, at int) error {
	progressive := p.frame.progressive
	if s.start > s.end || s.end > 63 || s.low > 13 || s.high != 0 && s.high != s.low+1 ||
		progressive && s.start == 0 && s.end > 0 || progressive && s.start > 0 && len(s.components) > 1 {
		return corruptf(at, "scan of %d components, coefficients %d to %d, bits %d to %d",
			len(s.components), s.start, s.end, s.high, s.low)
	}
	for i, c := range s.components {
		comp := &p.frame.components[c]
		huffman := !p.frame.arithmetic
		if huffman && s.start == 0 && s.high == 0 && s.dc[i] == nil {
			return corruptf(at, "scan of component %d without its DC Huffman table", comp.ID)
		}
		if huffman && s.end > 0 && s.ac[i] == nil {
			return corruptf(at, "scan of component %d without its AC Huffman table", comp.ID)
		}
		for k := s.start; progressive && k <= s.end; k++ {
			known := p.known[c][k]
			if known != 0 && known != int8(s.high)+1 || known == 0 && s.high != 0 || known == 1 {
				return corruptf(at, "scan codes coefficient %d of component %d from bit %d on after bit %d",
					k, comp.ID, s.high, known-1)
			}
			p.known[c][k] = int8(s.low) + 1
		}
		if comp.quant != nil {
			continue
		}
		if comp.quant = p.quant[comp.quantFrom]; comp.quant == nil {
			return corruptf(at, "component %d without its quantization table %d", comp.ID, comp.quantFrom)
		}
	}
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
