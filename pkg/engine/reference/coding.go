package reference

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/heif"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/quality"
	"github.com/imagefarm/imagefarm/pkg/engine/ssim"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/png"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// GoalOf returns what a variant asks of a picture that is encoded in a format. A lossless one has no quality.
func GoalOf(v recipe.Variant, to string) quality.Goal {
	g := quality.Goal{Quality: QualityOf(v, to), MaxBytes: v.MaxBytes}
	g.Auto = v.AutoQuality && g.Quality != 0
	return g
}

// QualityOf returns the quality of a variant in a format: what it names, or the default of the format. Where there is
// no quality it is 0.
func QualityOf(v recipe.Variant, to string) int {
	usual := format.Of(to).Quality
	switch {
	case usual == 0, to == format.WebP && v.Lossless:
		return 0
	case v.Quality == 0:
		return usual
	}
	return v.Quality
}

// CodingOf returns what a variant asks of the encoder of a format, with the resolution of colour decided: it goes by
// the quality that is asked for, not by those that are tried.
func CodingOf(v recipe.Variant, to string) recipe.Coding {
	c := v.Coding
	c.Chroma = c.ChromaAt(QualityOf(v, to))
	return c
}

// ChromaOf returns the resolution of colour that CodingOf has decided.
func ChromaOf(c recipe.Coding) picture.Chroma {
	return picture.Chroma{HalfAcross: c.Chroma != recipe.Chroma444, HalfDown: c.Chroma == recipe.Chroma420}
}

// WebPOptions returns how the encoder of WebP makes a picture.
func WebPOptions(c recipe.Coding, q int) webp.Options {
	o := webp.Options{
		Quality: q, Effort: c.Effort.Or(format.Of(format.WebP).Effort), Lossless: c.Lossless,
		SharpYUV: c.SharpYUV && !c.Lossless,
	}
	if c.NearLossless.Given {
		o.Loss = 100 - c.NearLossless.N
	}
	return o
}

func avifOptions(c recipe.Coding, q int) heif.Options {
	return heif.Options{Quality: q, Effort: c.Effort.Or(format.Of(format.AVIF).Effort), Chroma: ChromaOf(c)}
}

// pngLevel returns the level of compression as the encoder of PNG counts.
func pngLevel(c recipe.Coding) int {
	if n := c.Compression.Or(recipe.DefaultCompression); n > 0 {
		return n
	}
	return png.NoCompression
}

// LumaOf returns the luma of a picture that is to be encoded, times alpha: over a background where the format has no
// alpha.
func LumaOf(img *image.NRGBA, to string, background recipe.Color) *picture.Plane {
	if !format.Of(to).Alpha {
		img = flatten(img, background)
	}
	return lumaOf(img)
}

// Distance decodes what an encoder made and returns how different from a plane of luma it looks, by package ssim: of an
// animation, its first frame. A decoder that needs much memory waits for its turn, until the context ends.
func (e *Engine) Distance(ctx context.Context, data []byte, from *picture.Plane) (float64, error) {
	info, err := header.Read(data)
	if err != nil {
		return 0, fmt.Errorf("what was encoded: %w", err)
	}
	distance := 1.0
	_, err = e.Decode(ctx, data, info, false, func(f Frame) error {
		luma := lumaOf(f.Image)
		if luma.Width != from.Width || luma.Height != from.Height {
			return fmt.Errorf("%d×%d pixels were encoded as %d×%d", from.Width, from.Height, luma.Width, luma.Height)
		}
		distance = ssim.Distance(luma, from)
		return nil
	})
	return distance, err
}

func lumaOf(img image.Image) *picture.Plane {
	switch img := img.(type) {
	case *image.Gray:
		return grayPlane(img.Pix, img.Stride, img.Rect)
	case *image.YCbCr:
		return grayPlane(img.Y, img.YStride, img.Rect)
	}
	pixels, ok := img.(*image.NRGBA)
	if !ok {
		pixels = toNRGBA(img)
	}
	w, h := pixels.Rect.Dx(), pixels.Rect.Dy()
	p := picture.Whole(make([]byte, w*h), w, h)
	for y := range h {
		row := pixels.Pix[y*pixels.Stride:][:4*w]
		for x := range w {
			r, g, b, a := uint32(row[4*x]), uint32(row[4*x+1]), uint32(row[4*x+2]), uint32(row[4*x+3])
			p.Pix[y*w+x] = byte((19595*r + 38470*g + 7471*b + 1<<15) >> 16 * a / 255)
		}
	}
	return &p
}

func grayPlane(pix []byte, stride int, r image.Rectangle) *picture.Plane {
	p := &picture.Plane{Pix: pix, Stride: stride, Width: r.Dx(), Height: r.Dy()}
	p.Across.Length, p.Down.Length = float64(p.Width), float64(p.Height)
	return p
}

// toNRGBA copies a picture of any kind.
func toNRGBA(img image.Image) *image.NRGBA {
	out := image.NewNRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out
}

// EncodingFailed returns the error of a variant that could not be encoded. A rejection stays one, and names the
// variant.
func EncodingFailed(variant, to string, err error) error {
	var r *outcome.Rejection
	if errors.As(err, &r) {
		return outcome.RejectVariant(variant, r.Reason, "variant %s as %s: %s", variant, to, r.Detail)
	}
	return fmt.Errorf("variant %s: encoding %s: %w", variant, to, err)
}
