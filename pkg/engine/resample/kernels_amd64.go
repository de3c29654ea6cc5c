//go:build !purego

package resample

import "golang.org/x/sys/cpu"

// columnUnit is how many columns the vector code does at once.
const columnUnit = 32

// columnsAVX2 does n columns, a multiple of columnUnit, with pairs of taps.
//
//go:noescape
func columnsAVX2(dst *int16, src *byte, stride, n int, weights *int16, pairs int)

// rowAVX2 does n pixels, a multiple of rowPixels, with blocks of rowTaps taps.
//
//go:noescape
func rowAVX2(dst *byte, src *int16, starts *int32, n int, weights *int16, blocks int)

func addColumns(dst []int16, src []byte, stride int, weights []int16) {
	if !cpu.X86.HasAVX2 || len(dst) < columnUnit || len(weights) == 0 || len(weights)%columnTaps != 0 {
		plainColumns(dst, src, stride, weights)
		return
	}
	_ = src[(len(weights)-1)*stride+len(dst)-1] // the last that is read
	whole, pairs := len(dst)&^(columnUnit-1), len(weights)/columnTaps
	columnsAVX2(&dst[0], &src[0], stride, whole, &weights[0], pairs)
	if whole < len(dst) { // the rest with some that are done already
		last := len(dst) - columnUnit
		columnsAVX2(&dst[last], &src[last], stride, columnUnit, &weights[0], pairs)
	}
}

func addRow(dst []byte, src []int16, starts []int32, weights []int16, taps int) {
	if !cpu.X86.HasAVX2 || len(dst) == 0 || len(dst)%rowPixels != 0 || taps%rowTaps != 0 {
		plainRow(dst, src, starts, weights, taps)
		return
	}
	rowAVX2(&dst[0], &src[0], &starts[0], len(dst), &weights[0], taps/rowTaps)
}

// sumsAVX2 adds n bytes, a multiple of 16, to n sums.
//
//go:noescape
func sumsAVX2(sums *uint16, row *byte, n int)

func addSums(sums []uint16, row []byte) {
	whole := len(sums) &^ 15
	if !cpu.X86.HasAVX2 || whole == 0 {
		plainSums(sums, row)
		return
	}
	_ = row[len(sums)-1]
	sumsAVX2(&sums[0], &row[0], whole)
	plainSums(sums[whole:], row[whole:])
}
