package vp8

// mode is how a block is predicted.
type mode = uint8

// The modes of 4×4 blocks. Macroblocks and their planes of colour have the first four.
const (
	modeDC mode = iota
	modeTM      // above plus left minus corner
	modeVertical
	modeHorizontal
	modeRightDown
	modeVerticalRight
	modeLeftDown
	modeVerticalLeft
	modeHorizontalDown
	modeHorizontalUp
	subModes
)

// neighbor is what a macroblock leaves for those below it and to its right.
type neighbor struct {
	modes  [4]mode  // of the 4×4 blocks along the edge
	luma   [4]uint8 // 1 for each of these blocks that has coefficients
	color  [4]uint8 // likewise, two of Cb and two of Cr
	second uint8    // 1 where the block of second-order coefficients has some
}

// macroblock is what is coded of one.
type macroblock struct {
	segment int
	empty   bool     // it has no coefficients
	whole   bool     // luma is predicted by one mode
	modes   [16]mode // of luma: one for each 4×4 block, or one for all
	color   mode
	// Which of the 25 − 1 blocks have coefficients: of those in coefficients any, beside the first; of those in first that
	// one. Bits 0 to 15 are luma, 16 to 19 Cb, 20 to 23 Cr.
	coefficients, first uint32
}

// readModes reads how a macroblock is predicted (RFC 6386, sections 9.3, 11).
func (r *Reader) readModes(m *macroblock, above, left *neighbor) {
	b := &r.modes
	m.segment = 0
	if r.header.segmented {
		b.fill()
		tree := &r.header.segmentTree
		switch {
		case !b.take(tree[0]):
			m.segment = one(b.take(tree[1]))
		default:
			m.segment = 2 + one(b.take(tree[2]))
		}
	}
	b.fill()
	m.empty = r.header.mayBeEmpty && b.take(r.header.emptyProb)
	if m.whole = b.take(145); m.whole {
		m.modes[0] = wholeMode(b)
		above.modes = [4]mode{m.modes[0], m.modes[0], m.modes[0], m.modes[0]}
		left.modes = above.modes
	} else {
		readSubModes(b, &above.modes, &left.modes, &m.modes)
	}
	b.fill()
	switch {
	case !b.take(142):
		m.color = modeDC
	case !b.take(114):
		m.color = modeVertical
	case !b.take(183):
		m.color = modeHorizontal
	default:
		m.color = modeTM
	}
}

func wholeMode(b *boolReader) mode {
	if !b.take(156) {
		if !b.take(163) {
			return modeDC
		}
		return modeVertical
	}
	if !b.take(128) {
		return modeHorizontal
	}
	return modeTM
}

// plainSubModes reads the modes of all 4×4 blocks of a macroblock. above and left are those of the neighbours, and
// become those of the lowest and the rightmost blocks.
func plainSubModes(b *boolReader, above, left *[4]mode, out *[16]mode) {
	for y := range 4 {
		at := left[y]
		for x := range 4 {
			at = subMode(b, &subModeProbs[above[x]][at])
			above[x], out[4*y+x] = at, at
		}
		left[y] = at
	}
}

// subMode reads the mode of a 4×4 block.
func subMode(b *boolReader, p *[9]uint8) mode {
	b.fill()
	switch {
	case !b.take(p[0]):
		return modeDC
	case !b.take(p[1]):
		return modeTM
	case !b.take(p[2]):
		return modeVertical
	case !b.take(p[3]):
		switch {
		case !b.take(p[4]):
			return modeHorizontal
		case !b.take(p[5]):
			return modeRightDown
		}
		return modeVerticalRight
	case !b.take(p[6]):
		return modeLeftDown
	case !b.take(p[7]):
		return modeVerticalLeft
	}
	if !b.take(p[8]) {
		return modeHorizontalDown
	}
	return modeHorizontalUp
}

func one(bit bool) int {
	if bit {
		return 1
	}
	return 0
}
