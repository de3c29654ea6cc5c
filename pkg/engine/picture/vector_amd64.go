//go:build !purego

package picture

import "golang.org/x/sys/cpu"

// factors are those of a matrix as assembly multiplies by them: each as a whole part and a fraction in 65536ths, which
// may be negative, so that both fit 16 bits. Pairs are of Cb and Cr. Assembly knows the fields.
type factors struct {
	black             uint32 // twice, in 16 bits
	lumaWhole, luma   uint32 // of a pair of luma and nothing
	redWhole, red     uint32
	greenWhole, green uint32
	blueWhole, blue   uint32
	half, zeroColour  uint32
}

// split returns a pair of factors as two of whole parts and of fractions.
func split(a, b int) (whole, fraction uint32) {
	part := func(v int) (w, f uint32) {
		n := (v + 1<<15) >> 16
		return uint32(n) & 0xffff, uint32(v-n<<16) & 0xffff
	}
	aWhole, aFraction := part(a)
	bWhole, bFraction := part(b)
	return bWhole<<16 | aWhole, bFraction<<16 | aFraction
}

func (m *matrix) factors() factors {
	f := factors{black: uint32(m.black)<<16 | uint32(m.black), half: 1 << 15, zeroColour: 128<<16 | 128}
	f.lumaWhole, f.luma = split(m.luma, 0)
	f.redWhole, f.red = split(0, m.redCr)
	f.greenWhole, f.green = split(-m.greenCb, -m.greenCr)
	f.blueWhole, f.blue = split(m.blueCb, 0)
	return f
}

// rowVector is plainRow for as many pixels as there are in whole vectors, whose number it returns.
func (m *matrix) rowVector(dst, ys, cbs, crs []byte) (done int) {
	n := len(ys) &^ 15
	if !cpu.X86.HasAVX2 || n == 0 {
		return 0
	}
	f := m.factors()
	_, _, _ = dst[4*n-1], cbs[n-1], crs[n-1]
	rowAVX2(&dst[0], &ys[0], &cbs[0], &crs[0], n, &f)
	return n
}

// rowAVX2 converts n pixels, a multiple of 16.
//
//go:noescape
func rowAVX2(dst, ys, cbs, crs *byte, n int, f *factors)

// halvedVector is halved for as many pixels as there are in whole vectors, whose number it returns.
func (m *matrix) halvedVector(dst, ys, cbs, crs, alpha []byte) (done int) {
	n := len(ys) &^ 15
	if !cpu.X86.HasAVX2 || n == 0 {
		return 0
	}
	f := m.factors()
	_, _, _, _ = dst[4*n-1], cbs[n/2-1], crs[n/2-1], alpha[n-1]
	halvedAVX2(&dst[0], &ys[0], &cbs[0], &crs[0], &alpha[0], n, &f)
	return n
}

// halvedAVX2 converts n pixels, a multiple of 16.
//
//go:noescape
func halvedAVX2(dst, ys, cbs, crs, alpha *byte, n int, f *factors)

// alphaVector is Alpha of four channels for as many pixels as there are in whole vectors, whose number it returns.
func alphaVector(row []byte, multiply bool) (done int, opaque bool) {
	n := len(row) / 4 &^ 7
	if !cpu.X86.HasAVX2 || n == 0 {
		return 0, true
	}
	if !multiply {
		return n, opaqueAVX2(&row[0], n)
	}
	return n, multiplyAVX2(&row[0], n)
}

// opaqueAVX2 reports whether n pixels, a multiple of 8, are opaque.
//
//go:noescape
func opaqueAVX2(row *byte, n int) bool

// multiplyAVX2 does the same and multiplies them by their alpha.
//
//go:noescape
func multiplyAVX2(row *byte, n int) bool
