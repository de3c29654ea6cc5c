//go:build !purego

package jpeg

// nextMarker returns where data has the first marker: FF and another byte than 0. It is −1 if there is none; FF at the
// very end is none.
func nextMarker(data []byte) int {
	from := 0
	if avx2 && len(data) > 0 {
		from = markerAVX2(&data[0], len(data))
	}
	if i := plainNextMarker(data[from:]); i >= 0 {
		return from + i
	}
	return -1
}

// unstuff copies src to dst without the zeros that are stuffed behind FF, up to the end of either, or a marker.
// It returns how many bytes it wrote and how many it read.
func unstuff(dst, src []byte) (written, read int) {
	if avx2 && len(dst) > 0 && len(src) > 0 {
		written, read = unstuffAVX2(&dst[0], len(dst), &src[0], len(src))
	}
	w, r := plainUnstuff(dst[written:], src[read:])
	return written + w, read + r
}

// markerAVX2 returns where the first marker is, or from where on there are too few bytes for it to look.
//
//go:noescape
func markerAVX2(src *byte, size int) int

// unstuffAVX2 is unstuff as long as there are some 32 bytes to read and room for them.
//
//go:noescape
func unstuffAVX2(dst *byte, room int, src *byte, size int) (written, read int)
