package imaging

import (
	"bytes"
	"image"
	"image/draw"
	"image/gif"
)

// decodeGIF composes frames on the canvas: a frame may cover only a part of it.
func (t *transform) decodeGIF(animate bool, use func(frame) error) error {
	canvas := image.NewNRGBA(image.Rect(0, 0, t.info.Width, t.info.Height))
	if !animate {
		img, err := gif.Decode(bytes.NewReader(t.data)) // the first frame only
		if err != nil {
			return err
		}
		if err := drawFrame(canvas, img); err != nil {
			return err
		}
		return use(frame{img: canvas})
	}
	g, err := gif.DecodeAll(bytes.NewReader(t.data))
	if err != nil {
		return err
	}
	for i, img := range g.Image {
		var before []uint8
		if g.Disposal[i] == gif.DisposalPrevious {
			before = bytes.Clone(canvas.Pix)
		}
		if err := drawFrame(canvas, img); err != nil {
			return err
		}
		if err := use(frame{canvas, 10 * g.Delay[i], loopsOf(g.LoopCount)}); err != nil {
			return err
		}
		switch g.Disposal[i] {
		case gif.DisposalPrevious:
			copy(canvas.Pix, before)
		case gif.DisposalBackground:
			draw.Draw(canvas, img.Bounds(), image.Transparent, image.Point{}, draw.Src)
		}
	}
	return nil
}

// loopsOf returns how often an animation is shown, 0 for ever, of a gif.GIF.LoopCount: that counts repetitions, 0 for ever and
// −1 for none.
func loopsOf(loopCount int) int {
	switch {
	case loopCount < 0:
		return 1
	case loopCount == 0:
		return 0
	}
	return loopCount + 1
}

// loopCount is the inverse of loopsOf.
func loopCount(loops int) int {
	switch loops {
	case 0:
		return 0
	case 1:
		return -1
	}
	return loops - 1
}

func drawFrame(canvas *image.NRGBA, img image.Image) error {
	bounds := img.Bounds()
	if p, ok := img.(*image.Paletted); ok {
		checked, err := unpalette(p)
		if err != nil {
			return err
		}
		img = checked
	}
	draw.Draw(canvas, bounds, img, img.Bounds().Min, draw.Over)
	return nil
}

// encodeGIF encodes frames with a palette each.
func (o *Output) encodeGIF() ([]byte, error) {
	g := &gif.GIF{LoopCount: loopCount(o.Loops)}
	if len(o.Frames) == 1 {
		g.LoopCount = -1
	}
	for i, img := range o.Frames {
		delay := 0
		if i < len(o.Delays) {
			delay = o.Delays[i]
		}
		p := quantize(img)
		g.Image = append(g.Image, p)
		g.Delay = append(g.Delay, (delay+5)/10)
		// Each frame is a whole picture: what was there goes, or it would show through transparent pixels.
		g.Disposal = append(g.Disposal, gif.DisposalBackground)
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, g)
	return b.Bytes(), err
}
