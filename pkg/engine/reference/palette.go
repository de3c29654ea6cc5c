package reference

import (
	"cmp"
	"encoding/binary"
	"image"
	"image/color"
	"slices"
)

// quantize reduces img to at most limit colours, 2 to 256. With alpha, colours have every opacity; without, one of them
// is transparent where img has transparent pixels, and the others are opaque. Pictures of no more colours keep them
// exactly; others are cut at the median and dithered.
func quantize(img *image.NRGBA, limit int, alpha bool) *image.Paletted {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	counts := map[[4]uint8]int{}
	transparent := false
	step := max(1, w*h/200_000) // a sample is enough for a palette
	for i := 0; i < w*h; i++ {
		p := simplified(img.Pix[(i/w)*img.Stride+4*(i%w):], alpha)
		if p[3] == 0 {
			transparent = true
			continue
		}
		if i%step == 0 || len(counts) <= limit {
			counts[p]++
		}
	}
	if transparent {
		limit--
	}
	boxes := medianCut(counts, limit)
	palette := make(color.Palette, 0, 256)
	for _, b := range boxes {
		palette = append(palette, color.NRGBA{b[0], b[1], b[2], b[3]})
	}
	if transparent || len(palette) == 0 {
		palette = append(palette, color.NRGBA{})
	}
	out := image.NewPaletted(image.Rect(0, 0, w, h), palette)
	dither(out, img, boxes, alpha, len(counts) > limit)
	return out
}

// simplified returns a pixel without what a palette cannot tell: the colour of a transparent one, and, without alpha,
// any opacity between none and all.
func simplified(p []uint8, alpha bool) [4]uint8 {
	switch {
	case p[3] == 0 || !alpha && p[3] < 128:
		return [4]uint8{}
	case !alpha:
		return [4]uint8{p[0], p[1], p[2], 255}
	}
	return [4]uint8(p)
}

type weighted struct {
	c [4]uint8
	n int
}

// medianCut returns at most limit colours for a histogram.
func medianCut(counts map[[4]uint8]int, limit int) [][4]uint8 {
	all := make([]weighted, 0, len(counts))
	for c, n := range counts {
		all = append(all, weighted{c, n})
	}
	slices.SortFunc(all, func(a, b weighted) int { // maps have no order
		return cmp.Compare(binary.BigEndian.Uint32(a.c[:]), binary.BigEndian.Uint32(b.c[:]))
	})
	if len(all) == 0 {
		return nil
	}
	boxes := []box{newBox(all)}
	for len(boxes) < limit {
		widest, at, channel := 0, -1, 0
		for i, b := range boxes {
			if b.size > widest && len(b.colors) > 1 {
				widest, at, channel = b.size, i, b.channel
			}
		}
		if at < 0 {
			break
		}
		b := boxes[at].colors
		slices.SortStableFunc(b, func(x, y weighted) int { return cmp.Compare(x.c[channel], y.c[channel]) })
		total := 0
		for _, x := range b {
			total += x.n
		}
		cut, sum := 1, b[0].n
		for cut < len(b)-1 && sum < total/2 {
			sum += b[cut].n
			cut++
		}
		boxes[at] = newBox(b[:cut])
		boxes = append(boxes, newBox(b[cut:]))
	}
	palette := make([][4]uint8, len(boxes))
	for i, b := range boxes {
		var sum [4]int
		total := 0
		for _, x := range b.colors {
			for c := range 4 {
				sum[c] += x.n * int(x.c[c])
			}
			total += x.n
		}
		for c := range 4 {
			palette[i][c] = uint8((sum[c] + total/2) / total)
		}
	}
	return palette
}

// box is a part of a histogram.
type box struct {
	colors  []weighted
	size    int // weighs how much would be gained by a cut
	channel int // along which to cut
}

func newBox(colors []weighted) box {
	b := box{colors: colors}
	lo, hi, total := colors[0].c, colors[0].c, 0
	for _, x := range colors {
		for c := range 4 {
			lo[c], hi[c] = min(lo[c], x.c[c]), max(hi[c], x.c[c])
		}
		total += x.n
	}
	for c := range 4 {
		if size := (int(hi[c]) - int(lo[c])) * min(total, 1<<20); size > b.size {
			b.size, b.channel = size, c
		}
	}
	return b
}

// dither maps img to the palette, spreading the error as Floyd and Steinberg do. The palette's last colour is for
// transparent pixels.
func dither(out *image.Paletted, img *image.NRGBA, palette [][4]uint8, alpha, spread bool) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	this, next := make([][4]int, w+2), make([][4]int, w+2)
	colors := newFinder(palette)
	for y := range h {
		for x := range w {
			p := simplified(img.Pix[y*img.Stride+4*x:], alpha)
			if p[3] == 0 {
				out.Pix[y*out.Stride+x] = uint8(len(out.Palette) - 1)
				continue
			}
			want := p
			for c := range want {
				want[c] = uint8(min(255, max(0, int(p[c])+this[x+1][c]/16)))
			}
			i := colors.nearest(want)
			out.Pix[y*out.Stride+x] = i
			if !spread {
				continue
			}
			for c := range want {
				e := int(want[c]) - int(palette[i][c])
				this[x+2][c] += 7 * e
				next[x][c] += 3 * e
				next[x+1][c] += 5 * e
				next[x+2][c] += e
			}
		}
		this, next = next, this
		clear(next)
	}
}

// finder finds the nearest colours of a palette. For each cell of colours it lists those of the palette that may be the
// nearest of one there: for cells of 16 levels of red, green and blue, and for those of 8 levels among the former.
type finder struct {
	palette [256][4]uint8
	weights [4]int
	coarse  [1 << 16]uint32 // where the list of a cell begins in lists, or 0 as long as there is none
	fine    [1 << 19]uint32
	lists   []uint8 // each its length less 1, and indices of the palette in order; the first has all
}

func newFinder(palette [][4]uint8) *finder {
	f := &finder{weights: [4]int{2, 4, 3, 4}, lists: []uint8{uint8(len(palette) - 1)}}
	copy(f.palette[:], palette)
	for i := range palette {
		f.lists = append(f.lists, uint8(i))
	}
	if !slices.ContainsFunc(palette, func(c [4]uint8) bool { return c[3] != palette[0][3] }) {
		f.weights[3] = 0 // all are equally far in opacity, so that cells need not list more for it
	}
	return f
}

// nearest returns the index of the nearest colour, of equally near ones the first.
func (f *finder) nearest(c [4]uint8) uint8 {
	cell := &f.fine[int(c[0]>>3)<<14|int(c[1]>>3)<<9|int(c[2]>>3)<<4|int(c[3]>>4)]
	if *cell == 0 {
		parent := &f.coarse[int(c[0]>>4)<<12|int(c[1]>>4)<<8|int(c[2]>>4)<<4|int(c[3]>>4)]
		if *parent == 0 {
			*parent = f.list(0, c, 15)
		}
		*cell = f.list(*parent, c, 7)
	}
	best, at := 1<<30, uint8(0)
	for _, i := range f.listed(*cell) {
		p := &f.palette[i]
		r, g, b, a := int(p[0])-int(c[0]), int(p[1])-int(c[1]), int(p[2])-int(c[2]), int(p[3])-int(c[3])
		if d := f.weights[0]*r*r + f.weights[1]*g*g + f.weights[2]*b*b + f.weights[3]*a*a; d < best {
			best, at = d, i
		}
	}
	return at
}

func (f *finder) listed(at uint32) []uint8 { return f.lists[at+1:][:int(f.lists[at])+1] }

// list lists the colours of another list that may be the nearest of a colour in c's cell, which differs from c in the
// bits of mask: those whose distance to the near side of the cell is not above another's to the far side.
func (f *finder) list(among uint32, c [4]uint8, mask uint8) uint32 {
	var near [256]int
	bound := 1 << 30
	for _, i := range f.listed(among) {
		far := 0
		for k, p := range f.palette[i] {
			mask := mask
			if k == 3 {
				mask = 15 // cells have 16 levels of opacity
			}
			below, above := int(c[k]&^mask)-int(p), int(p)-int(c[k]|mask)
			d, e := max(0, below, above), max(-below, -above)
			near[i] += f.weights[k] * d * d
			far += f.weights[k] * e * e
		}
		bound = min(bound, far)
	}
	at := uint32(len(f.lists))
	f.lists = append(f.lists, 0)
	for _, i := range f.listed(among) {
		if near[i] <= bound {
			f.lists = append(f.lists, i)
		}
	}
	f.lists[at] = uint8(len(f.lists) - int(at) - 2)
	return at
}
