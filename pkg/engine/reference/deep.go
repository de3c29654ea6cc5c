package reference

import (
	"bytes"
	"image"

	"golang.org/x/image/tiff"

	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/png"
)

// encodeDeep encodes a picture of 16 bits a sample.
func (o *Output) encodeDeep() ([]byte, error) {
	if o.Format != format.TIFF {
		e := o.png
		if e == nil {
			e = new(png.Encoder)
		}
		return e.Encode(*o.Deep, png.EncodeOptions{KeepColors: o.Colored, Level: pngLevel(o.Coding)})
	}
	var img image.Image
	p, rect := o.Deep, image.Rect(0, 0, o.Deep.Width, o.Deep.Height)
	if p.Channels == 1 {
		img = &image.Gray16{Pix: p.Pix, Stride: p.Stride, Rect: rect}
	} else {
		whole := image.NewNRGBA64(rect)
		for y := range p.Height {
			row := p.Pix[y*p.Stride:][:2*p.Channels*p.Width]
			if dst := whole.Pix[y*whole.Stride:][:whole.Stride]; p.Channels == 4 {
				copy(dst, row)
			} else {
				widen(dst, row, p.Channels, 2)
			}
		}
		img = whole
	}
	var b bytes.Buffer
	err := tiff.Encode(&b, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
	return b.Bytes(), err
}
