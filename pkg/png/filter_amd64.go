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

// These undo a filter from the beginning of a row of n bytes, and return how many bytes are done: the last few are
// left. Those with pixel bytes a pixel work on eight bytes at a time, of which the first pixel bytes count.

//go:noescape
func upAVX2(dst, src, prev *byte, n int) int

//go:noescape
func subAVX(dst, src *byte, n, pixel int) int

//go:noescape
func averageAVX(dst, src, prev *byte, n, pixel int) int

//go:noescape
func paethAVX(dst, src, prev *byte, n, pixel int) int

// filterRow filters a row with Sub, Up, Average and Paeth, and adds to the sums of the absolute differences, of the row
// itself first. row and above have front bytes in front, which are zeros; the outputs have none.
func filterRow(sums *[5]uint64, out [4][]byte, row, above []byte, front, pixel int) {
	done := 0
	if n := len(row) - front; n >= 32 && cpu.X86.HasAVX2 {
		_ = above[front+n-1]
		for i := range out {
			_ = out[i][n-1]
		}
		done = n &^ 31
		filterAVX2(&filterArgs{
			sums: sums, sub: &out[0][0], up: &out[1][0], average: &out[2][0], paeth: &out[3][0],
			row: &row[front], left: &row[front-pixel], above: &above[front], corner: &above[front-pixel], n: done,
		})
	}
	plainFilterRow(sums, out, row, above, front, pixel, done)
}

// filterArgs are the arguments of filterAVX2, which knows their offsets.
type filterArgs struct {
	sums                     *[5]uint64
	sub, up, average, paeth  *byte // n bytes each
	row, left, above, corner *byte // likewise
	n                        int   // a multiple of 32, not 0
}

//go:noescape
func filterAVX2(args *filterArgs)
