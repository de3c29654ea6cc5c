//go:build !purego

package picture

import "golang.org/x/sys/cpu"

// lumaVector is luma for as many pixels as there are in whole vectors, whose number it returns. So are the others.
func lumaVector(dst []byte, row *colors) (done int) {
	n := len(dst) &^ 15
	if !cpu.X86.HasAVX2 || n == 0 {
		return 0
	}
	_, _, _ = row[0][n-1], row[1][n-1], row[2][n-1]
	lumaAVX2(&dst[0], &row[0][0], &row[1][0], &row[2][0], n)
	return n
}

func differencesVector(cb, cr []byte, above, below *colors) (done int) {
	n := len(above[0]) / 2 &^ 15
	if !cpu.X86.HasAVX2 || n == 0 {
		return 0
	}
	_, _ = cb[n-1], cr[n-1]
	var a, b [3]*byte
	for i := range a {
		_, _ = above[i][2*n-1], below[i][2*n-1]
		a[i], b[i] = &above[i][0], &below[i][0]
	}
	differencesAVX2(&cb[0], &cr[0], &a, &b, n)
	return n
}

func separateVector(dst [][]byte, row []byte) (done int) {
	n := len(dst[0]) &^ 15
	if !cpu.X86.HasAVX2 || n == 0 || len(dst) < 3 || len(dst) > 4 {
		return 0
	}
	_ = row[len(dst)*n-1]
	for _, d := range dst {
		_ = d[n-1]
	}
	if len(dst) == 3 {
		separate3AVX(&dst[0][0], &dst[1][0], &dst[2][0], &row[0], n)
	} else {
		separate4AVX(&dst[0][0], &dst[1][0], &dst[2][0], &dst[3][0], &row[0], n)
	}
	return n
}

// lumaAVX2 makes n samples, a multiple of 16.
//
//go:noescape
func lumaAVX2(dst, red, green, blue *byte, n int)

// differencesAVX2 makes n samples of each colour difference, a multiple of 16, of rows of red, green and blue.
//
//go:noescape
func differencesAVX2(cb, cr *byte, above, below *[3]*byte, n int)

// separate3AVX separates n pixels, a multiple of 16.
//
//go:noescape
func separate3AVX(a, b, c, row *byte, n int)

// separate4AVX separates n pixels, a multiple of 16.
//
//go:noescape
func separate4AVX(a, b, c, d, row *byte, n int)
