package reference

import (
	"fmt"
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/heif"
	"github.com/imagefarm/imagefarm/pkg/engine/metadata"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/jpeg"
	"github.com/imagefarm/imagefarm/pkg/png"
	"github.com/imagefarm/imagefarm/pkg/raster"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/tiff"
)

// encodeMade encodes a variant, with the metadata that it keeps.
func (t *transform) encodeMade(m *made) error {
	out := Output{
		Format: m.format, Frames: m.frames, Delays: m.delays, Loops: m.loops, Background: m.Background,
		Coding: CodingOf(m.Variant, m.format), Colored: m.Profile != nil && !m.ForGray,
	}
	size := m.frames[0].Rect.Size()
	set := metadata.Select(t.info, m.Strip, m.Orient, size.X, size.Y)
	set.ICC = m.Profile
	if m.ForGray && !out.EncodedGray() {
		set.ICC = nil // a profile for gray is invalid beside colours or alpha
	}
	var carried []string
	goal := GoalOf(m.Variant, m.format)
	chosen, err := goal.Choose(func(q int) ([]byte, error) {
		out.Quality = q
		data, err := t.engine.Encode(t.ctx, &out)
		if err != nil {
			return nil, err
		}
		data, carried, err = metadata.Embed(data, m.format, set)
		return data, err
	}, func(data []byte) (float64, error) {
		return t.engine.Distance(t.ctx, data, LumaOf(m.frames[0], m.format, m.Background))
	})
	if err != nil {
		return EncodingFailed(m.Name, m.format, err)
	}
	m.carried = append(m.carried, m.Carried(carried)...)
	m.output = engine.Output{Variant: m.Name, Format: m.format, Width: size.X, Height: size.Y, Data: chosen.Data}
	if goal.Chooses() {
		m.output.Quality = chosen.Quality
	}
	return nil
}

// Output is a picture, or an animation, to encode.
type Output struct {
	Format     string         // what it becomes, one of package format's names
	Frames     []*image.NRGBA // at least one
	Delays     []int          // of each frame, milliseconds; of a still, none
	Loops      int            // how often an animation is shown, 0 for ever
	Deep       *raster.Image  // the picture in 16 bits a sample, of PNG and TIFF, in place of Frames
	Quality    int            // 0: the format has none
	Coding     recipe.Coding  // what else is asked of the encoder
	Background recipe.Color   // under transparent pixels, where the format has none
	png        *png.Encoder   // used for one output after the other; nil: a new one
	jpeg       *jpeg.Encoder  // likewise
	Colored    bool           // encode colours even if there are none: the output carries a profile for colours
}

// Encode encodes the output, without metadata. The error is an *outcome.Rejection where no codec of this process can do
// what the variant asks for.
func (o *Output) Encode() ([]byte, error) {
	if o.Deep != nil {
		return o.encodeDeep()
	}
	img := o.Frames[0]
	switch o.Format {
	case format.JPEG:
		return o.encodeJPEG(flatten(img, o.Background))
	case format.PNG:
		return o.encodePNG()
	case format.GIF:
		return o.encodeGIF()
	case format.WebP:
		if len(o.Frames) > 1 {
			return webp.EncodeAll(o.Frames, o.Delays, o.Loops, WebPOptions(o.Coding, o.Quality))
		}
		return webp.Encode(img, WebPOptions(o.Coding, o.Quality))
	case format.TIFF:
		return encodeTIFF(img)
	case format.AVIF:
		return heif.EncodeAVIF(img, avifOptions(o.Coding, o.Quality))
	}
	return nil, fmt.Errorf("no encoder for %q", o.Format)
}

// EncodedGray reports whether the first frame has neither colours nor transparency in its encoded form.
func (o *Output) EncodedGray() bool {
	return gray(o.Frames[0]) != nil && (o.Format != format.PNG || o.Frames[0].Opaque())
}

func (o *Output) encodePNG() ([]byte, error) {
	e, img := o.png, o.Frames[0]
	if e == nil {
		e = new(png.Encoder)
	}
	if o.Coding.Colors > 0 {
		img = toNRGBA(quantize(img, o.Coding.Colors, true))
	}
	return e.Encode(raster.Image{
		Pix: img.Pix, Stride: img.Stride, Width: img.Rect.Dx(), Height: img.Rect.Dy(), Channels: 4, Depth: 8,
	}, png.EncodeOptions{KeepColors: o.Colored, Level: pngLevel(o.Coding)})
}

// encodeTIFF encodes the picture in the fewest channels that hold it.
func encodeTIFF(img *image.NRGBA) ([]byte, error) {
	to := raster.Image{
		Pix: img.Pix, Stride: img.Stride, Width: img.Rect.Dx(), Height: img.Rect.Dy(), Channels: 4, Depth: 8,
	}
	if !img.Opaque() {
		return tiff.Encode(to)
	}
	if g := gray(img); g != nil {
		to.Pix, to.Stride, to.Channels = g.Pix, g.Stride, 1
		return tiff.Encode(to)
	}
	to.Pix, to.Stride, to.Channels = make([]byte, 3*to.Width*to.Height), 3*to.Width, 3
	for y := range to.Height {
		src, dst := img.Pix[y*img.Stride:][:4*to.Width], to.Pix[y*to.Stride:][:to.Stride]
		for ; len(src) >= 4; src, dst = src[4:], dst[3:] {
			copy(dst[:3], src)
		}
	}
	return tiff.Encode(to)
}

// gray returns img without colour, or nil where it has any.
func gray(img *image.NRGBA) *image.Gray {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := range h {
		row := img.Pix[y*img.Stride:][:4*w]
		for i := 0; i < len(row); i += 4 {
			if row[i] != row[i+1] || row[i] != row[i+2] {
				return nil
			}
		}
	}
	out := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		row := img.Pix[y*img.Stride:][:4*w]
		for x := range w {
			out.Pix[y*out.Stride+x] = row[4*x]
		}
	}
	return out
}
