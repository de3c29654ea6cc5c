package png

// Filters of a row (PNG, 9.2).
const (
	filterNone    = 0
	filterSub     = 1
	filterUp      = 2
	filterAverage = 3
	filterPaeth   = 4
)

// plainUnfilter undoes the filter of a row from an offset on: dst becomes src plus what is predicted from dst, pixel
// bytes before, and from prev, the row above. All three have the same length.
func plainUnfilter(filter byte, dst, src, prev []byte, pixel, from int) {
	src, prev = src[:len(dst)], prev[:len(dst)]
	switch filter {
	case filterNone:
		copy(dst[from:], src[from:])
	case filterSub:
		for i := from; i < min(pixel, len(dst)); i++ {
			dst[i] = src[i]
		}
		for i := max(from, pixel); i < len(dst); i++ {
			dst[i] = src[i] + dst[i-pixel]
		}
	case filterUp:
		for i := from; i < len(dst); i++ {
			dst[i] = src[i] + prev[i]
		}
	case filterAverage:
		for i := from; i < min(pixel, len(dst)); i++ {
			dst[i] = src[i] + prev[i]/2
		}
		for i := max(from, pixel); i < len(dst); i++ {
			dst[i] = src[i] + byte((int(dst[i-pixel])+int(prev[i]))/2)
		}
	case filterPaeth:
		for i := from; i < min(pixel, len(dst)); i++ {
			dst[i] = src[i] + prev[i]
		}
		for i := max(from, pixel); i < len(dst); i++ {
			dst[i] = src[i] + paeth(int(dst[i-pixel]), int(prev[i]), int(prev[i-pixel]))
		}
	}
}

// paeth returns which of left, above and above left is nearest to left + above − above left.
func paeth(left, above, corner int) byte {
	toLeft, toAbove := abs(above-corner), abs(left-corner)
	toCorner := abs(left + above - 2*corner)
	switch {
	case toLeft <= toAbove && toLeft <= toCorner:
		return byte(left)
	case toAbove <= toCorner:
		return byte(above)
	}
	return byte(corner)
}

func abs(v int) int { return max(v, -v) }
