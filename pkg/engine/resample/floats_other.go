//go:build !amd64 || purego

package resample

func filterFloats(dst, src []float32, starts []int32, weights []float32, taps int) {
	plainFilter(dst, src, starts, weights, taps)
}

func addFloats(dst, src []float32, weight float32) { plainAdd(dst, src, weight) }
