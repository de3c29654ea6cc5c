package reference

import (
	"errors"
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/jpeg"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// missingIsGray is the warning of a JPEG that was cut short.
const missingIsGray = "the JPEG ends before its picture does: what is missing is gray"

// mendJPEG decodes what there is of a truncated JPEG of w×h pixels. The rest is gray.
func mendJPEG(data []byte, w, h int, inks func(dst, src []byte)) (image.Image, error) {
	var planes jpeg.Planes
	err := jpeg.Decode(&planes, data, jpeg.Options{})
	if len(planes.Y.Pix) == 0 {
		return nil, outcome.Reject(outcome.Truncated, "the JPEG ends before its picture begins: %v", err)
	}
	return imageOfJPEG(&planes, w, h, inks), nil
}

// wholeJPEG reports whether nothing of the picture of a JPEG is missing, whatever becomes of its end marker.
func wholeJPEG(data []byte) bool {
	var planes jpeg.Planes
	return jpeg.Decode(&planes, data, jpeg.Options{Scale: jpeg.Eighth}) == nil
}

// decodeArithmetic decodes a JPEG of arithmetic coding, which image/jpeg does not know.
func (t *transform) decodeArithmetic(accept bool) (image.Image, error) {
	var planes jpeg.Planes
	err := jpeg.Decode(&planes, t.data, jpeg.Options{})
	var cut *jpeg.TruncatedError
	switch {
	case errors.As(err, &cut) && accept && len(planes.Y.Pix) > 0:
		t.warnings.Add(missingIsGray)
	case err != nil:
		return nil, err
	}
	return imageOfJPEG(&planes, t.info.Width, t.info.Height, t.inks), nil
}

func imageOfJPEG(planes *jpeg.Planes, w, h int, inks func(dst, src []byte)) image.Image {
	p := JPEGPicture(planes, w, h)
	if p.Model == picture.CMYK || p.Model == picture.YCCK {
		return p.NRGBAOfInks(inks)
	}
	return imageOf(p)
}

var models = [...]picture.Model{
	jpeg.Gray: picture.Gray, jpeg.YCbCr: picture.YCbCr, jpeg.RGB: picture.RGB, jpeg.CMYK: picture.CMYK,
	jpeg.YCCK: picture.YCCK,
}

// JPEGPicture returns the planes of a decoded JPEG of w×h pixels, each with the span that the picture has in it. The
// decoder rounds sizes up, but the picture did not grow: without spans small variants would be shifted by parts of a
// pixel.
func JPEGPicture(d *jpeg.Planes, w, h int) *picture.Picture {
	p := &picture.Picture{Model: models[d.Color]}
	planes := d.Components()
	maxH, maxV := 1, 1
	for _, c := range planes {
		maxH, maxV = max(maxH, c.H), max(maxV, c.V)
	}
	if d.Color == jpeg.Gray { // one component fills the picture, whatever its factors are
		maxH, maxV = planes[0].H, planes[0].V
	}
	for _, c := range planes {
		p.Planes = append(p.Planes, picture.Plane{
			Pix: c.Pix, Stride: c.Stride, Width: c.Width, Height: c.Height,
			Across: picture.Span{Length: float64(w*c.H*int(d.Scale)) / float64(maxH*int(jpeg.Full))},
			Down:   picture.Span{Length: float64(h*c.V*int(d.Scale)) / float64(maxV*int(jpeg.Full))},
		})
	}
	return p
}
