package reference

import (
	"bytes"
	"cmp"
	"errors"
	"image"
	"image/draw"
	stdgif "image/gif"
	"io"

	"github.com/imagefarm/imagefarm/pkg/engine/rows"
	"github.com/imagefarm/imagefarm/pkg/gif"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/raster"
)

// decodeGIF composes frames on the canvas: a frame may cover only a part of it, and stick out of it.
func (t *transform) decodeGIF(animate, accept bool, use func(frame) error) error {
	src, err := gif.Open(t.data, raster.Options{MaxPixels: t.engine.limits.MaxPixels, AcceptTruncated: accept})
	if err != nil {
		return rows.Reject(err)
	}
	defer func() { t.warnings.AddAll(src.Warnings()) }()
	canvas := image.NewNRGBA(image.Rect(0, 0, t.info.Width, t.info.Height))
	for {
		f, err := src.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return rows.Reject(err)
		}
		var before []uint8
		if f.Disposal == gif.Previous && animate {
			before = bytes.Clone(canvas.Pix)
		}
		if err := drawFrame(canvas, f); err != nil {
			return err
		}
		if err := use(frame{canvas, 10 * f.Delay, src.Loops}); err != nil || !animate {
			return err
		}
		switch f.Disposal {
		case gif.Previous:
			copy(canvas.Pix, before)
		case gif.Background:
			draw.Draw(canvas, image.Rect(f.X, f.Y, f.X+f.Width, f.Y+f.Height), image.Transparent, image.Point{}, draw.Src)
		}
	}
}

// drawFrame draws what of a frame lies on the canvas.
func drawFrame(canvas *image.NRGBA, f *gif.Frame) error {
	var table [256][4]byte
	for i := range len(f.Palette) / 3 {
		copy(table[i][:3], f.Palette[3*i:])
		table[i][3] = 255
	}
	if f.Transparent >= 0 {
		table[f.Transparent] = [4]byte{}
	}
	w, h := min(f.Width, canvas.Rect.Dx()-f.X), min(f.Height, canvas.Rect.Dy()-f.Y)
	for y := range h {
		dst := canvas.Pix[(f.Y+y)*canvas.Stride+4*f.X:]
		for x, i := range f.Pix[y*f.Width:][:max(0, w)] {
			if c := &table[i]; c[3] != 0 {
				copy(dst[4*x:4*x+4], c[:])
			} else if int(i) != f.Transparent {
				return outcome.Reject(outcome.Corrupt, "colour %d of a palette of %d", i, len(f.Palette)/3)
			}
		}
	}
	return nil
}

// loopCount returns the number of repetitions as image/gif has it, 0 for ever and −1 for none, of how often an
// animation is shown.
func loopCount(loops int) int {
	switch loops {
	case 0:
		return 0
	case 1:
		return -1
	}
	return loops - 1
}

// encodeGIF encodes frames with a palette each.
func (o *Output) encodeGIF() ([]byte, error) {
	g := &stdgif.GIF{LoopCount: loopCount(o.Loops)}
	if len(o.Frames) == 1 {
		g.LoopCount = -1
	}
	for i, img := range o.Frames {
		delay := 0
		if i < len(o.Delays) {
			delay = o.Delays[i]
		}
		p := quantize(img, cmp.Or(o.Coding.Colors, 256), false)
		g.Image = append(g.Image, p)
		g.Delay = append(g.Delay, (delay+5)/10)
		// Each frame is a whole picture: what was there goes, or it would show through transparent pixels.
		g.Disposal = append(g.Disposal, stdgif.DisposalBackground)
	}
	var b bytes.Buffer
	err := stdgif.EncodeAll(&b, g)
	return b.Bytes(), err
}
