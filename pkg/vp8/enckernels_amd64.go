//go:build !purego

package vp8

// forwardTransform transforms the difference between the 4×4 samples of src and ref, in raster order.
func forwardTransform(src, ref []byte, out *[16]int16) {
	if !vectors {
		plainForward(src, ref, out)
		return
	}
	_, _ = src[3*encStride+3], ref[3*encStride+3]
	forwardAVX2(&src[0], &ref[0], out)
}

//go:noescape
func forwardAVX2(src, ref *byte, out *[16]int16)

// forwardTransformPair transforms two adjacent blocks.
func forwardTransformPair(src, ref []byte, out *[32]int16) {
	if !vectors {
		plainForwardPair(src, ref, out)
		return
	}
	_, _ = src[3*encStride+7], ref[3*encStride+7]
	forwardPairAVX2(&src[0], &ref[0], out)
}

//go:noescape
func forwardPairAVX2(src, ref *byte, out *[32]int16)

// forwardWHT transforms the first coefficients of sixteen blocks.
func forwardWHT(in []int16, out *[16]int16) {
	if !vectors {
		plainForwardWHT(in, out)
		return
	}
	_ = in[15*16]
	forwardWHTAVX2(&in[0], out)
}

//go:noescape
func forwardWHTAVX2(in *int16, out *[16]int16)

// inverseTransformAdd writes to dst the 4×4 samples of ref, with what coefficients add to them. These have at most
// 2200, as all that an encoder makes of samples.
func inverseTransformAdd(ref []byte, in *[16]int16, dst []byte) {
	if !vectors {
		plainInverseAdd(ref, in, dst)
		return
	}
	_, _ = ref[3*encStride+3], dst[3*encStride+3]
	inverseAddAVX2(&ref[0], in, &dst[0])
}

//go:noescape
func inverseAddAVX2(ref *byte, in *[16]int16, dst *byte)

// inverseTransformAddPair does so with two adjacent blocks.
func inverseTransformAddPair(ref []byte, in *[32]int16, dst []byte) {
	if !vectors {
		plainInverseAddPair(ref, in, dst)
		return
	}
	_, _ = ref[3*encStride+7], dst[3*encStride+7]
	inverseAddPairAVX2(&ref[0], in, &dst[0])
}

//go:noescape
func inverseAddPairAVX2(ref *byte, in *[32]int16, dst *byte)

// sse16x16 returns the sum of squared differences between 16×16 samples.
func sse16x16(a, b []byte) int {
	if !vectors {
		return plainSSE(a, b, 16, 16)
	}
	_, _ = a[15*encStride+15], b[15*encStride+15]
	return sse16AVX2(&a[0], &b[0], 16)
}

// sse16x8 returns the sum of squared differences between eight rows of 16 samples.
func sse16x8(a, b []byte) int {
	if !vectors {
		return plainSSE(a, b, 16, 8)
	}
	_, _ = a[7*encStride+15], b[7*encStride+15]
	return sse16AVX2(&a[0], &b[0], 8)
}

//go:noescape
func sse16AVX2(a, b *byte, rows int) int

// sse8x8 returns the sum of squared differences between 8×8 samples.
func sse8x8(a, b []byte) int {
	if !vectors {
		return plainSSE(a, b, 8, 8)
	}
	_, _ = a[7*encStride+7], b[7*encStride+7]
	return sse8AVX2(&a[0], &b[0])
}

//go:noescape
func sse8AVX2(a, b *byte) int

// sse4x4 returns the sum of squared differences between 4×4 samples.
func sse4x4(a, b []byte) int {
	if !vectors {
		return plainSSE(a, b, 4, 4)
	}
	_, _ = a[3*encStride+3], b[3*encStride+3]
	return sse4AVX2(&a[0], &b[0])
}

//go:noescape
func sse4AVX2(a, b *byte) int

// spectralDistortion4x4 returns how much the Hadamard transforms of 4×4 samples differ in sum. Each value is weighted
// by less than 32768.
func spectralDistortion4x4(a, b []byte, w *[16]uint16) int {
	if !vectors {
		return plainSpectral4x4(a, b, w)
	}
	_, _ = a[3*encStride+3], b[3*encStride+3]
	return spectral4AVX2(&a[0], &b[0], w)
}

//go:noescape
func spectral4AVX2(a, b *byte, w *[16]uint16) int

// spectralDistortion16x16 returns the sum of that over the sixteen blocks of a macroblock.
func spectralDistortion16x16(a, b []byte, w *[16]uint16) int {
	if !vectors {
		return plainSpectral16x16(a, b, w)
	}
	_, _ = a[15*encStride+15], b[15*encStride+15]
	return spectral16AVX2(&a[0], &b[0], w)
}

//go:noescape
func spectral16AVX2(a, b *byte, w *[16]uint16) int

// quantizeBlock quantizes a block. out are its levels in zigzag order; in becomes what the decoder makes of these. It
// reports whether there is a level other than 0. zthresh of the matrix must follow from the rest.
func quantizeBlock(in, out *[16]int16, m *quantMatrix) bool {
	if !vectors {
		return plainQuantize(in, out, m)
	}
	return quantizeAVX2(in, out, m)
}

//go:noescape
func quantizeAVX2(in, out *[16]int16, m *quantMatrix) bool

// quantizePair quantizes two blocks. Bits 0 and 1 of the result tell which has levels.
func quantizePair(in, out *[32]int16, m *quantMatrix) int {
	if !vectors {
		return plainQuantizePair(in, out, m)
	}
	return quantizePairAVX2(in, out, m)
}

//go:noescape
func quantizePairAVX2(in, out *[32]int16, m *quantMatrix) int

// tryBlock tries all modes for the 4×4 samples of src. around are the samples around the block, clockwise: those to the
// left from below, the first of them twice, the corner, and the eight above, the last of them twice.
func tryBlock(src []byte, around *[16]byte, m *quantMatrix, w *[16]uint16, t *blockTrials) {
	if !vectors {
		plainTry(src, around, m, w, t)
		return
	}
	_ = src[3*encStride+3]
	tryAVX2(&src[0], around, m, w, t)
}

//go:noescape
func tryAVX2(src *byte, around *[16]byte, m *quantMatrix, w *[16]uint16, t *blockTrials)

// coefficientSpread counts how large the coefficients are of the difference between src and ref, 16 samples wide and 2
// or 4 rows of 4×4 blocks high: in bins of 8, the last of which takes all larger ones. most is the largest count, last
// the last bin with any.
func coefficientSpread(src, ref []byte, rows int) (most, last int) {
	if !vectors {
		return plainSpread(src, ref, rows)
	}
	_, _ = src[(4*rows-1)*encStride+15], ref[(4*rows-1)*encStride+15]
	return spreadAVX2(&src[0], &ref[0], rows)
}

//go:noescape
func spreadAVX2(src, ref *byte, rows int) (most, last int)
