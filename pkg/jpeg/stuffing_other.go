//go:build !amd64 || purego

package jpeg

// nextMarker returns where data has the first marker: FF and another byte than 0. It is −1 if there is none; FF at the
// very end is none.
func nextMarker(data []byte) int { return plainNextMarker(data) }

// unstuff copies src to dst without the zeros that are stuffed behind FF, up to the end of either, or a marker.
// It returns how many bytes it wrote and how many it read.
func unstuff(dst, src []byte) (written, read int) { return plainUnstuff(dst, src) }
