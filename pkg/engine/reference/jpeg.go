package reference

import (
	"bytes"
	"image"

	"github.com/gen2brain/jpegn"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/jpeg"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// EncodeJPEG encodes luma alone, or luma and colour in the full range of BT.601 with the resolution that coding names.
// The result is the caller's.
func EncodeJPEG(e *jpeg.Encoder, p *picture.Picture, c recipe.Coding, quality int) ([]byte, error) {
	chroma := ChromaOf(c)
	progressive := c.ProgressiveAt(p.Width(), p.Height())
	if c.Adaptive && !c.Trellis {
		var b bytes.Buffer
		err := jpegn.Encode(&b, imageOfPlanes(p, chroma), &jpegn.EncodeOptions{
			Quality: quality, OptimizeCoding: true, Progressive: progressive, AdaptiveQuantization: true,
		})
		return b.Bytes(), err
	}
	var planes []jpeg.Plane
	for i := range p.Planes {
		from := &p.Planes[i]
		plane := jpeg.Plane{Pix: from.Pix, Stride: from.Stride, Width: from.Width, Height: from.Height, H: 1, V: 1}
		if i == 0 && p.Model == picture.YCbCr {
			plane.H, plane.V = factor(chroma.HalfAcross), factor(chroma.HalfDown)
		}
		planes = append(planes, plane)
	}
	return e.Encode(planes, jpeg.EncodeOptions{Quality: quality, Trellis: c.Trellis, Progressive: progressive})
}

// factor returns how many samples of luma there are for one of colour, in one direction.
func factor(half bool) int {
	if half {
		return 2
	}
	return 1
}

// imageOfPlanes returns a picture as the standard library holds it, which shares its memory.
func imageOfPlanes(p *picture.Picture, chroma picture.Chroma) image.Image {
	rect := image.Rect(0, 0, p.Width(), p.Height())
	if p.Model == picture.Gray {
		return &image.Gray{Pix: p.Planes[0].Pix, Stride: p.Planes[0].Stride, Rect: rect}
	}
	return YCbCr(p, chroma)
}

// YCbCr returns planes of luma and colour as the standard library holds them. It shares their memory.
func YCbCr(p *picture.Picture, chroma picture.Chroma) *image.YCbCr {
	y, cb, cr := &p.Planes[0], &p.Planes[1], &p.Planes[2]
	ratio := image.YCbCrSubsampleRatio444
	if chroma.HalfDown {
		ratio = image.YCbCrSubsampleRatio420
	} else if chroma.HalfAcross {
		ratio = image.YCbCrSubsampleRatio422
	}
	return &image.YCbCr{
		Y: y.Pix, Cb: cb.Pix, Cr: cr.Pix, YStride: y.Stride, CStride: cb.Stride,
		SubsampleRatio: ratio, Rect: image.Rect(0, 0, y.Width, y.Height),
	}
}

// encodeJPEG encodes without colour where there is none, unless the output carries a profile that is for colours.
func (o *Output) encodeJPEG(img *image.NRGBA) ([]byte, error) {
	var p *picture.Picture
	if g := gray(img); !o.Colored && g != nil {
		p = &picture.Picture{Planes: []picture.Plane{picture.Whole(g.Pix, g.Rect.Dx(), g.Rect.Dy())}}
	} else {
		p = picture.FromNRGBA(img, ChromaOf(o.Coding))
	}
	e := o.jpeg
	if e == nil {
		e = new(jpeg.Encoder)
	}
	return EncodeJPEG(e, p, o.Coding, o.Quality)
}
