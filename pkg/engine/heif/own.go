package heif

import (
	"errors"
	"fmt"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/hevc"
	"github.com/imagefarm/imagefarm/pkg/raster"
)

// own decodes HEVC by package hevc. A picture of a kind that this does not decode goes to libheif, which
// is installed or in WebAssembly.
type own struct {
	dec     hevc.Decoder
	standIn codec // started for the first picture that needs it
}

var _ codec = (*own)(nil)

func (*own) converts() bool { return false }

func (o *own) decode(it *item, told color, w, h int, how fidelity) (*picture.Picture, error) {
	// The coded picture may be larger than the shown one by what is left of its last blocks.
	const block = 64
	p, err := o.dec.Decode(it.property("hvcC"), it.bytes(), hevc.Options{
		MaxPixels: int64(w+block) * int64(h+block), Unfiltered: how.unfiltered,
	})
	if unsupported := (*raster.UnsupportedError)(nil); errors.As(err, &unsupported) {
		if o.standIn == nil {
			standIn, starting := newStandIn()
			if starting != nil {
				return nil, starting
			}
			o.standIn = standIn
		}
		return o.standIn.decode(it, told, w, h, how)
	}
	if err != nil {
		return nil, err
	}
	if p.Width != w || p.Height != h {
		return nil, fmt.Errorf("decoded to %d×%d pixels, its header says %d×%d", p.Width, p.Height, w, h)
	}
	out := &picture.Picture{Model: picture.Gray}
	if len(p.Planes) == 3 {
		out.Model = picture.YCbCr
	}
	for _, plane := range p.Planes {
		to := picture.Whole(plane.Pix, plane.Width, plane.Height)
		to.Across.Length = float64(w) / float64(subsampling(w, plane.Width))
		to.Down.Length = float64(h) / float64(subsampling(h, plane.Height))
		out.Planes = append(out.Planes, to)
	}
	return out, nil
}

func (o *own) close() {
	if o.standIn != nil {
		o.standIn.close()
	}
}

// The factors from which on pictures are decoded without in-loop filters: how many times finer than needed they are
// coded, where twice the largest variant is needed. What filters change is lost in the means: of photographs of
// qualities 20 and 50, luma at a quarter of the size was at most 0.03 dB farther from the original, and both were 60 dB
// apart.
const (
	unfiltered      = 2
	unfilteredExact = 4
)

// fidelityFor returns what may be left out of an item of which so much is needed.
func fidelityFor(it *item, need picture.Need) fidelity {
	if need.Width < 1 || need.Height < 1 {
		return fidelity{}
	}
	w, h := it.size()
	factor := min(w/need.Width, h/need.Height)
	return fidelity{unfiltered: factor >= unfilteredExact || factor >= unfiltered && !need.Exact}
}
