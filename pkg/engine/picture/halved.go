package picture

// HalvedRow writes a row of YCbCr, whose colours have half the samples of luma (rounded up), as red, green, blue and
// alpha, in the arithmetic of NRGBA. dst has 4 bytes for each of ys.
func HalvedRow(dst, ys, cbs, crs, alpha []byte, of Matrix, limited bool) {
	if len(ys) == 0 {
		return
	}
	n := len(ys)
	dst, cbs, crs, alpha = dst[:4*n], cbs[:(n+1)/2], crs[:(n+1)/2], alpha[:n]
	m := matrixOf(of, limited)
	done := m.halvedVector(dst, ys, cbs, crs, alpha)
	m.halved(dst[4*done:], ys[done:], cbs[done/2:], crs[done/2:], alpha[done:])
}

// halved converts a row whose colours have half the samples, with alpha.
func (m *matrix) halved(dst, ys, cbs, crs, alpha []byte) {
	var red, green, blue int
	for x, y := range ys {
		if x%2 == 0 {
			cb, cr := int(cbs[x/2])-128, int(crs[x/2])-128
			red, green, blue = cr*m.redCr+1<<15, 1<<15-cb*m.greenCb-cr*m.greenCr, cb*m.blueCb+1<<15
		}
		luma := (int(y) - m.black) * m.luma
		r, g, b := (luma+red)>>16, (luma+green)>>16, (luma+blue)>>16
		if uint(r|g|b) > 255 {
			r, g, b = min(max(r, 0), 255), min(max(g, 0), 255), min(max(b, 0), 255)
		}
		d := dst[4*x : 4*x+4 : 4*x+4]
		d[0], d[1], d[2], d[3] = byte(r), byte(g), byte(b), alpha[x]
	}
}
