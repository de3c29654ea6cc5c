package vp8

// load copies a macroblock of the picture to e.src. Samples at the picture's edges are repeated.
func (e *encoder) load(x, y int) {
	e.x, e.y = x, y
	w, h := min(e.img.Rect.Dx()-16*x, 16), min(e.img.Rect.Dy()-16*y, 16)
	loadSquare(e.src[:], e.img.Y[16*(y*e.img.YStride+x):], e.img.YStride, w, h, 16)
	w, h = (w+1)/2, (h+1)/2
	at := 8 * (y*e.img.CStride + x)
	loadSquare(e.src[colorOffset:], e.img.Cb[at:], e.img.CStride, w, h, 8)
	loadSquare(e.src[colorOffset+8:], e.img.Cr[at:], e.img.CStride, w, h, 8)
}

// loadSquare copies w×h samples to n×n.
func loadSquare(dst, src []byte, stride, w, h, n int) {
	for y := range n {
		row := dst[y*encStride:][:n]
		if y >= h {
			copy(row, dst[(h-1)*encStride:][:n])
			continue
		}
		copy(row, src[y*stride:][:w])
		for x := w; x < n; x++ {
			row[x] = row[w-1]
		}
	}
}

// startMacroblock sets up what lies around a macroblock. To the left it stays from the one before.
func (e *encoder) startMacroblock() {
	b := &e.border
	if e.x == 0 {
		for i := range b.left {
			b.left[i] = [16]byte{
				129, 129, 129, 129, 129, 129, 129, 129, 129, 129, 129, 129, 129, 129, 129, 129,
			}
			b.corner[i] = 129
			if e.y == 0 {
				b.corner[i] = 127
			}
		}
	}
	b.top = [3][]byte{e.tops[0][16*e.x:], e.tops[1][8*e.x:], e.tops[2][8*e.x:]}
}

// keepBorder keeps the right column and the lowest row of the reconstruction.
func (e *encoder) keepBorder() {
	b := &e.border
	for i, n := range [3]int{16, 8, 8} {
		pix := e.out[[3]int{0, colorOffset, colorOffset + 8}[i]:]
		b.corner[i] = b.top[i][n-1]
		for y := range n {
			b.left[i][y] = pix[y*encStride+n-1]
		}
		copy(b.top[i][:n], pix[(n-1)*encStride:])
	}
}

// borderFromSource sets up what lies around a macroblock as if the picture were reconstructed without loss.
func (e *encoder) borderFromSource(x, y int) {
	e.startMacroblock()
	b := &e.border
	w, h := e.img.Rect.Dx(), e.img.Rect.Dy()
	for i, pix := range [3][]byte{e.img.Y, e.img.Cb, e.img.Cr} {
		n, stride, w, h := 16, e.img.YStride, w, h
		if i > 0 {
			n, stride, w, h = 8, e.img.CStride, (w+1)/2, (h+1)/2
		}
		at := n * (y*stride + x)
		if x > 0 {
			for j := range n {
				b.left[i][j] = pix[at-1+min(j, h-n*y-1)*stride]
			}
			b.corner[i] = 127
			if y > 0 {
				b.corner[i] = pix[at-1-stride]
			}
		}
		if y > 0 {
			copied := copy(b.top[i][:n], pix[at-stride:][:min(n, w-n*x)])
			for j := copied; j < n; j++ {
				b.top[i][j] = b.top[i][copied-1]
			}
		}
	}
}

// keepBuilt copies the reconstruction of a macroblock to e.built.
func (e *encoder) keepBuilt() {
	for y := range 16 {
		copy(e.built.Y[(16*e.y+y)*e.built.YStride+16*e.x:][:16], e.out[y*encStride:])
	}
	for y := range 8 {
		at, row := (8*e.y+y)*e.built.CStride+8*e.x, e.out[colorOffset+y*encStride:]
		copy(e.built.Cb[at:][:8], row)
		copy(e.built.Cr[at:][:8], row[8:])
	}
}
