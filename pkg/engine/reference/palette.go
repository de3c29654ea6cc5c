package reference

import (
	"cmp"
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
	slices.SortFunc(all, func(a, b weighted) int { return slices.Compare(a.c[:], b.c[:]) }) // maps have no order
	if len(all) == 0 {
		return nil
	}
	boxes := [][]weighted{all}
	for len(boxes) < limit {
		widest, at, channel := 0, -1, 0
		for i, b := range boxes {
			if size, c := extent(b); size > widest && len(b) > 1 {
				widest, at, channel = size, i, c
			}
		}
		if at < 0 {
			break
		}
		b := boxes[at]
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
		boxes[at] = b[:cut]
		boxes = append(boxes, b[cut:])
	}
	palette := make([][4]uint8, len(boxes))
	for i, b := range boxes {
		var sum [4]int
		total := 0
		for _, x := range b {
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

// extent weighs how much a box would gain from a cut, and says along which channel.
func extent(b []weighted) (size, channel int) {
	lo, hi, total := b[0].c, b[0].c, 0
	for _, x := range b {
		for c := range 4 {
			lo[c], hi[c] = min(lo[c], x.c[c]), max(hi[c], x.c[c])
		}
		total += x.n
	}
	for c := range 4 {
		if d := int(hi[c]) - int(lo[c]); d*min(total, 1<<20) > size {
			size, channel = d*min(total, 1<<20), c
		}
	}
	return size, channel
}

// dither maps img to the palette, spreading the error as Floyd and Steinberg do. The palette's last colour is for
// transparent pixels.
func dither(out *image.Paletted, img *image.NRGBA, palette [][4]uint8, alpha, spread bool) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	this, next := make([][4]int, w+2), make([][4]int, w+2)
	found := map[[4]uint8]uint8{}
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
			i, ok := found[want]
			if !ok {
				i = nearest(palette, want)
				if len(found) < 1<<16 {
					found[want] = i
				}
			}
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

func nearest(palette [][4]uint8, c [4]uint8) uint8 {
	best, at := 1<<30, 0
	for i, p := range palette {
		r, g, b, a := int(p[0])-int(c[0]), int(p[1])-int(c[1]), int(p[2])-int(c[2]), int(p[3])-int(c[3])
		if d := 2*r*r + 4*g*g + 3*b*b + 4*a*a; d < best {
			best, at = d, i
		}
	}
	return uint8(at)
}
