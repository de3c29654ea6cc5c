package jpeg

import mathbits "math/bits"

// divisors are a quantization table as forward divides by it: for each coefficient, in their natural order, what is
// added to its magnitude for rounding, and two factors. Multiplied by one and then by the other, each time keeping the
// upper 16 bits of the product, a magnitude is divided.
type divisors struct{ half, reciprocal, scale [64]uint16 }

// newDivisors returns the divisors for a quantization table in natural order, whose values are 1 to 255.
func newDivisors(quant *[64]uint8) *divisors {
	d := new(divisors)
	for i, q := range quant {
		by := 8 * uint(q) // forward yields coefficients times 8
		d.half[i] = uint16(by / 2)
		// 1<<shift is the largest power of two below by. So the reciprocal has 16 bits, and its error, less than by, is
		// too little to matter for magnitudes below 1<<15.
		shift := mathbits.Len(by-1) - 1
		d.reciprocal[i] = uint16((uint(1)<<(16+shift) + by - 1) / by)
		d.scale[i] = uint16(1 << (16 - shift))
	}
	return d
}

// The cosines of the transform, times 1<<13, as libjpeg's slow integer transform (jfdctint) has them in the end: each
// odd coefficient is a sum of four products, of the differences of samples 3 and 4, 2 and 5, 1 and 6, and 0 and 7.
var (
	evenFactors = [2][2]int32{{10703, 4433}, {4433, -10704}}
	oddFactors  = [4][4]int32{
		{2260, 6437, 9633, 11363},
		{-6436, -11362, -2259, 9633},
		{9633, 2261, -11362, 6437},
		{-11363, 9633, -6436, 2260},
	}
)

// plainForward transforms and quantizes the 8×8 samples at src into coefficients in their natural order, and returns
// which of them are not zero.
func plainForward(out *[64]int16, src []byte, stride int, d *divisors) (nonzero uint64) {
	var v [64]int32
	for y := range 8 {
		for x, s := range src[y*stride:][:8] {
			v[8*y+x] = int32(s) - 128
		}
		forward8(v[8*y:], 1, 11)
	}
	for x := range 8 {
		forward8(v[x:], 8, 15)
	}
	for i, c := range v {
		sign := c >> 31
		n := uint32((c^sign)-sign) + uint32(d.half[i])
		n = n * uint32(d.reciprocal[i]) >> 16 * uint32(d.scale[i]) >> 16
		out[i] = int16((int32(n) ^ sign) - sign)
		if n != 0 {
			nonzero |= 1 << i
		}
	}
	return nonzero
}

// forward8 transforms 8 values in place, step apart. The first pass leaves two bits of fraction, which the second, that
// with the larger shift, takes away.
func forward8(v []int32, step int, shift uint) {
	var sum, diff [4]int32
	for i := range 4 {
		a, b := v[i*step], v[(7-i)*step]
		sum[i], diff[3-i] = a+b, a-b // differences from the middle outwards
	}
	t10, t13, t11, t12 := sum[0]+sum[3], sum[0]-sum[3], sum[1]+sum[2], sum[1]-sum[2]
	if shift == 11 {
		v[0], v[4*step] = (t10+t11)<<2, (t10-t11)<<2
	} else {
		v[0], v[4*step] = (t10+t11+2)>>2, (t10-t11+2)>>2
	}
	round := int32(1) << (shift - 1)
	for i, f := range evenFactors {
		v[(2+4*i)*step] = (f[0]*t13 + f[1]*t12 + round) >> shift
	}
	for i, f := range oddFactors {
		v[(2*i+1)*step] = (f[0]*diff[0] + f[1]*diff[1] + f[2]*diff[2] + f[3]*diff[3] + round) >> shift
	}
}

// plainForward2 is forward without vectors.
func plainForward2(out *[128]int16, nonzero *[2]uint64, src []byte, stride int, d *divisors) {
	for i := range nonzero {
		nonzero[i] = plainForward((*[64]int16)(out[64*i:]), src[8*i:], stride, d)
	}
}
