package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"

	"github.com/gen2brain/avif"
	"golang.org/x/image/tiff"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/raster"
	own "github.com/imagefarm/imagefarm/pkg/tiff"
)

// grayWithAlpha decodes a TIFF of 8 or 16 bits that has gray and alpha, which golang.org/x/image/tiff does not read.
func grayWithAlpha(data []byte) (*image.NRGBA, error) {
	src, err := own.Open(data, raster.Options{})
	if err != nil {
		return nil, err
	}
	if src.Channels() != 2 {
		return nil, fmt.Errorf("a TIFF of %d channels is not gray with alpha", src.Channels())
	}
	w, h := src.Size()
	img, row := image.NewNRGBA(image.Rect(0, 0, w, h)), make([]byte, raster.RowSize(src))
	size := src.Depth() / 8 // the high byte comes first, and is enough
	for y := range h {
		if err := src.ReadRow(row); err != nil {
			return nil, err
		}
		for x := range w {
			v, a := row[2*size*x], row[2*size*x+size]
			copy(img.Pix[img.PixOffset(x, y):], []byte{v, v, v, a})
		}
	}
	return img, nil
}

// Decode decodes an output by what its first bytes say it is.
func Decode(data []byte) (*image.NRGBA, string, error) {
	var img image.Image
	var err error
	r := bytes.NewReader(data)
	f := format.Detect(data)
	switch f {
	case format.JPEG:
		img, err = jpeg.Decode(r)
	case format.PNG:
		img, err = png.Decode(r)
	case format.GIF:
		img, err = gif.Decode(r)
	case format.TIFF:
		if img, err = tiff.Decode(r); errors.As(err, new(tiff.UnsupportedError)) {
			img, err = grayWithAlpha(data)
		}
	case format.AVIF:
		img, err = avif.Decode(r)
	case format.WebP:
		var info header.Info
		if info, err = header.Read(data); err == nil {
			err = webp.DecodeAll(context.Background(), data, info.Width, info.Height, func(f webp.Frame) error {
				if img == nil {
					img = NRGBA(f.Image)
				}
				return nil
			})
		}
	default:
		err = fmt.Errorf("cannot decode %q", f)
	}
	if err != nil {
		return nil, f, err
	}
	return NRGBA(img), f, nil
}

// NRGBA returns a copy of img.
func NRGBA(img image.Image) *image.NRGBA {
	b := img.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Rect, img, b.Min, draw.Src)
	return out
}

// PSNR is the distance of two pictures of one size, in decibels: over 40 one sees no difference, under 25 everybody
// does. Colours count as much as they are opaque. Pictures of different sizes are infinitely far: 0.
func PSNR(a, b *image.NRGBA) float64 {
	if a.Rect.Size() != b.Rect.Size() {
		return 0
	}
	sum, n := 0.0, 0
	for y := range a.Rect.Dy() {
		for x := range a.Rect.Dx() {
			p, q := a.Pix[y*a.Stride+4*x:][:4], b.Pix[y*b.Stride+4*x:][:4]
			for c := range 3 {
				d := (float64(p[c])*float64(p[3]) - float64(q[c])*float64(q[3])) / 255
				sum += d * d
			}
			d := float64(p[3]) - float64(q[3])
			sum += d * d
			n += 4
		}
	}
	if sum == 0 {
		return 100
	}
	return min(100, 10*math.Log10(255*255*float64(n)/sum))
}

// Shrunk averages img down to w×h pixels: a reference that no engine made. It weighs by area and by alpha.
func Shrunk(img *image.NRGBA, w, h int) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	sw, sh := img.Rect.Dx(), img.Rect.Dy()
	for y := range h {
		for x := range w {
			var sum [4]float64
			x0, x1 := float64(x)*float64(sw)/float64(w), float64(x+1)*float64(sw)/float64(w)
			y0, y1 := float64(y)*float64(sh)/float64(h), float64(y+1)*float64(sh)/float64(h)
			for sy := int(y0); sy < sh && float64(sy) < y1; sy++ {
				for sx := int(x0); sx < sw && float64(sx) < x1; sx++ {
					area := (min(x1, float64(sx+1)) - max(x0, float64(sx))) * (min(y1, float64(sy+1)) - max(y0, float64(sy)))
					p := img.Pix[sy*img.Stride+4*sx:][:4]
					a := area * float64(p[3])
					for c := range 3 {
						sum[c] += a * float64(p[c])
					}
					sum[3] += a
				}
			}
			p := out.Pix[y*out.Stride+4*x:][:4]
			if sum[3] > 0 {
				for c := range 3 {
					p[c] = level(sum[c] / sum[3])
				}
			}
			p[3] = level(sum[3] / ((x1 - x0) * (y1 - y0)))
		}
	}
	return out
}
