//go:build !amd64 || purego

package png

func unfilter(filter byte, dst, src, prev []byte, pixel int) {
	plainUnfilter(filter, dst, src, prev, pixel, 0)
}
