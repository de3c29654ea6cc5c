package jpeg

// What the fast decoder does not take, arithmetic coding and samples of 12 bits, is decoded here: symbol by symbol, to
// all coefficients of the picture, for every kind of scan.

// block holds coefficients in zigzag order.
type block = [64]int16

// scanCodec decodes the blocks of a scan. begin is called in front of each restart interval.
type scanCodec interface {
	begin()
	decode(b *block, component int) fault // component is an index into those of the scan
}

// maxArithmeticScans bounds the scans of an arithmetic-coded image: ten times what any encoder writes. An empty scan
// costs nothing in Huffman codes, where data are missing at once. Here it stands for zeros, as many as are asked for.
const maxArithmeticScans = 200

// gather decodes all scans and returns the blocks of each component, in whole MCUs. listed is the error of listing
// the scans. With an error the blocks hold what was decoded before it.
func (p *parser) gather(listed error) ([][]block, error) {
	f := &p.frame
	blocks := make([][]block, len(f.components))
	for i := range blocks {
		blocks[i] = make([]block, f.components[i].paddedX*f.components[i].paddedY)
	}
	coded := make([]bool, len(f.components))
	if f.arithmetic && len(p.scans) > maxArithmeticScans {
		return blocks, corruptf(p.scans[maxArithmeticScans].from, "%d scans", len(p.scans))
	}
	for i := range p.scans {
		s := &p.scans[i]
		for _, c := range s.components {
			if coded[c] && !f.progressive {
				return blocks, corruptf(s.from, "%s codes component %d again", scanName(i), f.components[c].ID)
			}
			coded[c] = true
		}
		if err := p.gatherScan(s, blocks); err != nil {
			return blocks, err
		}
	}
	if p.lacksOnlyEnd(listed) {
		return blocks, nil
	}
	if listed != nil && (f.progressive || f.arithmetic) {
		return blocks, listed // what else would have come is not known
	}
	for i, has := range coded {
		if !has && listed != nil {
			return blocks, listed
		}
		if !has || f.progressive && p.known[i][0] == 0 {
			return blocks, corruptf(len(p.data), "no scan has component %d", f.components[i].ID)
		}
	}
	return blocks, nil
}

// gatherScan decodes a scan up to its end or its first fault.
func (p *parser) gatherScan(s *scan, blocks [][]block) error {
	f := &p.frame
	in := &stuffedBytes{data: p.data[s.from:s.to]}
	var codec scanCodec
	if f.arithmetic {
		codec = newArithmeticScan(in, f, s)
	} else {
		codec = newHuffmanScan(in, f, s)
	}
	mcusX, mcusY := f.mcusX, f.mcusY
	alone := len(s.components) == 1
	if c := &f.components[s.components[0]]; alone {
		mcusX, mcusY = c.blocksX, c.blocksY
	}
	for mcu := range mcusX * mcusY {
		switch {
		case mcu == 0:
			codec.begin()
		case s.restart > 0 && mcu%s.restart == 0:
			want := markerRST0 + byte((mcu/s.restart-1)&7)
			switch got := in.marker(); got {
			case want:
				codec.begin()
			case 0:
				return p.stopped(s, in, ranOut)
			default:
				return corruptf(s.from, "%s: marker ff %02x instead of ff %02x", scanName(s.index), got, want)
			}
		}
		x, y := mcu%mcusX, mcu/mcusX
		for i, index := range s.components {
			c := &f.components[index]
			h, v := c.H, c.V
			if alone {
				h, v = 1, 1
			}
			for n := range h * v {
				b := &blocks[index][(y*v+n/h)*c.paddedX+x*h+n%h]
				fault := codec.decode(b, i)
				if fault == noFault && in.missing > 0 && (!f.arithmetic || in.atEnd() && s.cut) {
					fault = ranOut // an arithmetic coder leaves zeros at the end of an interval out
				}
				if fault != noFault {
					if !f.progressive {
						*b = block{}
					}
					return p.stopped(s, in, fault)
				}
			}
		}
	}
	return nil
}

// stopped makes the error of a fault.
func (p *parser) stopped(s *scan, in *stuffedBytes, f fault) error {
	if s.cut && in.atEnd() {
		return p.truncated(scanName(s.index))
	}
	return corruptf(s.from, "%s: %v", scanName(s.index), f)
}

// stuffedBytes reads the entropy-coded data of a scan byte by byte.
type stuffedBytes struct {
	data    []byte
	at      int
	missing int // bytes of the restart interval that were asked for behind its last one
}

// next returns the next byte of the restart interval, and zeros behind the last one.
func (r *stuffedBytes) next() byte {
	if r.at < len(r.data) {
		if b := r.data[r.at]; b != 0xFF {
			r.at++
			return b
		}
		if at := r.afterFill(); at < len(r.data) && r.data[at] == 0 {
			r.at = at + 1
			return 0xFF
		}
	}
	r.missing++
	return 0
}

// afterFill returns where the byte is that follows one or more of FF.
func (r *stuffedBytes) afterFill() int {
	at := r.at
	for at < len(r.data) && r.data[at] == 0xFF {
		at++
	}
	return at
}

// atEnd reports whether no byte of the scan is left.
func (r *stuffedBytes) atEnd() bool { return r.afterFill() >= len(r.data) }

// marker passes over the rest of the restart interval and the marker behind it, whose second byte it returns. It is 0
// where there is none.
func (r *stuffedBytes) marker() byte {
	for r.missing = 0; r.missing == 0; {
		r.next()
	}
	r.missing = 0
	at := r.afterFill()
	if at >= len(r.data) {
		return 0
	}
	r.at = at + 1
	return r.data[at]
}

// huffmanScan decodes a scan of Huffman codes.
type huffmanScan struct {
	in          *stuffedBytes
	scan        *scan
	progressive bool
	dc, ac      []*huffman // by component of the scan; nil where the scan needs none

	bits  uint8 // of the last byte, of which left are not yet used
	left  uint
	pred  [4]int32 // by component of the scan
	ended int      // blocks to come whose band has no more new coefficients
}

func newHuffmanScan(in *stuffedBytes, f *frame, s *scan) *huffmanScan {
	h := &huffmanScan{in: in, scan: s, progressive: f.progressive}
	for i := range s.components {
		dc, ac := new(huffman), new(huffman)
		dc.build(s.dc[i])
		ac.build(s.ac[i])
		h.dc, h.ac = append(h.dc, dc), append(h.ac, ac)
	}
	return h
}

func (h *huffmanScan) begin() { h.left, h.pred, h.ended = 0, [4]int32{}, 0 }

func (h *huffmanScan) bit() uint32 {
	if h.left == 0 {
		h.bits, h.left = h.in.next(), 8
	}
	h.left--
	return uint32(h.bits>>h.left) & 1
}

func (h *huffmanScan) number(size uint) (v int32) {
	for range size {
		v = v<<1 | int32(h.bit())
	}
	return v
}

// value returns the number of a size that is coded next: positive, or negative where its first bit is 0.
func (h *huffmanScan) value(size uint) int32 {
	v := h.number(size)
	if size > 0 && v < 1<<(size-1) {
		v -= 1<<size - 1
	}
	return v
}

func (h *huffmanScan) symbol(t *huffman) (symbol byte, ok bool) {
	code := uint32(0)
	for length := 1; length <= 16; length++ {
		code = code<<1 | h.bit()
		if code<<(16-length) < t.limit[length] {
			return t.spec.symbols[int(t.first[length])+int(code)], true
		}
	}
	return 0, false
}

func (h *huffmanScan) decode(b *block, component int) fault {
	s := h.scan
	if s.start > 0 {
		if s.high > 0 {
			return h.refine(b, h.ac[component])
		}
		return h.band(b, h.ac[component])
	}
	if s.high > 0 {
		b[0] |= int16(h.bit()) << s.low
		return noFault
	}
	size, ok := h.symbol(h.dc[component])
	if !ok {
		return badCode
	}
	h.pred[component] += h.value(uint(size))
	b[0] = int16(h.pred[component] << s.low)
	if h.progressive {
		return noFault
	}
	return h.band(b, h.ac[component])
}

// band decodes the AC coefficients of a sequential scan, or of the first scan of a band.
func (h *huffmanScan) band(b *block, t *huffman) fault {
	if h.ended > 0 {
		h.ended--
		return noFault
	}
	for k := max(h.scan.start, 1); k <= h.scan.end; k++ {
		symbol, ok := h.symbol(t)
		if !ok {
			return badCode
		}
		run, size := int(symbol>>4), uint(symbol&15)
		if size == 0 && run < 15 {
			if h.progressive {
				h.ended = 1<<run + int(h.number(uint(run))) - 1
			}
			return noFault
		}
		if k += run; k > 63 {
			return pastBlock
		}
		if size > 0 {
			b[k] = int16(h.value(size) << h.scan.low)
		}
	}
	return noFault
}

// refine decodes one bit more of a band, T.81 G.1.2.3.
func (h *huffmanScan) refine(b *block, t *huffman) fault {
	k, end, one := h.scan.start, h.scan.end, int16(1)<<h.scan.low
	for h.ended == 0 && k <= end {
		symbol, ok := h.symbol(t)
		if !ok {
			return badCode
		}
		run, fresh := int(symbol>>4), int16(0)
		switch symbol & 15 {
		case 0:
			if run < 15 {
				h.ended = 1<<run + int(h.number(uint(run)))
			}
		case 1:
			if fresh = one; h.bit() == 0 {
				fresh = -one
			}
		default:
			return badCode
		}
		if h.ended > 0 {
			break
		}
		for ; k <= end && (b[k] != 0 || run > 0); k++ { // to the zero behind the run
			if b[k] == 0 {
				run--
			} else {
				h.correct(&b[k], one)
			}
		}
		if fresh != 0 {
			if k > end {
				return pastBlock
			}
			b[k] = fresh
		}
		k++
	}
	if h.ended > 0 {
		for ; k <= end; k++ {
			if b[k] != 0 {
				h.correct(&b[k], one)
			}
		}
		h.ended--
	}
	return noFault
}

// correct makes a coefficient larger by one where the next bit says so.
func (h *huffmanScan) correct(c *int16, one int16) {
	switch {
	case h.bit() == 0:
	case *c < 0:
		*c -= one
	default:
		*c += one
	}
}
