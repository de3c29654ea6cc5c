//go:build !purego

package resample

import "golang.org/x/sys/cpu"

// filterFloats makes len(dst) outputs of a row, a multiple of floatUnit like taps. starts and weights are those of all
// of them.
func filterFloats(dst, src []float32, starts []int32, weights []float32, taps int) {
	if !cpu.X86.HasAVX2 || len(dst) == 0 {
		plainFilter(dst, src, starts, weights, taps)
		return
	}
	filterAVX2(&dst[0], &src[0], &starts[0], len(dst), &weights[0], taps/floatUnit)
}

// filterAVX2 makes n outputs, a multiple of 4, of blocks of floatUnit taps.
//
//go:noescape
func filterAVX2(dst, src *float32, starts *int32, n int, weights *float32, blocks int)

// addFloats adds a row times a weight to as many sums, a multiple of floatUnit.
func addFloats(dst, src []float32, weight float32) {
	if !cpu.X86.HasAVX2 || len(dst) == 0 {
		plainAdd(dst, src, weight)
		return
	}
	_ = src[len(dst)-1]
	addAVX2(&dst[0], &src[0], len(dst), weight)
}

// addAVX2 adds to n sums, a multiple of floatUnit.
//
//go:noescape
func addAVX2(dst, src *float32, n int, weight float32)
