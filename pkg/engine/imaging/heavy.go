package imaging

import (
	"bytes"
	"context"
	"image"

	"github.com/gen2brain/avif"
	"github.com/gen2brain/heic"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// HEIC and AVIF are decoded by libheif and libavif, translated to WebAssembly and run in a sandbox, which takes a
// second to start when the first such file comes, and half a gigabyte for a large one.

// minHEICWidth is the width from which the library finds the colour planes: libheif pads their rows to 64 samples.
const minHEICWidth = 97

// acquire waits until one more may be in work, or the context ends.
func (t *transform) acquire() (release func(), err error) {
	select {
	case t.engine.heavy <- struct{}{}:
		return func() { <-t.engine.heavy }, nil
	case <-t.ctx.Done():
		return nil, context.Cause(t.ctx)
	}
}

func (t *transform) decodeHEIC() (image.Image, error) {
	if t.info.Width < minHEICWidth {
		return nil, outcome.Reject(outcome.Unsupported, "HEIC narrower than %d pixels", minHEICWidth)
	}
	release, err := t.acquire()
	if err != nil {
		return nil, farmsFault{err}
	}
	defer release()
	img, err := heic.Decode(bytes.NewReader(t.data))
	if c, ok := img.(*image.YCbCr); ok {
		return fullRange(c, t.info), err
	}
	return img, err
}

// fullRange converts samples of another matrix than BT.601's, or of the studio range, which image.YCbCr does not know.
func fullRange(img *image.YCbCr, info header.Info) image.Image {
	kr, kb := 0.299, 0.114
	switch info.Matrix {
	case 1:
		kr, kb = 0.2126, 0.0722
	case 9, 10:
		kr, kb = 0.2627, 0.0593
	default:
		if !info.Limited {
			return img
		}
	}
	black, white, chroma := 0.0, 255.0, 255.0
	if info.Limited {
		black, white, chroma = 16, 235, 224
	}
	out := image.NewNRGBA(image.Rect(0, 0, img.Rect.Dx(), img.Rect.Dy()))
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			c := img.YCbCrAt(img.Rect.Min.X+x, img.Rect.Min.Y+y)
			luma := (float64(c.Y) - black) * 255 / (white - black)
			cb, cr := (float64(c.Cb)-128)*255/chroma, (float64(c.Cr)-128)*255/chroma
			r, b := luma+2*(1-kr)*cr, luma+2*(1-kb)*cb
			g := (luma - kr*r - kb*b) / (1 - kr - kb)
			p := out.Pix[y*out.Stride+4*x:][:4:4]
			p[0], p[1], p[2], p[3] = level(r), level(g), level(b), 255
		}
	}
	return out
}

func level(v float64) uint8 { return uint8(min(255, max(0, v+0.5))) }

func (t *transform) decodeAVIF() (image.Image, error) {
	release, err := t.acquire()
	if err != nil {
		return nil, farmsFault{err}
	}
	defer release()
	return avif.Decode(bytes.NewReader(t.data))
}

// avifSpeed trades speed for size, 0 to 10.
const avifSpeed = 8

func encodeAVIF(img *image.NRGBA, quality int) ([]byte, error) {
	var b bytes.Buffer
	err := avif.Encode(&b, img, avif.Options{
		Quality: quality, QualityAlpha: quality, Speed: avifSpeed, ChromaSubsampling: image.YCbCrSubsampleRatio420,
	})
	return b.Bytes(), err
}
