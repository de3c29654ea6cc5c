package vp8

import "math"

// chooseColor finds the best mode for Cb and Cr, and reconstructs them in e.out.
func (e *encoder) chooseColor(s *encodedSegment) {
	best := int64(math.MaxInt64)
	dst, other := e.out[colorOffset:], e.spare[colorOffset:]
	inPlace := false
	for m := range mode(4) {
		c := e.colorTrial
		e.reconstructColor(s, c, m, dst)
		c.cost = cost{distortion: int64(sse16x8(e.src[colorOffset:], dst)), header: colorModeCosts[m]}
		if m > modeDC && (c.coded == 0 || isFlat(c.levels[:], flatColor)) {
			c.rate = flatPenalty * 8
		}
		if c.score(s.lambdaColor) >= best {
			continue
		}
		c.rate += e.rateColor(c)
		if score := c.score(s.lambdaColor); score < best {
			best = score
			c.mode = m
			e.color, e.colorTrial = c, e.color
			dst, other = other, dst
			inPlace = !inPlace
		}
	}
	if !inPlace {
		to := e.out[colorOffset:]
		for y := range 8 {
			copy(to[y*encStride:][:16], other[y*encStride:][:16])
		}
	}
	if e.diffuses {
		e.keepErrors(&e.color.errors)
	}
}

// reconstructColor codes Cb and Cr by a mode and reconstructs them.
func (e *encoder) reconstructColor(s *encodedSegment, c *colorChoice, m mode, dst []byte) {
	src, ref, coefs := e.src[colorOffset:], e.pred[predicted8[m]:], e.coefs[:8*16]
	for i := 0; i < 8; i += 2 {
		forwardTransformPair(src[colorOffsets[i]:], ref[colorOffsets[i]:], pairOf(coefs, i))
	}
	if e.diffuses {
		e.diffuse(&s.color, coefs, &c.errors)
	}
	c.coded = 0
	for i := 0; i < 8; i += 2 {
		c.coded |= uint32(quantizePair(pairOf(coefs, i), pairOf(c.levels[:], i), &s.color)) << i
		inverseTransformAddPair(ref[colorOffsets[i]:], pairOf(coefs, i), dst[colorOffsets[i]:])
	}
}

// rateColor returns what the levels of Cb and Cr cost.
func (e *encoder) rateColor(c *colorChoice) int64 {
	above, left := e.above[e.x].color, e.left.color
	costs, rate := &e.costs[planeColor], 0
	for i := range 8 {
		x, y := i>>2*2+i&1, i>>2*2+i>>1&1
		levels := blockOf(c.levels[:], i)
		last := lastOf(levels, c.coded>>i&1 != 0)
		rate += costs.residual(levels, 0, last, above[x]+left[y])
		above[x] = uint8(one(last >= 0))
		left[y] = above[x]
	}
	return int64(rate)
}

// colorErrors is what the means of the blocks along an edge of a macroblock lack, of Cb and Cr.
type colorErrors [2][2]int8

// diffuse adds to the mean of each block what those above it and to its left lost by quantization, so that slow
// gradients of colour do not become steps. It quantizes the means.
func (e *encoder) diffuse(m *quantMatrix, coefs []int16, errors *[2][3]int8) {
	const toBelow, toRight, shift = 7, 8, 3 // of 16, halves of which are kept
	for i := range 2 {
		top, left, c := &e.errorsAbove[e.x][i], &e.errorsLeft[i], coefs[64*i:]
		add := func(at int, above, before int) int {
			v := &c[16*at]
			*v += int16((toBelow*above + toRight*before) >> shift)
			return quantizeMean(v, m)
		}
		first := add(0, int(top[0]), int(left[0]))
		second := add(1, int(top[1]), first)
		third := add(2, first, int(left[1]))
		fourth := add(3, second, third)
		errors[i] = [3]int8{int8(second), int8(third), int8(fourth)}
	}
}

// quantizeMean replaces the first coefficient of a block by what is left of it, and returns half of what is lost.
func quantizeMean(v *int16, m *quantMatrix) int {
	size := max(int(*v), -int(*v))
	kept := 0
	if size > int(m.zthresh[0]) {
		kept = int((uint32(size)*uint32(m.iq[0])+m.bias[0])>>quantFix) * int(m.q[0])
	}
	lost := size - kept
	if *v < 0 {
		kept, lost = -kept, -lost
	}
	*v = int16(kept)
	return lost >> 1
}

// keepErrors keeps what the macroblocks below and to the right add.
func (e *encoder) keepErrors(errors *[2][3]int8) {
	for i, lost := range errors {
		corner := 3 * int(lost[2]) >> 2
		e.errorsLeft[i] = [2]int8{lost[0], int8(corner)}
		e.errorsAbove[e.x][i] = [2]int8{lost[1], int8(int(lost[2]) - corner)}
	}
}
