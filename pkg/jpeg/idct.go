package jpeg

import "encoding/binary"

// The inverse transforms. Full is libjpeg's jidctint ("islow") to the bit: the algorithm of Loeffler, Ligtenberg
// and Moschytz in 13-bit fixed point, columns first, its products gathered into pairs that are multiplied and added
// at once. The other scales are transforms of fewer points over as many of the lowest frequencies; the others are
// dropped: those of 3, 5, 6 and 7 points are in idctbetween.go.
//
// Between the passes values are saturated to 16 bits as vector instructions do it; conforming images never come near.

const (
	constBits = 13
	pass1Bits = 2

	fix0_298631336 = 2446 // value × 1<<constBits, rounded
	fix0_390180644 = 3196
	fix0_541196100 = 4433
	fix0_765366865 = 6270
	fix0_899976223 = 7373
	fix1_175875602 = 9633
	fix1_501321110 = 12299
	fix1_847759065 = 15137
	fix1_961570560 = 16069
	fix2_053119869 = 16819
	fix2_562915447 = 20995
	fix3_072711026 = 25172
)

// Factors of the even part, of coefficients 2 and 6 (1 and 3 in four points) in the two sums they go into.
const (
	even2in3, even6in3 = fix0_541196100 + fix0_765366865, fix0_541196100
	even2in2, even6in2 = fix0_541196100, fix0_541196100 - fix1_847759065
)

// Factors of the odd part: of coefficients 1, 7, 3 and 5 in the sums tmp0 to tmp3 of jidctint.
const (
	odd1in0 = fix1_175875602 - fix0_899976223
	odd7in0 = fix0_298631336 - fix0_899976223 - fix1_961570560 + fix1_175875602
	odd3in0 = fix1_175875602 - fix1_961570560
	odd5in0 = fix1_175875602

	odd1in1 = fix1_175875602 - fix0_390180644
	odd7in1 = fix1_175875602
	odd3in1 = fix1_175875602 - fix2_562915447
	odd5in1 = fix2_053119869 - fix2_562915447 - fix0_390180644 + fix1_175875602

	odd1in2 = fix1_175875602
	odd7in2 = fix1_175875602 - fix1_961570560
	odd3in2 = fix3_072711026 - fix2_562915447 - fix1_961570560 + fix1_175875602
	odd5in2 = fix1_175875602 - fix2_562915447

	odd1in3 = fix1_501321110 - fix0_899976223 - fix0_390180644 + fix1_175875602
	odd7in3 = fix1_175875602 - fix0_899976223
	odd3in3 = fix1_175875602
	odd5in3 = fix1_175875602 - fix0_390180644
)

// points8 is one pass over one column or row: the products of 16-bit values, rounded and shifted right.
func points8(c0, c1, c2, c3, c4, c5, c6, c7 int16, shift uint) [8]int32 {
	i0, i1, i2, i3 := int32(c0), int32(c1), int32(c2), int32(c3)
	i4, i5, i6, i7 := int32(c4), int32(c5), int32(c6), int32(c7)
	round := int32(1) << (shift - 1)
	t0, t1 := (i0+i4)<<constBits+round, (i0-i4)<<constBits+round
	t2, t3 := i2*even2in2+i6*even6in2, i2*even2in3+i6*even6in3
	e0, e3, e1, e2 := t0+t3, t0-t3, t1+t2, t1-t2
	o0 := i1*odd1in0 + i7*odd7in0 + i3*odd3in0 + i5*odd5in0
	o1 := i1*odd1in1 + i7*odd7in1 + i3*odd3in1 + i5*odd5in1
	o2 := i1*odd1in2 + i7*odd7in2 + i3*odd3in2 + i5*odd5in2
	o3 := i1*odd1in3 + i7*odd7in3 + i3*odd3in3 + i5*odd5in3
	return [8]int32{
		(e0 + o3) >> shift, (e1 + o2) >> shift, (e2 + o1) >> shift, (e3 + o0) >> shift,
		(e3 - o0) >> shift, (e2 - o1) >> shift, (e1 - o2) >> shift, (e0 - o3) >> shift,
	}
}

// plainFull transforms a block into 8×8 samples and clears it.
func plainFull(dst []byte, stride int, block, quant *[64]int16) {
	var between [64]int16 // row by row
	for place, col := range fullColumns {
		in := func(at int) int16 { return block[at+2*place] * quant[at+2*place] }
		for row, v := range points8(in(0), in(32), in(16), in(48), in(1), in(49), in(17), in(33), constBits-pass1Bits) {
			between[row*8+int(col)] = saturate(v)
		}
	}
	clear(block[:])
	for row := range 8 {
		in := between[row*8:][:8]
		out := dst[row*stride:][:8]
		for col, v := range points8(in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], constBits+pass1Bits+3) {
			out[col] = clamp(v + 128)
		}
	}
}

// points4 is points8 for four points.
func points4(c0, c1, c2, c3 int16, shift uint) [4]int32 {
	i0, i1, i2, i3 := int32(c0), int32(c1), int32(c2), int32(c3)
	round := int32(1) << (shift - 1)
	t0, t1 := (i0+i2)<<constBits+round, (i0-i2)<<constBits+round
	t2, t3 := i1*even2in2+i3*even6in2, i1*even2in3+i3*even6in3
	return [4]int32{(t0 + t3) >> shift, (t1 + t2) >> shift, (t1 - t2) >> shift, (t0 - t3) >> shift}
}

// plainHalf transforms the first 16 values of a block into 4×4 samples and clears them.
func plainHalf(dst []byte, stride int, block, quant *[64]int16) {
	var between [16]int16
	for place, col := range halfColumns {
		in := func(at int) int16 { return block[at+2*place] * quant[at+2*place] }
		for row, v := range points4(in(0), in(8), in(1), in(9), constBits-pass1Bits) {
			between[row*4+int(col)] = saturate(v)
		}
	}
	clear(block[:16])
	for row := range 4 {
		in := between[row*4:][:4]
		out := dst[row*stride:][:4]
		for col, v := range points4(in[0], in[1], in[2], in[3], constBits+pass1Bits+3) {
			out[col] = clamp(v + 128)
		}
	}
}

// quarter transforms the first four values of a block into 2×2 samples and clears them.
func quarter(dst []byte, stride int, block, quant *[64]int16) {
	a, b := int32(block[0])*int32(quant[0])+4+128<<3, int32(block[1])*int32(quant[1])
	c, d := int32(block[2])*int32(quant[2]), int32(block[3])*int32(quant[3])
	block[1], block[2], block[3] = 0, 0, 0
	top, bottom, left, right := a+c, a-c, b+d, b-d
	s00, s01, s10, s11 := (top+left)>>3, (top-left)>>3, (bottom+right)>>3, (bottom-right)>>3
	if uint32(s00|s01|s10|s11) > 255 {
		s00, s01, s10, s11 = int32(clamp(s00)), int32(clamp(s01)), int32(clamp(s10)), int32(clamp(s11))
	}
	binary.LittleEndian.PutUint16(dst, uint16(s00|s01<<8))
	binary.LittleEndian.PutUint16(dst[stride:], uint16(s10|s11<<8))
}

// flat fills the samples of a block that has a DC coefficient only.
func flat(dst []byte, stride int, scale Scale, sample byte) {
	all := uint64(sample) * 0x0101010101010101
	switch scale {
	case Full:
		_ = dst[7*stride+7]
		for range 8 {
			binary.LittleEndian.PutUint64(dst, all)
			dst = dst[min(stride, len(dst)):]
		}
	case Half:
		_ = dst[3*stride+3]
		for range 4 {
			binary.LittleEndian.PutUint32(dst, uint32(all))
			dst = dst[min(stride, len(dst)):]
		}
	case Quarter:
		binary.LittleEndian.PutUint16(dst, uint16(all))
		binary.LittleEndian.PutUint16(dst[stride:], uint16(all))
	default:
		for row := range int(scale) {
			fill(dst[row*stride:][:scale], sample)
		}
	}
}

// saturate limits v to 16 bits.
func saturate(v int32) int16 { return int16(min(max(v, -1<<15), 1<<15-1)) }
