package picture

import (
	"encoding/binary"
	"image"
)

// FromNRGBA converts to YCbCr in the full range of BT.601, with a plane of alpha where anything is transparent. A
// sample of colour difference is the mean of the one, two or four pixels that it covers.
func FromNRGBA(img *image.NRGBA, chroma Chroma) *Picture {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	p := Lay(make([]byte, Bytes(YCbCr, w, h, chroma)), YCbCr, w, h, chroma)
	opaque := uint32(0xff000000)
	for y := range h {
		luma := p.Planes[0].Pix[y*w:][:w]
		row := img.Pix[y*img.Stride:][:4*w]
		for x := range luma {
			c := binary.LittleEndian.Uint32(row[4*x:])
			opaque &= c
			luma[x] = byte((19595*(c&255) + 38470*(c>>8&255) + 7471*(c>>16&255) + 1<<15) >> 16)
		}
	}
	cb, cr := &p.Planes[1], &p.Planes[2]
	across, down := 1, 1
	if chroma.HalfAcross {
		across = 2
	}
	if chroma.HalfDown {
		down = 2
	}
	for y := range cb.Height {
		above := img.Pix[down*y*img.Stride:][:4*w]
		below := img.Pix[min(down*y+down-1, h-1)*img.Stride:][:4*w]
		differences(cb.Pix[y*cb.Stride:][:cb.Width], cr.Pix[y*cr.Stride:][:cb.Width], above, below, across)
	}
	if opaque != 0xff000000 {
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

// differences makes a row of samples of colour difference of two rows of pixels, across columns at a time.
func differences(cb, cr, above, below []byte, across int) {
	const even = 0x00ff00ff // red and blue of a pixel
	last := len(above) - 4
	for x := range cb {
		left := 4 * across * x
		right := min(left+4*(across-1), last)
		a, b := binary.LittleEndian.Uint32(above[left:]), binary.LittleEndian.Uint32(above[right:])
		c, d := binary.LittleEndian.Uint32(below[left:]), binary.LittleEndian.Uint32(below[right:])
		sum := a&even + b&even + c&even + d&even // 10 bits each, in 16
		red, blue := int(sum&0xffff), int(sum>>16)
		green := int(a>>8&255 + b>>8&255 + c>>8&255 + d>>8&255)
		cb[x] = clamp((-11059*red - 21709*green + 32768*blue + 128<<18 + 1<<17) >> 18)
		cr[x] = clamp((32768*red - 27439*green - 5329*blue + 128<<18 + 1<<17) >> 18)
	}
}
