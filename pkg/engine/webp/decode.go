package webp

import (
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"math"

	"golang.org/x/image/webp"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Planes decodes a still: planes of YCbCr in the limited range, and alpha where it has any, or RGB and alpha. width
// and height are what the header announced; a picture of another size is refused before it is decoded. A decoder
// that saves time by it yields a smaller picture, of at least least.X×least.Y pixels; the point 0, 0 asks for all of
// them.
func Planes(data []byte, width, height int, least image.Point) (*picture.Picture, error) {
	list, err := chunks(data)
	if err != nil {
		return nil, err
	}
	return decodePicture(list, width, height, least)
}

// Decode decodes a still as Planes does, to an *image.YCbCr in the full range or an *image.NRGBA.
func Decode(data []byte, width, height int) (image.Image, error) {
	p, err := Planes(data, width, height, image.Point{})
	if err != nil {
		return nil, err
	}
	return imageOf(p), nil
}

// decodePicture decodes the picture among the chunks of a still or of a frame.
func decodePicture(list []chunk, width, height int, least image.Point) (*picture.Picture, error) {
	var coded []chunk
	vp8, vp8l, alph := find(list, "VP8 "), find(list, "VP8L"), find(list, "ALPH")
	planar := false
	switch {
	case len(vp8) >= 10:
		if w, h := int(vp8[6])|int(vp8[7]&0x3f)<<8, int(vp8[8])|int(vp8[9]&0x3f)<<8; w != width || h != height {
			return nil, fmt.Errorf("webp: a picture of %d×%d pixels, %d×%d were announced", w, h, width, height)
		}
		if alph != nil {
			coded = []chunk{vp8x(flagAlpha, width, height), {"ALPH", alph}}
		}
		coded, planar = append(coded, chunk{"VP8 ", vp8}), alph == nil
	case len(vp8l) >= 5:
		bits := int(binary.LittleEndian.Uint32(vp8l[1:]))
		if w, h := bits&0x3fff+1, bits>>14&0x3fff+1; w != width || h != height {
			return nil, fmt.Errorf("webp: a picture of %d×%d pixels, %d×%d were announced", w, h, width, height)
		}
		coded = []chunk{{"VP8L", vp8l}}
	default:
		return nil, io.ErrUnexpectedEOF
	}
	if lib, err := native.LibWebP(); err == nil {
		w, h := width, height
		if planar { // elsewhere transparent pixels have colours, which must not be averaged with others
			w, h = scaled(width, height, least)
		}
		if p, err := lib.Decode(build(coded), !planar, w, h); err == nil {
			return p, nil
		}
	}
	// Without libwebp, or because it does not say what is wrong.
	img, err := webp.Decode(newReader(build(coded)))
	if err != nil {
		return nil, err
	}
	switch img := img.(type) {
	case *image.YCbCr:
		return planesOf(img), nil
	case *image.NYCbCrA:
		p := planesOf(&img.YCbCr)
		p.Alpha = &picture.Plane{
			Pix: img.A, Stride: img.AStride, Width: width, Height: height,
			Across: picture.Span{Length: float64(width)}, Down: picture.Span{Length: float64(height)},
		}
		return p, nil
	case *image.NRGBA:
		return separate(img), nil
	}
	return nil, fmt.Errorf("webp: decoded to %T", img)
}

// scaled returns the size to which libwebp scales a picture while it decodes it: twice what is asked for, because
// its filter is a coarse one, and the picture's own size where that saves little.
func scaled(w, h int, least image.Point) (int, int) {
	if least.X < 1 || least.Y < 1 {
		return w, h
	}
	factor := min(float64(w)/float64(least.X), float64(h)/float64(least.Y)) / 2
	if factor < 1.5 {
		return w, h
	}
	return int(math.Ceil(float64(w) / factor)), int(math.Ceil(float64(h) / factor))
}

// separate returns interleaved samples as planes.
func separate(img *image.NRGBA) *picture.Picture {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	p := &picture.Picture{Model: picture.RGB}
	for c := range 4 {
		plane := picture.Whole(make([]byte, w*h), w, h)
		for y := range h {
			row := img.Pix[y*img.Stride:][:4*w]
			for x := range w {
				plane.Pix[y*w+x] = row[4*x+c]
			}
		}
		if c == 3 {
			if !img.Opaque() {
				p.Alpha = &plane
			}
		} else {
			p.Planes = append(p.Planes, plane)
		}
	}
	return p
}

// imageOf returns a picture as the standard library holds it.
func imageOf(p *picture.Picture) image.Image {
	w, h := p.Width(), p.Height()
	a, b, c := &p.Planes[0], &p.Planes[1], &p.Planes[2]
	if p.Model == picture.YCbCr {
		img := &image.YCbCr{
			Y: a.Pix, Cb: b.Pix, Cr: c.Pix, YStride: a.Stride, CStride: b.Stride,
			SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, w, h),
		}
		if p.Alpha == nil {
			return expand(img)
		}
		return withAlpha(&image.NYCbCrA{YCbCr: *img, A: p.Alpha.Pix, AStride: p.Alpha.Stride})
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		row := img.Pix[y*img.Stride:][:4*w]
		for x := range w {
			row[4*x], row[4*x+1], row[4*x+2] = a.Pix[y*a.Stride+x], b.Pix[y*b.Stride+x], c.Pix[y*c.Stride+x]
			row[4*x+3] = 255
			if p.Alpha != nil {
				row[4*x+3] = p.Alpha.Pix[y*p.Alpha.Stride+x]
			}
		}
	}
	return img
}
