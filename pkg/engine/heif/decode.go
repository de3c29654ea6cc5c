package heif

import (
	"context"
	"fmt"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// codec decodes one coded picture.
type codec interface {
	// converts reports whether decode converts to RGB. A codec that does not is told that samples are as it wants them, so
	// that it converts nothing.
	converts() bool

	// decode decodes an item that holds coded samples of w×h pixels: its planes as they are coded, as 8-bit samples, or
	// RGB and alpha where the codec can yield nothing else. c are the colours of the item. An error means that the
	// picture is damaged.
	decode(it *item, c color, w, h int, how fidelity) (*picture.Picture, error)
	close()
}

// fidelity says what a codec may leave out.
type fidelity struct {
	unfiltered bool // what smooths the edges between blocks: so much smaller the picture is made
}

// Planes decodes the primary picture, or the one that Select chose, as it is stored: cropped, not turned. A thumbnail
// of the file serves instead where it shows the same in the size that is needed. What does not show at that size may be
// left out. 0×0 asks for the picture itself.
//
// The error is an *outcome.Rejection when the image is at fault, and the context's cause when it ended.
func (f *File) Planes(ctx context.Context, need picture.Need) (*picture.Picture, error) {
	p, width, height := f.shown, need.Width, need.Height
	if f.cut(p) {
		return nil, outcome.Reject(outcome.Truncated, "it ends before its picture does")
	}
	if width > 0 && height > 0 && p.property("clap") == nil && f.alphaOf(p) == nil {
		if t := f.thumbnailOf(p, width, height); t != nil {
			if pic, err := f.decodeItem(ctx, t, need, false); err == nil || ctx.Err() != nil {
				return pic, err
			}
		}
	}
	return f.decodeItem(ctx, p, need, true)
}

// decodeItem decodes an item, with its alpha where that is wanted, and crops it.
func (f *File) decodeItem(ctx context.Context, it *item, need picture.Need, withAlpha bool) (*picture.Picture, error) {
	coded, err := f.coded(it)
	if err != nil {
		return nil, err
	}
	c := f.colorOf(it, coded)
	how := fidelityFor(it, need)
	pic, err := f.decodePlanes(ctx, it, c, how)
	if err != nil {
		return nil, err
	}
	c.describe(pic)
	if alpha := f.alphaOf(it); withAlpha && alpha != nil {
		if err := f.addAlpha(ctx, pic, it, alpha, how); err != nil {
			return nil, err
		}
	}
	w, h := it.size()
	part, err := it.window(w, h)
	if err != nil {
		return nil, err
	}
	if part.w != w || part.h != h {
		crop(pic, part, w, h)
	}
	return pic, nil
}

// addAlpha decodes the auxiliary picture of opacity.
func (f *File) addAlpha(ctx context.Context, pic *picture.Picture, it, alpha *item, how fidelity) error {
	w, h := it.size()
	if aw, ah := alpha.size(); aw < 1 || ah < 1 || aw > w || ah > h { // the limits were checked for the picture alone
		return outcome.Reject(outcome.Corrupt, "its opacity has %d×%d pixels, the picture %d×%d", aw, ah, w, h)
	}
	a, err := f.decodePlanes(ctx, alpha, color{primaries: unspecified, transfer: unspecified, matrix: unspecified,
		full: true}, how)
	if err != nil {
		return fmt.Errorf("its opacity: %w", err)
	}
	plane := a.Planes[0]
	plane.Across = picture.Span{Length: float64(plane.Width)}
	plane.Down = picture.Span{Length: float64(plane.Height)}
	pic.Alpha = &plane
	for _, id := range it.refs["prem"] {
		pic.Premultiplied = pic.Premultiplied || id == alpha.id
	}
	return nil
}

// decodePlanes decodes the samples of an item, tile by tile where it is a grid.
func (f *File) decodePlanes(ctx context.Context, it *item, c color, how fidelity) (*picture.Picture, error) {
	w, h := it.size()
	coded, err := f.coded(it)
	if err != nil {
		return nil, err
	}
	dec, err := newCodec(coded.kind)
	if err != nil {
		return nil, err
	}
	defer dec.close()
	if it.kind == "iden" {
		base := f.base(it)
		if bw, bh := base.size(); bw != w || bh != h || base.property("clap") != nil || base.orientation() != 1 {
			return nil, outcome.Reject(outcome.Unsupported, "a picture derived from one that is cropped or turned")
		}
		it = base
	}
	if it.kind == "grid" {
		return f.decodeGrid(ctx, dec, it, c, w, h, how)
	}
	return decodeTile(dec, it, c, w, h, how)
}

// decodeTile decodes an item that holds coded samples.
func decodeTile(dec codec, it *item, c color, w, h int, how fidelity) (*picture.Picture, error) {
	pic, err := dec.decode(it, toldTo(dec, c), w, h, how)
	if err != nil {
		return nil, outcome.Reject(outcome.Corrupt, "%v", err)
	}
	if pic.Width() != w || pic.Height() != h {
		return nil, outcome.Reject(outcome.Corrupt, "decoded to %d×%d pixels, its header says %d×%d",
			pic.Width(), pic.Height(), w, h)
	}
	return pic, nil
}

// toldTo returns the colours that a codec is told.
func toldTo(dec codec, c color) color {
	if dec.converts() {
		return c
	}
	return color{primaries: 1, transfer: 13, matrix: 6, full: true} // what libheif takes for granted
}

// crop narrows every plane of a picture of w×h pixels to a window. A window that begins between two samples of colour
// begins there in the plane's spans as well.
func crop(p *picture.Picture, part window, w, h int) {
	for i := range p.Planes {
		cropPlane(&p.Planes[i], part, w, h)
	}
	if p.Alpha != nil {
		cropPlane(p.Alpha, part, w, h)
	}
}

func cropPlane(p *picture.Plane, part window, w, h int) {
	x, width, across := cropSpan(p.Across, part.x, part.w, w, p.Width)
	y, height, down := cropSpan(p.Down, part.y, part.h, h, p.Height)
	p.Pix = p.Pix[y*p.Stride+x:]
	p.Width, p.Height, p.Across, p.Down = width, height, across, down
}

// cropSpan returns the first sample, the number of samples and the span of n pixels from a pixel on, in a plane of size
// samples that shows whole pixels.
func cropSpan(s picture.Span, from, n, whole, size int) (first, count int, part picture.Span) {
	scale := s.Length / float64(whole)
	begin, end := s.Begin+float64(from)*scale, s.Begin+float64(from+n)*scale
	first = int(begin)
	last := min(int(end), size)
	if float64(last) < end && last < size {
		last++
	}
	return first, last - first, picture.Span{Begin: begin - float64(first), Length: end - begin}
}
