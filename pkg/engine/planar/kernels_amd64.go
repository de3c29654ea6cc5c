package planar

import "golang.org/x/sys/cpu"

// columnUnit is how many columns the vector code does at once.
const columnUnit = 16

// columnsAVX2 does n columns, a multiple of columnUnit, with pairs of taps.
//
//go:noescape
func columnsAVX2(dst *int16, src *byte, stride, n int, weights *int16, pairs int)

// rowAVX2 does n pixels, a multiple of pixelUnit, with blocks of tapUnit taps.
//
//go:noescape
func rowAVX2(dst *byte, src *int16, starts *int32, n int, weights *int16, blocks int)

func addColumns(dst []int16, src []byte, stride int, weights []int16) {
	done := 0
	if cpu.X86.HasAVX2 {
		// Taps go in pairs; that of an odd one's partner is added in the plain way, which is rare enough: it weighs
		// nothing, so one row more is read where there is one.
		pairs := len(weights) / 2
		var even [2 * maxStackPairs]int16
		if len(weights)%2 == 0 || len(src) >= len(weights)*stride+len(dst) && len(weights) < len(even) {
			if len(weights)%2 != 0 {
				copy(even[:], weights)
				weights, pairs = even[:len(weights)+1], pairs+1
			}
			done = len(dst) &^ (columnUnit - 1)
			if done > 0 {
				_ = src[(len(weights)-1)*stride+done-1]
				columnsAVX2(&dst[0], &src[0], stride, done, &weights[0], pairs)
			}
		}
	}
	if done < len(dst) {
		plainColumns(dst[done:], src[done:], stride, weights)
	}
}

// maxStackPairs bounds the odd kernels that are padded on the stack; wider ones take the plain way.
const maxStackPairs = 256

func addRow(dst []byte, src []int16, starts []int32, weights []int16, taps int) {
	if !cpu.X86.HasAVX2 || len(dst)%pixelUnit != 0 || taps%tapUnit != 0 || len(dst) == 0 {
		plainRow(dst, src, starts, weights, taps)
		return
	}
	rowAVX2(&dst[0], &src[0], &starts[0], len(dst), &weights[0], taps/tapUnit)
}
