package hevc

import "github.com/imagefarm/imagefarm/pkg/bitstream"

// unit is what is known of a coding unit.
type unit struct {
	qp                int // QpY
	predictedQP       int
	lastQP            int // of the unit before
	qpDeltaCoded      bool
	chromaOffsetCoded bool
	chromaOffset      [2]int // CuQpOffset
	broken            bool   // something was decoded that cannot be

	bypass      bool // cu_transquant_bypass_flag
	parted      bool // PART_NxN
	modes       [4]uint8
	chromaModes [4]uint8
}

// Modes of prediction (table 8-1). Those between are angles.
const (
	modePlanar     = 0
	modeDC         = 1
	modeHorizontal = 10
	modeVertical   = 26
)

// codingUnit decodes a coding unit (7.3.8.5).
func (d *decoder) codingUnit(x, y, log2, depth int) {
	c, seq := &d.c, d.seq
	size := 1 << log2
	d.bypass = d.pic.bypass && c.flag(ctxBypass)
	d.parted = log2 == seq.log2MinCB && !c.flag(ctxPartMode)
	for i := range size >> 3 {
		d.depths[x>>3+i] = uint8(depth)
		d.depthsLeft[(y-d.y)>>3+i] = uint8(depth)
	}
	if seq.pcm && !d.parted && log2 >= seq.log2MinPCM && log2 <= seq.log2MaxPCM && c.terminate() {
		d.setModes(x, y, size, modeDC)
		d.markEdges(x, y, size)
		d.samples(x, y, log2)
		d.finishUnit(x, y, size, d.bypass || seq.pcmUnfiltered)
		return
	}
	d.parseModes(x, y, size)
	limit := seq.maxDepth
	if d.parted {
		limit++
	}
	d.transformTree(node{x: x, y: y, baseX: x, baseY: y, log2: log2, limit: limit, coded: [2]uint8{3, 3}})
	d.finishUnit(x, y, size, d.bypass)
}

// finishUnit notes what filters and later units want to know.
func (d *decoder) finishUnit(x, y, size int, exact bool) {
	d.lastQP = d.qp
	at := y>>3*d.unitsAcross + x>>3
	n := size >> 3
	for range n {
		row := d.qps[at:][:n]
		for i := range row {
			row[i] = int8(d.qp)
		}
		if exact {
			for i := range n {
				d.units[at+i] |= lossless
			}
		}
		at += d.unitsAcross
	}
}

// setModes notes the mode of a block.
func (d *decoder) setModes(x, y, size int, mode uint8) {
	left, top := (x-d.x)>>2, (y-d.y)>>2
	for i := range size >> 2 {
		d.modesAbove[left+i] = mode
		d.modesLeft[top+i] = mode
	}
}

// parseModes reads how the blocks of a unit are predicted (8.4.2 and 8.4.3).
func (d *decoder) parseModes(x, y, size int) {
	c := &d.c
	parts := 1
	if d.parted {
		parts = 4
		size /= 2
	}
	var predicted [4]bool
	for i := range parts {
		predicted[i] = c.flag(ctxPrevIntra)
	}
	for i := range parts {
		index, rest := 0, 0
		if predicted[i] {
			if c.bypass() != 0 {
				index = 1 + c.bypass()
			}
		} else {
			rest = c.number(5)
		}
		px, py := x+i&1*size, y+i>>1*size
		candidates := likelyModes(d.modesLeft[(py-d.y)>>2], d.modesAbove[(px-d.x)>>2])
		mode := candidates[index]
		if !predicted[i] {
			mode = otherMode(candidates, uint8(rest))
		}
		d.modes[i] = mode
		d.setModes(px, py, size, mode)
	}
	if d.seq.chroma == 0 {
		return
	}
	if d.seq.chroma != 3 {
		parts = 1
	}
	for i := range parts {
		d.chromaModes[i] = d.chromaMode(d.modes[i])
	}
}

// likelyModes returns candModeList of the modes left and above.
func likelyModes(left, above uint8) [3]uint8 {
	if left == above {
		if left < 2 {
			return [3]uint8{modePlanar, modeDC, modeVertical}
		}
		return [3]uint8{left, 2 + (left+29)&31, 2 + (left-2+1)&31}
	}
	third := uint8(modeVertical)
	if left != modePlanar && above != modePlanar {
		third = modePlanar
	} else if left != modeDC && above != modeDC {
		third = modeDC
	}
	return [3]uint8{left, above, third}
}

// otherMode returns the mode of a number among those that are not likely.
func otherMode(likely [3]uint8, mode uint8) uint8 {
	a, b, c := likely[0], likely[1], likely[2]
	if a > b {
		a, b = b, a
	}
	if a > c {
		a, c = c, a
	}
	if b > c {
		b, c = c, b
	}
	for _, m := range [3]uint8{a, b, c} {
		if mode >= m {
			mode++
		}
	}
	return mode
}

// modes422 is table 8-3: the modes of chroma whose samples are twice as high as wide.
var modes422 = [35]uint8{
	0, 1, 2, 2, 2, 2, 3, 5, 7, 8, 10, 12, 13, 15, 17, 18, 19, 20, 21, 22, 23, 23, 24, 24, 25, 25, 26, 27, 27, 28, 28, 29,
	29, 30, 31,
}

// chromaMode reads the mode of chroma beside one of luma.
func (d *decoder) chromaMode(luma uint8) uint8 {
	mode := luma
	if d.c.flag(ctxIntraChroma) {
		mode = [4]uint8{modePlanar, modeVertical, modeHorizontal, modeDC}[d.c.number(2)&3]
		if mode == luma {
			mode = 34
		}
	}
	if d.seq.chroma == 2 {
		mode = modes422[mode]
	}
	return mode
}

// samples reads a block without compression (7.3.8.7).
func (d *decoder) samples(x, y, log2 int) {
	c, seq := &d.c, d.seq
	b := bitstream.Reader{Data: c.data[:c.size], At: 8 * min(c.nextByte(), c.size)}
	for comp := range seq.components() {
		w, h := 1<<log2>>seq.across(comp), 1<<log2>>seq.down(comp)
		bits := seq.pcmDepth[min(comp, 1)]
		shift := seq.depthOf(comp) - bits
		at := d.at(comp, x>>seq.across(comp), y>>seq.down(comp))
		for range h {
			row := d.bands[comp].pix[at:][:w]
			for i := range row {
				row[i] = uint16(b.Number(bits) << shift)
			}
			at += d.bands[comp].stride
		}
	}
	if b.Short {
		d.broken = true
	}
	c.start((b.At + 7) / 8)
}

// parseQP reads the difference of the quantizer (7.3.8.14).
func (d *decoder) parseQP() {
	c := &d.c
	d.qpDeltaCoded = true
	delta := 0
	if c.flag(ctxQPDelta) {
		delta = 1
		for delta < 5 && c.flag(ctxQPDelta+1) {
			delta++
		}
		if delta == 5 {
			delta += c.golomb(0)
		}
		if delta != 0 && c.bypass() != 0 {
			delta = -delta
		}
	}
	span := 6 * (d.seq.depth[0] - 8)
	if delta < -(26+span/2) || delta > 25+span/2 {
		d.broken = true
		delta = 0
	}
	d.qp = (d.predictedQP+delta+52+2*span)%(52+span) - span
}

// golomb decodes an Exp-Golomb number of order k (9.3.3.4).
func (c *cabac) golomb(k int) int {
	v := 0
	for c.bypass() != 0 {
		v += 1 << k
		if k++; k > 24 {
			break
		}
	}
	for k > 0 {
		n := min(k, 16)
		v += c.number(n) << (k - n)
		k -= n
	}
	return v
}

// parseChromaOffset reads which offset the quantizers of chroma have.
func (d *decoder) parseChromaOffset() {
	d.chromaOffsetCoded = true
	d.unit.chromaOffset = [2]int{}
	if !d.c.flag(ctxChromaOffset) {
		return
	}
	i, last := 0, len(d.pic.chromaQPOffsets)-1
	for i < last && d.c.flag(ctxChromaOffsetSize) {
		i++
	}
	d.unit.chromaOffset = d.pic.chromaQPOffsets[i]
}
