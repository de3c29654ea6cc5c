package picture

import "image"

// FromNRGBA converts to YCbCr in the full range of BT.601, with a plane of alpha where anything is transparent. A sample
// of colour difference is the mean of the one, two or four pixels that it covers.
func FromNRGBA(img *image.NRGBA, chroma Chroma) *Picture {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	across, down := 1, 1
	if chroma.HalfAcross {
		across = 2
	}
	if chroma.HalfDown {
		down = 2
	}
	p := Lay(make([]byte, Bytes(YCbCr, w, h, chroma)), YCbCr, w, h, chroma)
	luma, cb, cr := &p.Planes[0], &p.Planes[1], &p.Planes[2]
	for y := range h {
		row := img.Pix[y*img.Stride:][:4*w]
		to := luma.Pix[y*w:][:w]
		for x := range to {
			r, g, b := int(row[4*x]), int(row[4*x+1]), int(row[4*x+2])
			to[x] = byte((19595*r + 38470*g + 7471*b + 1<<15) >> 16)
		}
	}
	for y := range cb.Height {
		above, below := img.Pix[down*y*img.Stride:], img.Pix[min(down*y+down-1, h-1)*img.Stride:]
		for x := range cb.Width {
			left, right := 4*across*x, 4*min(across*x+across-1, w-1)
			sum := func(c int) int {
				return int(above[left+c]) + int(above[right+c]) + int(below[left+c]) + int(below[right+c])
			}
			r, g, b := sum(0), sum(1), sum(2)
			cb.Pix[y*cb.Stride+x] = clamp((-11059*r - 21709*g + 32768*b + 128<<18 + 1<<17) >> 18)
			cr.Pix[y*cr.Stride+x] = clamp((32768*r - 27439*g - 5329*b + 128<<18 + 1<<17) >> 18)
		}
	}
	if !img.Opaque() {
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
