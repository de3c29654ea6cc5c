package imaging

import (
	"bytes"
	"fmt"
	"image"
	"image/png"

	"github.com/gen2brain/jpegn"
	"golang.org/x/image/tiff"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/metadata"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/format"
)

// encode encodes what was made of a variant, with the metadata that it keeps.
func (m *made) encode(info header.Info) ([]byte, error) {
	data, err := m.encodePixels()
	if err != nil {
		return nil, err
	}
	size := m.frames[0].Rect.Size()
	set := metadata.Select(info, m.Strip, m.Orient, size.X, size.Y)
	set.ICC = m.profile
	if m.grayProfile && (gray(m.frames[0]) == nil || m.format == format.PNG && !m.frames[0].Opaque()) {
		set.ICC = nil // it would be beside colours or transparency after all
	}
	data, carried, err := metadata.Embed(data, m.format, set)
	m.carried = append(m.carried, carried...)
	return data, err
}

func (m *made) encodePixels() ([]byte, error) {
	img := m.frames[0]
	quality := m.Quality
	if quality == 0 {
		quality = format.Of(m.format).Quality
	}
	switch m.format {
	case format.JPEG:
		return encodeJPEG(flatten(img, m.Background), quality, m.profile == nil || m.grayProfile)
	case format.PNG:
		return encodePNG(img, m.profile == nil || m.grayProfile)
	case format.GIF:
		return m.encodeGIF()
	case format.WebP:
		if len(m.frames) > 1 {
			return webp.EncodeAll(m.frames, m.delays, m.loops, quality)
		}
		return webp.Encode(img, quality)
	case format.TIFF:
		var b bytes.Buffer
		err := tiff.Encode(&b, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
		return b.Bytes(), err
	case format.AVIF:
		return encodeAVIF(img, quality)
	}
	return nil, fmt.Errorf("no encoder for %q", m.format)
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

func encodePNG(img *image.NRGBA, mayBeGray bool) ([]byte, error) {
	var src image.Image = img
	if mayBeGray && img.Opaque() {
		if g := gray(img); g != nil {
			src = g
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, src)
	return b.Bytes(), err
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
