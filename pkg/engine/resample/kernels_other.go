//go:build !amd64 || purego

package resample

func addColumns(dst []int16, src []byte, stride int, weights []int16) {
	plainColumns(dst, src, stride, weights)
}

func addRow(dst []byte, src []int16, starts []int32, weights []int16, taps int) {
	plainRow(dst, src, starts, weights, taps)
}

func addSums(sums []uint16, row []byte) { plainSums(sums, row) }
