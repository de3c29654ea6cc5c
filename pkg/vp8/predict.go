package vp8

import "encoding/binary"

// Prediction (RFC 6386, section 12) reads the samples above and to the left of a block, which lie around it in its
// plane. What is beyond the edges of the picture has been filled in.

const everyByte = 0x0101010101010101

// square predicts n×n samples at a place of a plane, n 8 or 16. edgeX and edgeY tell that there is nothing to the
// left, or above.
func square(pix []byte, at, stride, n int, m mode, edgeX, edgeY bool) {
	above := pix[at-stride:][:n]
	switch m {
	case modeDC:
		sum, shift := dcOf(pix, at, stride, n, edgeX, edgeY)
		v := uint64(sum>>shift) * everyByte
		for y := range n {
			put(pix[at+y*stride:][:n], v)
		}
	case modeVertical:
		for y := range n {
			copy(pix[at+y*stride:][:n], above)
		}
	case modeHorizontal:
		for y := range n {
			put(pix[at+y*stride:][:n], uint64(pix[at+y*stride-1])*everyByte)
		}
	default:
		corner := int(pix[at-stride-1])
		for y := range n {
			row := pix[at+y*stride:][:n]
			delta := int(pix[at+y*stride-1]) - corner
			for x, v := range above {
				row[x] = clamp(int(v) + delta)
			}
		}
	}
}

// put fills a row of 8 or 16 samples.
func put(row []byte, v uint64) {
	binary.LittleEndian.PutUint64(row, v)
	if len(row) == 16 {
		binary.LittleEndian.PutUint64(row[8:], v)
	}
}

// dcOf returns the sum of the samples above and to the left, with half of what it is divided by, as a power of two.
func dcOf(pix []byte, at, stride, n int, edgeX, edgeY bool) (sum, shift int) {
	shift = 3
	if n == 16 {
		shift = 4
	}
	if edgeX && edgeY {
		return 128 << shift, shift
	}
	if !edgeY {
		for _, v := range pix[at-stride:][:n] {
			sum += int(v)
		}
	}
	if !edgeX {
		for y := range n {
			sum += int(pix[at+y*stride-1])
		}
	}
	if !edgeX && !edgeY {
		shift++
	}
	return sum + 1<<(shift-1), shift
}

func clamp(v int) byte {
	if uint(v) > 255 {
		if v < 0 {
			return 0
		}
		return 255
	}
	return byte(v)
}

// two and three are rounded means of neighbours, the one in the middle weighted twice.
func two(a, b uint32) uint32      { return (a + b + 1) >> 1 }
func three(a, b, c uint32) uint32 { return (a + 2*b + c + 2) >> 2 }

func pack(a, b, c, d uint32) uint32 { return a | b<<8 | c<<16 | d<<24 }

// predict4 predicts a block of 4×4 samples. The letters are those of the RFC: P is the corner, A to H are above,
// I to L to the left.
func predict4(pix []byte, at, stride int, m mode) {
	above := binary.LittleEndian.Uint64(pix[at-stride:])
	edge := func(i int) uint32 { return uint32(above>>(8*i)) & 255 }
	p := uint32(pix[at-stride-1])
	i, j := uint32(pix[at-1]), uint32(pix[at+stride-1])
	k, l := uint32(pix[at+2*stride-1]), uint32(pix[at+3*stride-1])
	a, b, c, d := edge(0), edge(1), edge(2), edge(3)
	var rows [4]uint32
	switch m {
	case modeDC:
		v := (a + b + c + d + i + j + k + l + 4) >> 3 * 0x01010101
		rows = [4]uint32{v, v, v, v}
	case modeTM:
		for y, left := range [4]uint32{i, j, k, l} {
			delta := int(left) - int(p)
			for x, v := range [4]uint32{a, b, c, d} {
				rows[y] |= uint32(clamp(int(v)+delta)) << (8 * x)
			}
		}
	case modeVertical:
		v := pack(three(p, a, b), three(a, b, c), three(b, c, d), three(c, d, edge(4)))
		rows = [4]uint32{v, v, v, v}
	case modeHorizontal:
		for y, v := range [4]uint32{three(p, i, j), three(i, j, k), three(j, k, l), three(k, l, l)} {
			rows[y] = v * 0x01010101
		}
	case modeRightDown:
		kl, jk, ij, pi := three(l, k, j), three(k, j, i), three(j, i, p), three(i, p, a)
		pa, ab, bc := three(p, a, b), three(a, b, c), three(b, c, d)
		rows = [4]uint32{pack(pi, pa, ab, bc), pack(ij, pi, pa, ab), pack(jk, ij, pi, pa), pack(kl, jk, ij, pi)}
	case modeVerticalRight:
		pa, ab, bc, cd := two(p, a), two(a, b), two(b, c), two(c, d)
		ipa, pab, abc, bcd := three(i, p, a), three(p, a, b), three(a, b, c), three(b, c, d)
		jip, kji := three(j, i, p), three(k, j, i)
		rows = [4]uint32{pack(pa, ab, bc, cd), pack(ipa, pab, abc, bcd), pack(jip, pa, ab, bc), pack(kji, ipa, pab, abc)}
	case modeLeftDown:
		e, f, g, h := edge(4), edge(5), edge(6), edge(7)
		v := [7]uint32{
			three(a, b, c), three(b, c, d), three(c, d, e), three(d, e, f), three(e, f, g), three(f, g, h), three(g, h, h),
		}
		for y := range rows {
			rows[y] = pack(v[y], v[y+1], v[y+2], v[y+3])
		}
	case modeVerticalLeft:
		e, f, g, h := edge(4), edge(5), edge(6), edge(7)
		ab, bc, cd, de := two(a, b), two(b, c), two(c, d), two(d, e)
		abc, bcd, cde, def := three(a, b, c), three(b, c, d), three(c, d, e), three(d, e, f)
		rows = [4]uint32{
			pack(ab, bc, cd, de), pack(abc, bcd, cde, def), pack(bc, cd, de, three(e, f, g)),
			pack(bcd, cde, def, three(f, g, h)),
		}
	case modeHorizontalDown:
		ip, ji, kj, lk := two(i, p), two(j, i), two(k, j), two(l, k)
		pab, abc := three(p, a, b), three(a, b, c)
		ipa, jip, kji, lkj := three(i, p, a), three(j, i, p), three(k, j, i), three(l, k, j)
		rows = [4]uint32{pack(ip, ipa, pab, abc), pack(ji, jip, ip, ipa), pack(kj, kji, ji, jip), pack(lk, lkj, kj, kji)}
	default:
		ij, jk, kl := two(i, j), two(j, k), two(k, l)
		ijk, jkl, kll := three(i, j, k), three(j, k, l), three(k, l, l)
		rows = [4]uint32{pack(ij, ijk, jk, jkl), pack(jk, jkl, kl, kll), pack(kl, kll, l, l), pack(l, l, l, l)}
	}
	for y, v := range rows {
		binary.LittleEndian.PutUint32(pix[at+y*stride:], v)
	}
}

// plainBlocks predicts the 4×4 blocks of a macroblock in turn, and adds to those whose bit is set in coded what their
// coefficients say.
func plainBlocks(pix []byte, at, stride int, modes *[16]mode, blocks *[16][16]int16, coded uint32) {
	for i, m := range modes {
		at := at + i>>2*4*stride + i&3*4
		predict4(pix, at, stride, m)
		if coded>>i&1 != 0 {
			plainAdd(pix, at, stride, &blocks[i])
		}
	}
}
