package vp8

// What an encoder computes for each block, in plain Go. The results are libwebp's to the bit, so that the same
// decisions are made. enckernels_amd64.go has the same in assembly.

// encStride is the distance between rows of an encoder's work buffers: sources, predictions, reconstructions.
const encStride = 32

const (
	maxLevel = 2047 // the largest level of a coefficient
	quantFix = 17   // bits of fraction of a quantMatrix
)

// quantMatrix says how the coefficients of blocks are quantized, in raster order.
type quantMatrix struct {
	q       [16]uint16 // steps
	iq      [16]uint16 // 1<<quantFix divided by the steps
	bias    [16]uint32 // what is added before the division is rounded down
	zthresh [16]uint32 // the largest coefficient that becomes 0: (1<<quantFix − 1 − bias) / iq
	sharpen [16]uint16 // what is added to the size of coefficients
}

// plainForward transforms the difference between the 4×4 samples of src and ref, with rounding that favours small
// values.
func plainForward(src, ref []byte, out *[16]int16) {
	var mid [16]int32
	for y := range 4 {
		s, r := src[y*encStride:][:4], ref[y*encStride:][:4]
		d0, d1 := int32(s[0])-int32(r[0]), int32(s[1])-int32(r[1])
		d2, d3 := int32(s[2])-int32(r[2]), int32(s[3])-int32(r[3])
		a0, a1, a2, a3 := d0+d3, d1+d2, d1-d2, d0-d3
		m := mid[4*y : 4*y+4 : 4*y+4]
		m[0], m[2] = (a0+a1)*8, (a0-a1)*8
		m[1], m[3] = (a2*2217+a3*5352+1812)>>9, (a3*2217-a2*5352+937)>>9
	}
	for x := range 4 {
		a0, a1 := mid[x]+mid[12+x], mid[4+x]+mid[8+x]
		a2, a3 := mid[4+x]-mid[8+x], mid[x]-mid[12+x]
		out[x], out[8+x] = int16((a0+a1+7)>>4), int16((a0-a1+7)>>4)
		odd := (a2*2217 + a3*5352 + 12000) >> 16
		if a3 != 0 {
			odd++
		}
		out[4+x], out[12+x] = int16(odd), int16((a3*2217-a2*5352+51000)>>16)
	}
}

// plainForwardPair transforms two adjacent blocks.
func plainForwardPair(src, ref []byte, out *[32]int16) {
	plainForward(src, ref, (*[16]int16)(out[:16]))
	plainForward(src[4:], ref[4:], (*[16]int16)(out[16:]))
}

// plainForwardWHT transforms the first coefficients of sixteen blocks.
func plainForwardWHT(in []int16, out *[16]int16) {
	in = in[:15*16+1]
	var mid [16]int32
	for y := range 4 {
		c0, c1, c2, c3 := int32(in[64*y]), int32(in[64*y+16]), int32(in[64*y+32]), int32(in[64*y+48])
		a0, a1, a2, a3 := c0+c2, c1+c3, c1-c3, c0-c2
		m := mid[4*y : 4*y+4 : 4*y+4]
		m[0], m[1], m[2], m[3] = a0+a1, a3+a2, a3-a2, a0-a1
	}
	for x := range 4 {
		a0, a1 := mid[x]+mid[8+x], mid[4+x]+mid[12+x]
		a2, a3 := mid[4+x]-mid[12+x], mid[x]-mid[8+x]
		out[x], out[4+x] = int16((a0+a1)>>1), int16((a3+a2)>>1)
		out[8+x], out[12+x] = int16((a3-a2)>>1), int16((a0-a1)>>1)
	}
}

// plainInverseAdd writes to dst the 4×4 samples of ref, with what coefficients add to them.
func plainInverseAdd(ref []byte, in *[16]int16, dst []byte) {
	for y := range 4 {
		copy(dst[y*encStride:][:4], ref[y*encStride:][:4])
	}
	c := *in
	plainAdd(dst, 0, encStride, &c)
}

// plainInverseAddPair does so with two adjacent blocks.
func plainInverseAddPair(ref []byte, in *[32]int16, dst []byte) {
	plainInverseAdd(ref, (*[16]int16)(in[:16]), dst)
	plainInverseAdd(ref[4:], (*[16]int16)(in[16:]), dst[4:])
}

// plainSSE returns the sum of squared differences between w×h samples.
func plainSSE(a, b []byte, w, h int) int {
	sum := 0
	for y := range h {
		s, r := a[y*encStride:][:w], b[y*encStride:][:w]
		for x, v := range s {
			d := int(v) - int(r[x])
			sum += d * d
		}
	}
	return sum
}

// plainSpectral4x4 returns how much the Hadamard transforms of 4×4 samples differ in sum, each value weighted. Weights
// are symmetric: w[4y+x] is w[4x+y].
func plainSpectral4x4(a, b []byte, w *[16]uint16) int {
	d := hadamardSum(b, w) - hadamardSum(a, w)
	return max(d, -d) >> 5
}

// plainSpectral16x16 returns the sum of that over the sixteen blocks of a macroblock.
func plainSpectral16x16(a, b []byte, w *[16]uint16) int {
	sum := 0
	for i := range 16 {
		at := i>>2*4*encStride + i&3*4
		sum += plainSpectral4x4(a[at:], b[at:], w)
	}
	return sum
}

func hadamardSum(in []byte, w *[16]uint16) int {
	var mid [16]int
	for y := range 4 {
		r := in[y*encStride:][:4]
		a0, a1 := int(r[0])+int(r[2]), int(r[1])+int(r[3])
		a2, a3 := int(r[1])-int(r[3]), int(r[0])-int(r[2])
		m := mid[4*y : 4*y+4 : 4*y+4]
		m[0], m[1], m[2], m[3] = a0+a1, a3+a2, a3-a2, a0-a1
	}
	abs := func(v int) int { return max(v, -v) }
	sum := 0
	for x := range 4 {
		a0, a1 := mid[x]+mid[8+x], mid[4+x]+mid[12+x]
		a2, a3 := mid[4+x]-mid[12+x], mid[x]-mid[8+x]
		sum += int(w[x])*abs(a0+a1) + int(w[4+x])*abs(a3+a2) + int(w[8+x])*abs(a3-a2) + int(w[12+x])*abs(a0-a1)
	}
	return sum
}

// plainQuantize quantizes a block. out are its levels in zigzag order; in becomes what the decoder makes of these. It
// reports whether there is a level other than 0.
func plainQuantize(in, out *[16]int16, m *quantMatrix) bool {
	var any int16
	for n, j := range zigzag {
		c := int32(in[j])
		size := uint32(max(c, -c)) + uint32(m.sharpen[j])
		if size <= m.zthresh[j] {
			in[j], out[n] = 0, 0
			continue
		}
		level := int16(min((size*uint32(m.iq[j])+m.bias[j])>>quantFix, maxLevel))
		if c < 0 {
			level = -level
		}
		in[j], out[n] = level*int16(m.q[j]), level
		any |= level
	}
	return any != 0
}

// plainQuantizePair quantizes two blocks. Bits 0 and 1 of the result tell which has levels.
func plainQuantizePair(in, out *[32]int16, m *quantMatrix) int {
	coded := 0
	if plainQuantize((*[16]int16)(in[:16]), (*[16]int16)(out[:16]), m) {
		coded = 1
	}
	if plainQuantize((*[16]int16)(in[16:]), (*[16]int16)(out[16:]), m) {
		coded |= 2
	}
	return coded
}
