//go:build !amd64 || purego

package png

func unfilter(filter byte, dst, src, prev []byte, pixel int) {
	plainUnfilter(filter, dst, src, prev, pixel, 0)
}

func filterRow(sums *[5]uint64, out [4][]byte, row, above []byte, front, pixel int) {
	plainFilterRow(sums, out, row, above, front, pixel, 0)
}
