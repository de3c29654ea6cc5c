package heif

import (
	"context"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

const (
	maxTiles      = 1 << 16 // of a grid, which can have 256×256
	maxTilePixels = 1 << 26 // of a tile that reaches beyond the picture
)

// decodeGrid decodes a picture of w×h pixels tile by tile. Tiles are in rows from the upper left; those at the right
// and at the bottom may reach beyond the picture.
//
//	version:8 flags:8 rows-1:8 columns-1:8 width:16|32 height:16|32
func (f *File) decodeGrid(ctx context.Context, dec codec, it *item, c color, w, h int,
	how fidelity) (*picture.Picture, error) {
	r := reader{p: it.bytes()}
	r.number(1)
	size := 2
	if r.number(1)&1 != 0 {
		size = 4
	}
	rows, columns := r.number(1)+1, r.number(1)+1
	gw, gh := r.number(size), r.number(size)
	tiles := it.refs["dimg"]
	if r.short || rows*columns > maxTiles || len(tiles) != rows*columns || gw != w || gh != h {
		return nil, outcome.Reject(outcome.Corrupt,
			"a grid of %d×%d tiles for %d×%d pixels has %d tiles and says %d×%d pixels",
			columns, rows, w, h, len(tiles), gw, gh)
	}
	var out *picture.Picture
	tw, th := 0, 0
	for i, id := range tiles {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		tile := f.items[id]
		if tile == nil || tile.kind != "hvc1" && tile.kind != "av01" {
			return nil, outcome.Reject(outcome.Corrupt, "tile %d of the grid is missing", i+1)
		}
		x, y := tile.size()
		if i == 0 {
			tw, th = x, y
			if tw < 1 || th < 1 || tw*th > max(w*h, maxTilePixels) || tw*columns < w || th*rows < h || tw*(columns-1) >= w ||
				th*(rows-1) >= h {
				return nil, outcome.Reject(outcome.Corrupt, "%d×%d tiles of %d×%d pixels are no grid of %d×%d pixels",
					columns, rows, tw, th, w, h)
			}
		}
		if x != tw || y != th {
			return nil, outcome.Reject(outcome.Corrupt, "tile %d of the grid has another size than the first", i+1)
		}
		pic, err := decodeTile(dec, tile, c, tw, th, how)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = like(pic, tw, th, w, h)
		}
		if err := place(out, pic, i%columns*tw, i/columns*th, w, h); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// like returns an empty picture of w×h pixels in the manner of a tile of tw×th.
func like(tile *picture.Picture, tw, th, w, h int) *picture.Picture {
	out := &picture.Picture{Model: tile.Model, Premultiplied: tile.Premultiplied}
	for _, p := range tile.Planes {
		out.Planes = append(out.Planes, emptyPlane(w, h, subsampling(tw, p.Width), subsampling(th, p.Height)))
	}
	return out
}

// subsampling returns how many pixels share a sample of a plane.
func subsampling(pixels, samples int) int {
	if samples < pixels {
		return 2
	}
	return 1
}

// emptyPlane returns the plane of a picture of w×h pixels of which each sample covers across×down.
func emptyPlane(w, h, across, down int) picture.Plane {
	pw, ph := (w+across-1)/across, (h+down-1)/down
	p := picture.Whole(make([]byte, pw*ph), pw, ph)
	p.Across.Length, p.Down.Length = float64(w)/float64(across), float64(h)/float64(down)
	return p
}

// place copies a tile to where its upper left pixel belongs.
func place(out, tile *picture.Picture, x, y, w, h int) error {
	if tile.Model != out.Model || len(tile.Planes) != len(out.Planes) {
		return outcome.Reject(outcome.Unsupported, "a grid whose tiles are coded in different ways")
	}
	for i := range out.Planes {
		to, from := &out.Planes[i], &tile.Planes[i]
		across, down := subsampling(w, to.Width), subsampling(h, to.Height)
		if subsampling(tile.Width(), from.Width) != across || subsampling(tile.Height(), from.Height) != down ||
			x%across != 0 || y%down != 0 {
			return outcome.Reject(outcome.Unsupported, "a grid whose tiles are coded in different ways")
		}
		left, top := x/across, y/down
		n := min(from.Width, to.Width-left)
		for row := range min(from.Height, to.Height-top) {
			copy(to.Pix[(top+row)*to.Stride+left:][:n], from.Pix[row*from.Stride:])
		}
	}
	return nil
}
