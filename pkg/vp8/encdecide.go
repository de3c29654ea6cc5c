package vp8

// How a macroblock is predicted and quantized is decided by what it costs: distortion, and bits times a lambda of the
// segment (libwebp, src/enc/quant_enc.c). Each mode is tried to the end, with its reconstruction.

// cost is what a choice costs.
type cost struct {
	distortion int64 // squared errors
	spectral   int64 // how differently detail is spread, weighted
	header     int64 // bits that say the mode
	rate       int64 // bits of coefficients
}

func (c *cost) score(lambda int) int64 {
	return (c.rate+c.header)*int64(lambda) + 256*(c.distortion+c.spectral)
}

func (c *cost) add(other *cost) {
	c.distortion += other.distortion
	c.spectral += other.spectral
	c.header += other.header
	c.rate += other.rate
}

// choice is how luma is coded. Levels are in the order of the stream.
type choice struct {
	cost
	total  int64 // the score, by the lambda between the kinds of choices
	mode   mode  // of all of luma
	whole  bool
	modes  [16]mode // of its blocks, unless whole
	second [16]int16
	levels [16 * 16]int16
	coded  uint32 // bit 24 is set if second has levels, bit i if block i has
}

// colorChoice is how Cb and Cr are coded.
type colorChoice struct {
	cost
	mode   mode
	levels [8 * 16]int16
	coded  uint32     // bit i is set if block i has levels
	errors [2][3]int8 // what the mean of blocks 1 to 3 of each lacks
}

// spectralWeights are how much differences count of each frequency.
var spectralWeights = [16]uint16{38, 32, 20, 9, 32, 28, 17, 7, 20, 17, 10, 4, 9, 7, 4, 2}

// A block with few levels beside its first is flat. There, a mode other than DC costs about half a bit more, because it
// would show a pattern that is not in the picture.
const (
	flatBlock   = 3
	flatColor   = 2
	flatPenalty = 140
)

// lumaOffsets and colorOffsets are where the blocks are in a work buffer: luma, and from colorOffset on Cb beside Cr.
var (
	lumaOffsets = [16]int{
		0, 4, 8, 12, 4 * encStride, 4*encStride + 4, 4*encStride + 8, 4*encStride + 12, 8 * encStride, 8*encStride + 4,
		8*encStride + 8, 8*encStride + 12, 12 * encStride, 12*encStride + 4, 12*encStride + 8, 12*encStride + 12,
	}
	colorOffsets = [8]int{
		0, 4, 4 * encStride, 4*encStride + 4, 8, 12, 4*encStride + 8, 4*encStride + 12,
	}
)

const (
	colorOffset = 16
	bufferSize  = 16 * encStride
)

func blockOf(c []int16, i int) *[16]int16 { return (*[16]int16)(c[16*i:]) }
func pairOf(c []int16, i int) *[32]int16  { return (*[32]int16)(c[16*i:]) }

// isFlat reports whether blocks have at most so many levels beside their first ones.
func isFlat(levels []int16, most int) bool {
	n := 0
	for i, v := range levels {
		if v != 0 && i&15 != 0 {
			if n++; n > most {
				return false
			}
		}
	}
	return true
}

// isPlain reports whether all luma of the source is the same.
func (e *encoder) isPlain() bool {
	v := e.src[0]
	for y := range 16 {
		for _, s := range e.src[y*encStride:][:16] {
			if s != v {
				return false
			}
		}
	}
	return true
}

// weigh is a spectral distortion times a lambda.
func weigh(lambda, distortion int) int64 { return (int64(lambda)*int64(distortion) + 128) >> 8 }

// decide decides how the macroblock is coded, and reconstructs it in e.out.
func (e *encoder) decide(s *encodedSegment) {
	e.predictWhole()
	e.predictColor()
	e.chooseWhole(s)
	e.chooseBlocks(s)
	if e.opt.Effort == trellisLast {
		e.refine(s)
	}
	e.chooseColor(s)
}

// chooseWhole finds the best mode for luma as a whole.
func (e *encoder) chooseWhole(s *encodedSegment) {
	plain := e.isPlain()
	var best int64
	for m := range mode(4) {
		c := e.trial
		e.reconstructWhole(s, c, m, e.opt.Effort >= trellisAll)
		c.cost = cost{distortion: int64(sse16x16(e.src[:], e.spare)), header: wholeModeCosts[m]}
		if plain {
			if plain = isFlat(c.levels[:], 0); plain {
				c.distortion *= 2
			}
		}
		if m > 0 && c.score(s.lambdaWhole) >= best {
			continue // what is left to add is not negative
		}
		c.spectral = weigh(s.lambdaSpectral, spectralDistortion16x16(e.src[:], e.spare, &spectralWeights))
		if plain {
			c.spectral *= 2
		}
		c.rate = e.rateWhole(c)
		if score := c.score(s.lambdaWhole); m == 0 || score < best {
			best = score
			c.mode = m
			e.luma, e.trial = c, e.luma
			e.out, e.spare = e.spare, e.out
		}
	}
	c := e.luma
	c.whole, c.total = true, c.score(s.lambdaMode)
	if c.coded&(1<<24|0xffff) == 1<<24 && c.distortion > int64(s.flatDistortion) {
		for _, i := range [3]int{1, 2, 4} {
			s.steepest = max(s.steepest, int(c.second[i]), -int(c.second[i]))
		}
	}
}

// reconstructWhole codes luma by a mode, with or without a trellis, and reconstructs it in e.spare.
func (e *encoder) reconstructWhole(s *encodedSegment, c *choice, m mode, trellis bool) {
	ref, coefs := e.pred[predicted16[m]:], e.coefs[:]
	for i := 0; i < 16; i += 2 {
		forwardTransformPair(e.src[lumaOffsets[i]:], ref[lumaOffsets[i]:], pairOf(coefs, i))
	}
	var second [16]int16
	forwardWHT(coefs, &second)
	c.coded = uint32(one(quantizeBlock(&second, &c.second, &s.second))) << 24
	for i := range second {
		coefs[16*i] = 0
	}
	if trellis {
		c.coded |= e.trellisWhole(s, c.levels[:])
	} else {
		for i := 0; i < 16; i += 2 {
			c.coded |= uint32(quantizePair(pairOf(coefs, i), pairOf(c.levels[:], i), &s.luma)) << i
		}
	}
	inverseWHT(&second)
	for i, v := range second {
		coefs[16*i] = v
	}
	for i := 0; i < 16; i += 2 {
		inverseTransformAddPair(ref[lumaOffsets[i]:], pairOf(coefs, i), e.spare[lumaOffsets[i]:])
	}
}

// rateWhole returns what the levels of luma as a whole cost.
func (e *encoder) rateWhole(c *choice) int64 {
	above, left := e.above[e.x].luma, e.left.luma
	last := lastOf(&c.second, c.coded>>24 != 0)
	rate := e.costs[planeSecond].residual(&c.second, 0, last, e.above[e.x].second+e.left.second)
	costs := &e.costs[planeAfterSecond]
	for i := range 16 {
		x, y := i&3, i>>2
		levels := blockOf(c.levels[:], i)
		last := lastOf(levels, c.coded>>i&1 != 0)
		rate += costs.residual(levels, 1, last, above[x]+left[y])
		above[x] = uint8(one(last >= 0))
		left[y] = above[x]
	}
	return int64(rate)
}

// chooseBlocks finds the best modes for the blocks of luma, in place of one for all if they cost less.
func (e *encoder) chooseBlocks(s *encodedSegment) {
	if e.mostHeader == 0 {
		return
	}
	c := e.trial
	c.cost, c.coded, c.whole = cost{header: byBlocksCost}, 0, false
	total := c.score(s.lambdaMode)
	above, left := e.above[e.x].luma, e.left.luma
	aboveModes, leftModes := e.above[e.x].modes, e.left.modes
	e.startBlocks()
	header := int64(0)
	for i := range 16 {
		x, y := i&3, i>>2
		costs := &subModeCosts[aboveModes[x]][leftModes[y]]
		best := e.chooseBlock(s, c, i, costs, above[x]+left[y])
		total += best.score(s.lambdaMode)
		c.add(&best)
		header += best.header
		if total >= e.luma.total || header > e.mostHeader {
			return
		}
		above[x] = uint8(c.coded >> i & 1)
		left[y] = above[x]
		aboveModes[x], leftModes[y] = c.modes[i], c.modes[i]
		e.nextBlock(i)
	}
	c.total = total
	e.luma, e.trial = c, e.luma
	e.out, e.spare = e.spare, e.out
}
