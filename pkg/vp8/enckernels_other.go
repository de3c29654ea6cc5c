//go:build !amd64 || purego

package vp8

func forwardTransform(src, ref []byte, out *[16]int16) { plainForward(src, ref, out) }

func forwardTransformPair(src, ref []byte, out *[32]int16) { plainForwardPair(src, ref, out) }

func forwardWHT(in []int16, out *[16]int16) { plainForwardWHT(in, out) }

func inverseTransformAdd(ref []byte, in *[16]int16, dst []byte) { plainInverseAdd(ref, in, dst) }

func inverseTransformAddPair(ref []byte, in *[32]int16, dst []byte) {
	plainInverseAddPair(ref, in, dst)
}

func sse16x16(a, b []byte) int { return plainSSE(a, b, 16, 16) }

func sse16x8(a, b []byte) int { return plainSSE(a, b, 16, 8) }

func sse8x8(a, b []byte) int { return plainSSE(a, b, 8, 8) }

func sse4x4(a, b []byte) int { return plainSSE(a, b, 4, 4) }

func spectralDistortion4x4(a, b []byte, w *[16]uint16) int { return plainSpectral4x4(a, b, w) }

func spectralDistortion16x16(a, b []byte, w *[16]uint16) int { return plainSpectral16x16(a, b, w) }

func quantizeBlock(in, out *[16]int16, m *quantMatrix) bool { return plainQuantize(in, out, m) }

func quantizePair(in, out *[32]int16, m *quantMatrix) int { return plainQuantizePair(in, out, m) }

func tryBlock(src []byte, around *[16]byte, m *quantMatrix, w *[16]uint16, t *blockTrials) {
	plainTry(src, around, m, w, t)
}

func coefficientSpread(src, ref []byte, rows int) (most, last int) {
	return plainSpread(src, ref, rows)
}
