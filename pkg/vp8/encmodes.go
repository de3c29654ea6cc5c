package vp8

// modeCoder takes the bits that say a mode: to write them, or to add up what they cost.
type modeCoder interface {
	bit(p uint8, bit bool)
}

var _ modeCoder = (*boolWriter)(nil)

// bitCounter is a modeCoder that counts what bits cost.
type bitCounter int

func (c *bitCounter) bit(p uint8, bit bool) { *c += bitCounter(bitCost(bit, p)) }

// The probabilities of the trees of modes (RFC 6386, section 11.2), of which those of blocks are in subModeProbs.
const wholeProb = 145 // that a macroblock is predicted by blocks

// codeWholeMode codes that luma is predicted as a whole, and how.
func codeWholeMode(c modeCoder, m mode) {
	c.bit(wholeProb, true)
	across := m == modeTM || m == modeHorizontal
	c.bit(156, across)
	if across {
		c.bit(128, m == modeTM)
	} else {
		c.bit(163, m == modeVertical)
	}
}

func codeColorMode(c modeCoder, m mode) {
	c.bit(142, m != modeDC)
	if m == modeDC {
		return
	}
	c.bit(114, m != modeVertical)
	if m != modeVertical {
		c.bit(183, m != modeHorizontal)
	}
}

// codeSubMode codes the mode of a 4×4 block.
func codeSubMode(c modeCoder, p *[9]uint8, m mode) {
	for i, stop := range [3]mode{modeDC, modeTM, modeVertical} {
		if c.bit(p[i], m != stop); m == stop {
			return
		}
	}
	c.bit(p[3], m >= modeLeftDown)
	if m < modeLeftDown {
		if c.bit(p[4], m != modeHorizontal); m != modeHorizontal {
			c.bit(p[5], m != modeRightDown)
		}
		return
	}
	if c.bit(p[6], m != modeLeftDown); m == modeLeftDown {
		return
	}
	if c.bit(p[7], m != modeVerticalLeft); m != modeVerticalLeft {
		c.bit(p[8], m != modeHorizontalDown)
	}
}

// What the modes cost.
var (
	wholeModeCosts, colorModeCosts = squareModeCosts()
	subModeCosts                   = blockModeCosts() // by the modes above and to the left
	byBlocksCost                   = int64(bitCost(false, wholeProb))
)

func squareModeCosts() (whole, color [4]int64) {
	for m := range mode(4) {
		var w, c bitCounter
		codeWholeMode(&w, m)
		codeColorMode(&c, m)
		whole[m], color[m] = int64(w), int64(c)
	}
	return whole, color
}

func blockModeCosts() (costs [subModes][subModes][subModes]uint16) {
	for above := range costs {
		for left := range costs[above] {
			for m := range subModes {
				var c bitCounter
				codeSubMode(&c, &subModeProbs[above][left], m)
				costs[above][left][m] = uint16(c)
			}
		}
	}
	return costs
}
