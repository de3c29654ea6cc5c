package vp8

// The planes of coefficients, by which the probabilities differ.
const (
	planeAfterSecond = iota // luma without the first coefficients, which the second order has
	planeSecond
	planeColor
	planeLuma
)

// planeProbs are the probabilities of a plane by the position of a coefficient and its context. Behind the last
// position there is one more, so that the one after any can be looked up.
type planeProbs [17][3][16]uint8

// bands are the bands of positions (RFC 6386, section 13.3).
var bands = [17]uint8{0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0}

// set spreads the probabilities of bands over positions.
func (p *planeProbs) set(of *[8][3][11]uint8) {
	for i, band := range bands {
		for c := range p[i] {
			copy(p[i][c][:], of[band][c][:])
		}
	}
}

// zigzag is the place of each coefficient in its block, by its position in the stream.
var zigzag = [16]uint8{0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15}

// categories are the probabilities of the bits that follow the categories 3 to 6 of large values. A 0 ends them.
var categories = [4][12]uint8{
	{173, 148, 140},
	{176, 155, 140, 135},
	{180, 157, 141, 134, 130},
	{254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129},
}

// coefficients of a macroblock: 16 blocks of luma, 4 of Cb, 4 of Cr, and the second-order block. Between two
// macroblocks they are zeros.
type coefficients [25][16]int16

// plainBlock reads the coefficients of a block from position n on, multiplied by the quantizer's steps, and reports
// whether there are any.
func plainBlock(b *boolReader, probs *planeProbs, context uint8, steps *[2]uint16, n int, out *[16]int16) bool {
	b.fill()
	p := &probs[n][context]
	if !b.take(p[0]) {
		return false
	}
	for {
		for !b.take(p[1]) { // 0
			if n++; n == 16 {
				return true
			}
			b.fill()
			p = &probs[n][0]
		}
		v, next := 1, &probs[n+1]
		if !b.take(p[2]) {
			p = &next[1]
		} else {
			v = large(b, p)
			p = &next[2]
		}
		step := int(steps[1])
		if n == 0 {
			step = int(steps[0])
		}
		b.fill()
		if b.take(128) {
			v = -v
		}
		out[zigzag[n]] = int16(v * step)
		if n++; n == 16 || !b.take(p[0]) {
			return true
		}
	}
}

// large reads a value of 2 or more (RFC 6386, section 13.2).
func large(b *boolReader, p *[16]uint8) int {
	b.fill()
	if !b.take(p[3]) {
		if !b.take(p[4]) {
			return 2
		}
		return 3 + one(b.take(p[5]))
	}
	if !b.take(p[6]) {
		if !b.take(p[7]) {
			return 5 + one(b.take(159))
		}
		v := 2 * one(b.take(165))
		return 7 + v + one(b.take(145))
	}
	category := 2 * one(b.take(p[8]))
	category += one(b.take(p[9+category/2]))
	v := 0
	for _, p := range &categories[category] {
		if p == 0 {
			break
		}
		v = 2*v + one(b.bit(p))
	}
	return v + 3 + 8<<category
}

// readCoefficients reads all coefficients of a macroblock.
func (r *Reader) readCoefficients(b *boolReader, m *macroblock, above, left *neighbor) {
	c, steps := &r.coefficients, &r.header.steps[m.segment]
	m.coefficients, m.first = 0, 0
	probs, from := &r.header.probs[planeLuma], 0
	if m.whole {
		probs, from = &r.header.probs[planeAfterSecond], 1
		has := readBlock(b, &r.header.probs[planeSecond], above.second+left.second, &steps.second, 0, &c[24])
		above.second = uint8(one(has))
		left.second = above.second
		if has {
			m.first = secondOrder(c)
		}
	}
	for y := range 4 {
		has := left.luma[y]
		for x := range 4 {
			i := 4*y + x
			has = uint8(one(readBlock(b, probs, has+above.luma[x], &steps.luma, from, &c[i])))
			above.luma[x] = has
			m.coefficients |= uint32(has) << i
		}
		left.luma[y] = has
	}
	probs = &r.header.probs[planeColor]
	for plane := 0; plane < 4; plane += 2 {
		for y := plane; y < plane+2; y++ {
			has := left.color[y]
			for x := plane; x < plane+2; x++ {
				i := 16 + 2*y + x - plane
				has = uint8(one(readBlock(b, probs, has+above.color[x], &steps.color, 0, &c[i])))
				above.color[x] = has
				m.coefficients |= uint32(has) << i
			}
			left.color[y] = has
		}
	}
	m.empty = m.coefficients|m.first == 0
}

// secondOrder transforms the second-order block to the first coefficients of the blocks of luma. It returns which of
// them are not 0.
func secondOrder(c *coefficients) (first uint32) {
	inverseWHT(&c[24])
	for i, v := range c[24] {
		c[i][0] = v
		if v != 0 {
			first |= 1 << i
		}
	}
	c[24] = [16]int16{}
	return first
}

// inverseWHT transforms a block, the inverse of Walsh and Hadamard's.
func inverseWHT(in *[16]int16) {
	var mid [16]int32
	for i := range 4 {
		a, b := int32(in[i])+int32(in[12+i]), int32(in[4+i])+int32(in[8+i])
		d, e := int32(in[4+i])-int32(in[8+i]), int32(in[i])-int32(in[12+i])
		mid[i], mid[8+i], mid[4+i], mid[12+i] = a+b, a-b, e+d, e-d
	}
	for i := 0; i < 16; i += 4 {
		dc := mid[i] + 3
		a, b, d, e := dc+mid[i+3], mid[i+1]+mid[i+2], mid[i+1]-mid[i+2], dc-mid[i+3]
		in[i], in[i+1] = int16((a+b)>>3), int16((e+d)>>3)
		in[i+2], in[i+3] = int16((a-b)>>3), int16((e-d)>>3)
	}
}
