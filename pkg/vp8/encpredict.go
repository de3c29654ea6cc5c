package vp8

// The encoder predicts a macroblock in all modes side by side (RFC 6386, section 12), in rows of encStride samples:
//
//	luma as a whole     DC       | TM           16 rows
//	                    vertical | horizontal
//	colour, Cb and Cr   DC       | TM            8 rows
//	                    vertical | horizontal
const (
	colorPredictions = 32 * encStride
	predictionsSize  = 48 * encStride
)

// predicted16 and predicted8 are where the predictions of each mode begin.
var (
	predicted16 = [4]int{0, 16, 16 * encStride, 16*encStride + 16}
	predicted8  = [4]int{
		colorPredictions, colorPredictions + 16, colorPredictions + 8*encStride, colorPredictions + 8*encStride + 16,
	}
)

// border is what lies around a macroblock: of luma, Cb and Cr.
type border struct {
	corner [3]byte
	left   [3][16]byte
	top    [3][]byte // 16 samples of luma, or 8; behind luma those of the next macroblock
}

// predictWhole predicts luma as a whole.
func (e *encoder) predictWhole() { e.predictSquares(0, 16, &predicted16, 0) }

// predictColor predicts Cb and Cr.
func (e *encoder) predictColor() {
	e.predictSquares(1, 8, &predicted8, 0)
	e.predictSquares(2, 8, &predicted8, 8)
}

// predictSquares predicts n×n samples of a component, at an offset from where each mode begins.
func (e *encoder) predictSquares(component, n int, modes *[4]int, offset int) {
	top, left, corner := e.border.top[component][:n], e.border.left[component][:n], e.border.corner[component]
	fillSquare(e.pred[modes[modeDC]+offset:], n, e.mean(top, left))
	vertical, horizontal := e.pred[modes[modeVertical]+offset:], e.pred[modes[modeHorizontal]+offset:]
	for y := range n {
		copy(vertical[y*encStride:][:n], top)
		put(horizontal[y*encStride:][:n], uint64(left[y])*everyByte)
	}
	gradient := e.pred[modes[modeTM]+offset:]
	switch {
	case e.x > 0 && e.y > 0:
		gradientSquare(gradient, top, left, corner)
	case e.x > 0: // what is beyond the edges makes it one of the other modes
		copySquare(gradient, horizontal, n)
	case e.y > 0:
		copySquare(gradient, vertical, n)
	default:
		fillSquare(gradient, n, 129)
	}
}

// mean returns the rounded mean of what is above and to the left, as far as there is any.
func (e *encoder) mean(top, left []byte) byte {
	sum, n := 0, 0
	if e.y > 0 {
		for _, v := range top {
			sum += int(v)
		}
		n += len(top)
	}
	if e.x > 0 {
		for _, v := range left {
			sum += int(v)
		}
		n += len(left)
	}
	if n == 0 {
		return 128
	}
	return byte((sum + n/2) / n)
}

func fillSquare(dst []byte, n int, v byte) {
	for y := range n {
		put(dst[y*encStride:][:n], uint64(v)*everyByte)
	}
}

func copySquare(dst, src []byte, n int) {
	for y := range n {
		copy(dst[y*encStride:][:n], src[y*encStride:][:n])
	}
}

func gradientSquare(dst, top, left []byte, corner byte) {
	for y, l := range left {
		row, delta := dst[y*encStride:][:len(top)], int(l)-int(corner)
		for x, v := range top {
			row[x] = clamp(int(v) + delta)
		}
	}
}
