//go:build !purego

package png

import "golang.org/x/sys/cpu"

// unfilter undoes the filter of a row: dst becomes src plus what is predicted from dst, pixel bytes before, and from
// prev, the row above. All three have the same length.
func unfilter(filter byte, dst, src, prev []byte, pixel int) {
	done := 0
	if n := len(dst); n >= 32 && cpu.X86.HasAVX2 {
		_, _ = src[n-1], prev[n-1]
		switch {
		case filter == filterUp:
			done = upAVX2(&dst[0], &src[0], &prev[0], n)
		case pixel < 3:
		case filter == filterSub:
			done = subAVX(&dst[0], &src[0], n, pixel)
		case filter == filterAverage:
			done = averageAVX(&dst[0], &src[0], &prev[0], n, pixel)
		case filter == filterPaeth:
			done = paethAVX(&dst[0], &src[0], &prev[0], n, pixel)
		}
	}
	plainUnfilter(filter, dst, src, prev, pixel, done)
}

// These undo a filter from the beginning of a row of n bytes, and return how many bytes are done: the last few are left.
// Those with pixel bytes a pixel work on eight bytes at a time, of which the first pixel bytes count.

//go:noescape
func upAVX2(dst, src, prev *byte, n int) int

//go:noescape
func subAVX(dst, src *byte, n, pixel int) int

//go:noescape
func averageAVX(dst, src, prev *byte, n, pixel int) int

//go:noescape
func paethAVX(dst, src, prev *byte, n, pixel int) int
