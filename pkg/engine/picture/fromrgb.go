package picture

import (
	"bytes"
	"image"
)

// FromNRGBA converts to YCbCr in the full range of BT.601, with a plane of alpha where anything is transparent. A
// sample of colour difference is the mean of the one, two or four pixels that it covers.
func FromNRGBA(img *image.NRGBA, chroma Chroma) *Picture {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	p := Lay(make([]byte, Bytes(YCbCr, w, h, chroma)), YCbCr, w, h, chroma)
	opaque := true
	var separated [2][4][]byte
	for i := range separated {
		for c := range separated[i] {
			separated[i][c] = make([]byte, w)
		}
	}
	p.fromRGB(chroma, func(y int) colors {
		row, s := img.Pix[y*img.Stride:][:4*w], separated[y%2]
		opaque = Alpha(row, 4, false) && opaque
		Separate(s[:], row)
		return colors{s[0], s[1], s[2]}
	})
	if !opaque {
		alpha := Whole(make([]byte, w*h), w, h)
		for y := range h {
			for x := range w {
				alpha.Pix[y*w+x] = img.Pix[y*img.Stride+4*x+3]
			}
		}
		p.Alpha = &alpha
	}
	return p
}

// FromRGB does the same with the planes of red, green and blue, and leaves alpha out. memory is as for Lay.
func FromRGB(rgb *Picture, chroma Chroma, memory []byte) *Picture {
	w, h := rgb.Width(), rgb.Height()
	p := Lay(memory, YCbCr, w, h, chroma)
	p.fromRGB(chroma, func(y int) (c colors) {
		for i := range c {
			c[i] = rgb.Planes[i].Pix[y*rgb.Planes[i].Stride:][:w]
		}
		return c
	})
	return p
}

// IsGray reports whether the planes of a picture of red, green and blue are the same.
func (p *Picture) IsGray() bool {
	for y := range p.Height() {
		red := &p.Planes[0]
		row := red.Pix[y*red.Stride:][:red.Width]
		for _, c := range p.Planes[1:] {
			if !bytes.Equal(row, c.Pix[y*c.Stride:][:c.Width]) {
				return false
			}
		}
	}
	return true
}

// colors is a row of red, of green and of blue.
type colors [3][]byte

// fromRGB writes all rows. row returns each row once, from the top, which stays until that after the next.
func (p *Picture) fromRGB(chroma Chroma, row func(y int) colors) {
	y, cb, cr := &p.Planes[0], &p.Planes[1], &p.Planes[2]
	across, down := 1, 1
	if chroma.HalfAcross {
		across = 2
	}
	if chroma.HalfDown {
		down = 2
	}
	for i := range cb.Height {
		above := row(down * i)
		luma(y.Pix[down*i*y.Stride:][:y.Width], &above)
		below := above
		if at := down*i + 1; down == 2 && at < y.Height {
			below = row(at)
			luma(y.Pix[at*y.Stride:][:y.Width], &below)
		}
		differences(cb.Pix[i*cb.Stride:][:cb.Width], cr.Pix[i*cr.Stride:][:cb.Width], &above, &below, across)
	}
}

// luma makes a row of luma.
func luma(dst []byte, row *colors) {
	done := lumaVector(dst, row)
	r, g, b := row[0][done:], row[1][done:], row[2][done:]
	dst = dst[done:]
	r, g, b = r[:len(dst)], g[:len(dst)], b[:len(dst)]
	for x := range dst {
		dst[x] = byte((19595*uint32(r[x]) + 38470*uint32(g[x]) + 7471*uint32(b[x]) + 1<<15) >> 16)
	}
}

// differences makes a row of samples of colour difference of two rows of pixels, across columns at a time.
func differences(cb, cr []byte, above, below *colors, across int) {
	done := 0
	if across == 2 {
		done = differencesVector(cb, cr, above, below)
	}
	last := len(above[0]) - 1
	for x := done; x < len(cb); x++ {
		left := across * x
		right := min(left+across-1, last)
		var sum colorSum
		for i := range sum {
			sum[i] = int(above[i][left]) + int(above[i][right]) + int(below[i][left]) + int(below[i][right])
		}
		cb[x] = clamp((-11059*sum[0] - 21709*sum[1] + 32768*sum[2] + 128<<18 + 1<<17) >> 18)
		cr[x] = clamp((32768*sum[0] - 27439*sum[1] - 5329*sum[2] + 128<<18 + 1<<17) >> 18)
	}
}

// colorSum is the sums of four samples of red, green and blue.
type colorSum [3]int

// Separate copies each channel of a row of interleaved samples to a row of its own, as long as the others.
func Separate(dst [][]byte, row []byte) {
	n := len(dst)
	if n == 1 {
		copy(dst[0], row)
		return
	}
	done := separateVector(dst, row)
	for c, d := range dst {
		row := row[c:]
		for x := done; x < len(d); x++ {
			d[x] = row[n*x]
		}
	}
}
