package reference

import (
	"image"
	"image/color"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// plain returns img in a form of which every sample exists, so that no library panics in a goroutine of its own. It
// converts paletted and CMYK images, the latter by a function or, where that is nil, as package color does. It checks
// the sizes of the planes of all others.
func plain(img image.Image, inks func(dst, src []byte)) (image.Image, error) {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	whole := false
	switch img := img.(type) {
	case *image.NRGBA:
		whole = holds(img.Pix, img.Stride, w, h, 4)
	case *image.RGBA:
		whole = holds(img.Pix, img.Stride, w, h, 4)
	case *image.NRGBA64:
		whole = holds(img.Pix, img.Stride, w, h, 8)
	case *image.RGBA64:
		whole = holds(img.Pix, img.Stride, w, h, 8)
	case *image.Gray:
		whole = holds(img.Pix, img.Stride, w, h, 1)
	case *image.Gray16:
		whole = holds(img.Pix, img.Stride, w, h, 2)
	case *image.YCbCr:
		last := img.Rect.Max.Sub(image.Pt(1, 1))
		whole = !img.Rect.Empty() && img.YOffset(last.X, last.Y) < len(img.Y) &&
			img.COffset(last.X, last.Y) < min(len(img.Cb), len(img.Cr))
	case *image.Paletted:
		return unpalette(img)
	case *image.CMYK:
		return fromCMYK(img, inks)
	default:
		return nil, outcome.Reject(outcome.Unsupported, "decoded to %T", img)
	}
	if !whole {
		return nil, outcome.Reject(outcome.Corrupt, "decoded to fewer pixels than its header says")
	}
	return img, nil
}

func holds(pix []uint8, stride, w, h, size int) bool {
	return w > 0 && h > 0 && stride >= w*size && len(pix) >= (h-1)*stride+w*size
}

// unpalette converts a paletted image. It rejects an index beyond the palette (CVE-2023-36308).
func unpalette(img *image.Paletted) (*image.NRGBA, error) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if !holds(img.Pix, img.Stride, w, h, 1) {
		return nil, outcome.Reject(outcome.Corrupt, "decoded to fewer pixels than its header says")
	}
	var table [256]color.NRGBA
	for i, c := range img.Palette[:min(len(img.Palette), 256)] {
		table[i] = color.NRGBAModel.Convert(c).(color.NRGBA)
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		dst := out.Pix[y*out.Stride:]
		for x, i := range img.Pix[y*img.Stride:][:w] {
			if int(i) >= len(img.Palette) {
				return nil, outcome.Reject(outcome.Corrupt, "colour %d of a palette of %d", i, len(img.Palette))
			}
			c := table[i]
			d := dst[4*x : 4*x+4 : 4*x+4]
			d[0], d[1], d[2], d[3] = c.R, c.G, c.B, c.A
		}
	}
	return out, nil
}

func fromCMYK(img *image.CMYK, inks func(dst, src []byte)) (*image.NRGBA, error) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if !holds(img.Pix, img.Stride, w, h, 4) {
		return nil, outcome.Reject(outcome.Corrupt, "decoded to fewer pixels than its header says")
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		src, dst := img.Pix[y*img.Stride:], out.Pix[y*out.Stride:]
		if inks != nil {
			inks(dst[:4*w], src[:4*w])
			continue
		}
		for i := 0; i < 4*w; i += 4 {
			dst[i], dst[i+1], dst[i+2] = color.CMYKToRGB(src[i], src[i+1], src[i+2], src[i+3])
			dst[i+3] = 255
		}
	}
	return out, nil
}
