package reference

import (
	"bytes"
	"cmp"
	"fmt"
	"image"

	"github.com/gen2brain/jpegn"
	"golang.org/x/image/tiff"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/heif"
	"github.com/imagefarm/imagefarm/pkg/engine/metadata"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/png"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// encode encodes a variant, with the metadata that it keeps.
func (m *made) encode(info header.Info) ([]byte, error) {
	out := Output{
		Format: m.format, Frames: m.frames, Delays: m.delays, Loops: m.loops, Quality: m.Quality, Background: m.Background,
		Colored: m.profile != nil && !m.grayProfile,
	}
	data, err := out.Encode()
	if err != nil {
		return nil, err
	}
	size := m.frames[0].Rect.Size()
	set := metadata.Select(info, m.Strip, m.Orient, size.X, size.Y)
	set.ICC = m.profile
	if m.grayProfile && !out.EncodedGray() {
		set.ICC = nil // a profile for gray is invalid beside colours or alpha
	}
	data, carried, err := metadata.Embed(data, m.format, set)
	m.carried = append(m.carried, carried...)
	return data, err
}

// Output is a picture, or an animation, to encode.
type Output struct {
	Format     string         // what it becomes, one of package format's names
	Frames     []*image.NRGBA // at least one
	Delays     []int          // of each frame, milliseconds; of a still, none
	Loops      int            // how often an animation is shown, 0 for ever
	Quality    int            // 0: the format's default
	Background recipe.Color   // under transparent pixels, where the format has none
	png        *png.Encoder   // used for one output after the other; nil: a new one
	Colored    bool           // encode colours even if there are none: the output carries a profile for colours
}

// Encode encodes the output, without metadata.
func (o *Output) Encode() ([]byte, error) {
	img := o.Frames[0]
	quality := cmp.Or(o.Quality, format.Of(o.Format).Quality)
	switch o.Format {
	case format.JPEG:
		return encodeJPEG(flatten(img, o.Background), quality, !o.Colored)
	case format.PNG:
		return encodePNG(o.png, img, o.Colored)
	case format.GIF:
		return o.encodeGIF()
	case format.WebP:
		if len(o.Frames) > 1 {
			return webp.EncodeAll(o.Frames, o.Delays, o.Loops, quality)
		}
		return webp.Encode(img, quality)
	case format.TIFF:
		var b bytes.Buffer
		err := tiff.Encode(&b, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
		return b.Bytes(), err
	case format.AVIF:
		return heif.EncodeAVIF(img, quality)
	}
	return nil, fmt.Errorf("no encoder for %q", o.Format)
}

// EncodedGray reports whether the first frame has neither colours nor transparency in its encoded form.
func (o *Output) EncodedGray() bool {
	return gray(o.Frames[0]) != nil && (o.Format != format.PNG || o.Frames[0].Opaque())
}

// encodeJPEG encodes with half the colour resolution, and without colour where there is none, unless
// it carries a profile that is for colours.
func encodeJPEG(img *image.NRGBA, quality int, mayBeGray bool) ([]byte, error) {
	var src image.Image = img
	sampling := jpegn.Subsample420
	if g := gray(img); mayBeGray && g != nil {
		src, sampling = g, jpegn.SubsampleGray
	}
	var b bytes.Buffer
	err := jpegn.Encode(&b, src, &jpegn.EncodeOptions{Quality: quality, Subsampling: sampling})
	return b.Bytes(), err
}

// encodePNG encodes with an encoder whose memory is used again, or with a new one where it is nil.
func encodePNG(e *png.Encoder, img *image.NRGBA, colored bool) ([]byte, error) {
	if e == nil {
		e = new(png.Encoder)
	}
	return e.Encode(png.Image{
		Pix: img.Pix, Stride: img.Stride, Width: img.Rect.Dx(), Height: img.Rect.Dy(), Channels: 4, Depth: 8,
	}, png.EncodeOptions{KeepColors: colored})
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
