package vp8

import "github.com/imagefarm/imagefarm/pkg/raster"

// format is the name in errors.
const format = "WebP"

// segments is how many groups of macroblocks a frame may have, each with its own quantizer and filter.
const segments = 4

// header is what precedes the macroblocks of a key frame (RFC 6386, section 9).
type header struct {
	width, height int

	segmented   bool // each macroblock says to which segment it belongs
	segmentTree [segments - 1]uint8
	steps       [segments]steps
	filters     [segments][2]filter // for macroblocks predicted as a whole, and by 4×4 blocks
	kind        filterKind
	mayBeEmpty  bool // each macroblock says whether it has coefficients
	emptyProb   uint8
	probs       [4]planeProbs
	partitions  int // of coefficients: 1, 2, 4 or 8
}

// steps are the quantizer's steps: of the first coefficient of a block, and of the others.
type steps struct{ luma, second, color [2]uint16 }

type filterKind int

const (
	noFilter filterKind = iota
	simpleFilter
	normalFilter
)

// filter is how strongly the edges of a macroblock are smoothed; limit 0: not at all.
type filter struct {
	limit    uint8 // of edges within the macroblock; those around it have 4 more
	interior uint8
	sharp    uint8 // the threshold of high variance
}

// Size reads the width and height of a key frame, in pixels.
func Size(frame []byte) (width, height int, err error) {
	if len(frame) < 10 {
		return 0, 0, raster.Truncatedf(format, "the header of its frame")
	}
	if frame[0]&1 != 0 {
		return 0, 0, raster.Corruptf(format, 0, "its picture is no key frame")
	}
	if string(frame[3:6]) != "\x9d\x01\x2a" {
		return 0, 0, raster.Corruptf(format, 0, "the frame has no start code")
	}
	width, height = int(frame[6])|int(frame[7]&0x3f)<<8, int(frame[8])|int(frame[9]&0x3f)<<8
	return width, height, nil
}

// readHeader reads the header of a frame and sets the partitions up.
func (r *Reader) readHeader(frame []byte) error {
	if profile := frame[0] >> 1 & 7; profile > 3 {
		return raster.Unsupportedf(format, "VP8 of profile %d", profile)
	}
	first := int(frame[0])>>5 | int(frame[1])<<3 | int(frame[2])<<11
	rest := frame[10:]
	if first > len(rest) {
		return raster.Truncatedf(format, "its first partition")
	}
	h, b := &r.header, &r.modes
	b.init(rest[:first])
	b.prepare()
	b.number(2) // colour space and clamping, which make no difference
	quantizers, levels, absolute := r.readSegments()
	r.readFilters(levels, absolute)
	h.partitions = 1 << b.number(2)
	if err := r.readPartitions(rest[first:]); err != nil {
		return err
	}
	r.readSteps(quantizers, absolute)
	b.flag() // whether the probabilities are kept for frames that follow
	probs := defaultTokenProbs
	for i := range probs {
		for j := range probs[i] {
			b.prepare()
			for k := range probs[i][j] {
				for l := range probs[i][j][k] {
					if b.bit(updateProbs[i][j][k][l]) {
						probs[i][j][k][l] = uint8(b.number(8))
					}
				}
			}
		}
		h.probs[i].set(&probs[i])
	}
	if h.mayBeEmpty = b.flag(); h.mayBeEmpty {
		h.emptyProb = uint8(b.number(8))
	}
	if b.beyond() {
		return raster.Truncatedf(format, "the header of its frame")
	}
	return nil
}

// readSegments returns what the segments say of quantizers and filters: instead of the frame's, where absolute is set,
// or as a difference to them.
func (r *Reader) readSegments() (quantizers, levels [segments]int, absolute bool) {
	h, b := &r.header, &r.modes
	if !b.flag() {
		return
	}
	h.segmented, absolute = b.flag(), true
	if b.flag() {
		absolute = b.flag()
		for i := range quantizers {
			quantizers[i] = b.optional(7)
		}
		for i := range levels {
			levels[i] = b.optional(6)
		}
	}
	if h.segmented {
		for i := range h.segmentTree {
			h.segmentTree[i] = 255
			if b.flag() {
				h.segmentTree[i] = uint8(b.number(8))
			}
		}
	}
	return quantizers, levels, absolute
}

// readFilters reads how edges are smoothed.
func (r *Reader) readFilters(levels [segments]int, absolute bool) {
	h, b := &r.header, &r.modes
	h.kind = normalFilter
	if b.flag() {
		h.kind = simpleFilter
	}
	level, sharpness := b.number(6), b.number(3)
	var ofKey, ofBlocks int // differences for key frames, and for macroblocks that are predicted by blocks
	if deltas := b.flag(); deltas && b.flag() {
		var all [8]int
		for i := range all {
			all[i] = b.optional(6)
		}
		ofKey, ofBlocks = all[0], all[4]
	}
	if level == 0 {
		h.kind = noFilter
		return
	}
	for i := range h.filters {
		base := level + levels[i]
		if absolute {
			base = levels[i]
		}
		h.filters[i] = [2]filter{newFilter(base+ofKey, sharpness), newFilter(base+ofKey+ofBlocks, sharpness)}
	}
}

// newFilter returns the filter of a level and a sharpness (RFC 6386, section 15.4).
func newFilter(level, sharpness int) filter {
	level = min(level, 63)
	if level <= 0 {
		return filter{}
	}
	interior := level
	switch {
	case sharpness > 4:
		interior = min(interior>>2, 9-sharpness)
	case sharpness > 0:
		interior = min(interior>>1, 9-sharpness)
	}
	interior = max(interior, 1)
	f := filter{limit: uint8(2*level + interior), interior: uint8(interior)}
	switch {
	case level >= 40:
		f.sharp = 2
	case level >= 15:
		f.sharp = 1
	}
	return f
}

// readPartitions finds the partitions of coefficients.
func (r *Reader) readPartitions(rest []byte) error {
	n := r.header.partitions
	if len(rest) < 3*(n-1) {
		return raster.Truncatedf(format, "the sizes of its partitions")
	}
	sizes, rest := rest[:3*(n-1)], rest[3*(n-1):]
	for i := range n {
		size := len(rest)
		if i < n-1 {
			size = int(sizes[3*i]) | int(sizes[3*i+1])<<8 | int(sizes[3*i+2])<<16
		}
		if size > len(rest) {
			return raster.Truncatedf(format, "partition %d of %d", i+1, n)
		}
		r.coded[i].init(rest[:size])
		rest = rest[size:]
	}
	return nil
}

// readSteps reads the quantizers (RFC 6386, section 9.6).
func (r *Reader) readSteps(quantizers [segments]int, absolute bool) {
	b := &r.modes
	index := b.number(7)
	var delta [5]int
	for i := range delta {
		delta[i] = b.optional(4)
	}
	at := func(i, most int) int { return min(max(i, 0), most) }
	for i := range r.header.steps {
		q := index + quantizers[i]
		if absolute {
			q = quantizers[i]
		}
		r.header.steps[i] = steps{
			luma: [2]uint16{dcSteps[at(q+delta[0], 127)], acSteps[at(q, 127)]},
			second: [2]uint16{
				2 * dcSteps[at(q+delta[1], 127)], max(8, uint16(int(acSteps[at(q+delta[2], 127)])*155/100)),
			},
			color: [2]uint16{dcSteps[at(q+delta[3], 117)], acSteps[at(q+delta[4], 127)]},
		}
	}
}
