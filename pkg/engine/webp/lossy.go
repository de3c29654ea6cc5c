package webp

import (
	"context"
	"errors"
	"io"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
	"github.com/imagefarm/imagefarm/pkg/vp8"
)

// The factors from which on the edges between blocks are not smoothed: what the filter changes is lost in the means.
// Against a thumbnail of the smoothed picture that costs up to 0.1 dB where a JPEG of quality 85 is made of it. Where
// nothing is lost later it would cost half a decibel at 8, and 1.3 at 4; at 16 it costs 0.1.
const (
	unfiltered      = 4
	unfilteredExact = 16
)

// lossy decodes a key frame of width×height pixels, and its alpha if there is any.
func lossy(ctx context.Context, frame, alph []byte, width, height int, need picture.Need) (*picture.Picture, error) {
	w, h, err := vp8.Size(frame)
	if err != nil {
		return nil, err
	}
	if w != width || h != height {
		return nil, otherSize(w, h, width, height)
	}
	factor := factorFor(w, h, need)
	r, err := vp8.Open(frame, vp8.Options{
		MaxPixels: int64(w) * int64(h), Unfiltered: factor >= unfilteredExact || factor >= unfiltered && !need.Exact,
	})
	if err != nil {
		return nil, err
	}
	if alph == nil {
		return shrunk(ctx, r, factor)
	}
	alpha, err := decodeAlpha(alph, w, h)
	if err != nil {
		return nil, err
	}
	if factor > 1 {
		return premultiplied(ctx, r, alpha, factor)
	}
	p, err := shrunk(ctx, r, 1)
	if err != nil {
		return nil, err
	}
	plane := picture.Whole(alpha, w, h)
	p.Alpha = &plane
	return p, nil
}

// bands gives each of the reader's bands to use.
func bands(ctx context.Context, r *vp8.Reader, use func(vp8.Band)) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		use(b)
	}
}

// shrunk returns the planes of a frame, each made smaller by a factor.
func shrunk(ctx context.Context, r *vp8.Reader, factor int) (*picture.Picture, error) {
	w, h := r.Size()
	p := &picture.Picture{Model: picture.YCbCr, Limited: true, Planes: make([]picture.Plane, 3)}
	var boxes [3]*resample.Box
	for i := range p.Planes {
		cw, ch, unit, factor := w, h, 1, factor
		if i > 0 {
			cw, ch, unit, factor = (w+1)/2, (h+1)/2, 2, max(1, factor/2)
		}
		c := &p.Planes[i]
		pw, ph := (cw+factor-1)/factor, (ch+factor-1)/factor
		*c = picture.Whole(make([]byte, pw*ph), pw, ph)
		c.Across.Length, c.Down.Length = float64(w)/float64(unit*factor), float64(h)/float64(unit*factor)
		boxes[i] = resample.NewBox([]*picture.Plane{c}, factor, cw)
	}
	err := bands(ctx, r, func(b vp8.Band) {
		for y := range b.Rows {
			boxes[0].Row(b.Y[y*b.YStride:][:w])
		}
		for y := range b.CRows {
			boxes[1].Row(b.Cb[y*b.CStride:][:(w+1)/2])
			boxes[2].Row(b.Cr[y*b.CStride:][:(w+1)/2])
		}
	})
	for _, b := range boxes {
		b.Close()
	}
	return p, err
}

// premultiplied returns a frame as RGB multiplied by alpha, made smaller by a factor.
func premultiplied(ctx context.Context, r *vp8.Reader, alpha []byte, factor int) (*picture.Picture, error) {
	w, h := r.Size()
	s := newShrinker(w, h, factor)
	err := bands(ctx, r, func(b vp8.Band) {
		part := rowsOf(b, w)
		part.Alpha = &picture.Plane{
			Pix: alpha, Stride: w, Width: w, Height: b.Rows,
			Across: picture.Span{Length: float64(w)}, Down: picture.Span{Length: float64(b.Rows)},
		}
		alpha = alpha[b.Rows*w:]
		img := part.NRGBA()
		for y := range b.Rows {
			s.row(img.Pix[y*img.Stride:][:4*w])
		}
	})
	if err != nil {
		return nil, err
	}
	return s.picture(), nil
}

// rowsOf returns a band of a picture of w pixels a row.
func rowsOf(b vp8.Band, w int) *picture.Picture {
	plane := func(pix []byte, stride, cw, ch, unit int) picture.Plane {
		return picture.Plane{
			Pix: pix, Stride: stride, Width: cw, Height: ch,
			Across: picture.Span{Length: float64(w) / float64(unit)},
			Down:   picture.Span{Length: float64(b.Rows) / float64(unit)},
		}
	}
	return &picture.Picture{Model: picture.YCbCr, Limited: true, Planes: []picture.Plane{
		plane(b.Y, b.YStride, w, b.Rows, 1), plane(b.Cb, b.CStride, (w+1)/2, b.CRows, 2),
		plane(b.Cr, b.CStride, (w+1)/2, b.CRows, 2),
	}}
}
