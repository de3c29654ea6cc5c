package webp

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
	"github.com/imagefarm/imagefarm/pkg/raster"
	"github.com/imagefarm/imagefarm/pkg/vp8"
)

// The factors from which on the edges between blocks are not smoothed: what the filter changes is lost in the means.
// Against a thumbnail of the smoothed picture that costs up to 0.1 dB where a JPEG of quality 85 is made of it. Where
// nothing is lost later it would cost half a decibel at 8, and 1.3 at 4; at 16 it costs 0.1.
const (
	unfiltered      = 4
	unfilteredExact = 16
)

// open opens the frame of a lossy picture, and returns by which integer it can be shrunk.
func (s *still) open(width, height int, need picture.Need) (r *vp8.Reader, factor int, err error) {
	w, h, err := vp8.Size(s.lossy)
	if err != nil {
		return nil, 0, err
	}
	if w != width || h != height {
		return nil, 0, otherSize(w, h, width, height)
	}
	factor = factorFor(w, h, need)
	r, err = vp8.Open(s.lossy, vp8.Options{
		MaxPixels: int64(w) * int64(h), Unfiltered: factor >= unfilteredExact || factor >= unfiltered && !need.Exact,
	})
	return r, factor, err
}

// factorFor returns by which integer a picture of w×h pixels can be shrunk.
func factorFor(w, h int, need picture.Need) int {
	if need.Width < 1 || need.Height < 1 {
		return 1
	}
	return min(max(min(w/need.Width, h/need.Height), 1), resample.MaxBox)
}

// planes returns the planes of a lossy picture, each made smaller by a factor.
func (s *still) planes(ctx context.Context, width, height int, need picture.Need) (*picture.Picture, error) {
	r, factor, err := s.open(width, height, need)
	if err != nil {
		return nil, err
	}
	w, h := width, height
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
	err = bands(ctx, r, func(b vp8.Band) {
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

// blended reads a lossy picture as rows of red, green, blue and alpha. It implements raster.Reader.
type blended struct {
	width, height int
	frame         *vp8.Reader
	alpha         *opacity // nil: all is opaque
	opaque        []byte

	band vp8.Band
	y    int // of the band, the next row
}

var _ raster.Reader = (*blended)(nil)

func (s *still) blended(width, height int, need picture.Need) (*blended, error) {
	r, _, err := s.open(width, height, need)
	if err != nil {
		return nil, err
	}
	b := &blended{width: width, height: height, frame: r}
	if s.alpha == nil {
		b.opaque = bytes.Repeat([]byte{255}, width)
		return b, nil
	}
	b.alpha, err = openOpacity(s.alpha, width, height)
	return b, err
}

func (b *blended) Size() (width, height int) { return b.width, b.height }
func (b *blended) Channels() int             { return 4 }
func (b *blended) Depth() int                { return 8 }
func (b *blended) Warnings() []string        { return nil }

func (b *blended) ReadRow(dst []byte) (err error) {
	for b.y == b.band.Rows {
		if b.band, err = b.frame.Next(); err != nil {
			return err
		}
		b.y = 0
	}
	alpha := b.opaque
	if b.alpha != nil {
		if alpha, err = b.alpha.next(); err != nil {
			return err
		}
	}
	color := min(b.y/2, b.band.CRows-1) * b.band.CStride
	picture.HalvedRow(dst, b.band.Y[b.y*b.band.YStride:][:b.width], b.band.Cb[color:], b.band.Cr[color:], alpha,
		picture.BT601, true)
	b.y++
	return nil
}
