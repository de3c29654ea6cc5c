// Package thumbhash makes ThumbHashes: some 25 bytes that a program turns into a blurred picture, to show while the
// real one is loading. The form is that of evanw/thumbhash (MIT), whose reference this package follows.
package thumbhash

import (
	"image"
	"math"
)

// Side is a good width and height for pictures to hash. A hash keeps at most seven waves in each direction, so that
// more pixels add nothing.
const Side = 32

// Look is how a picture looks at a glance.
type Look struct {
	Color [3]uint8 // the mean of what is opaque
	Hash  []byte   // of 5 to 25 bytes
}

// plane is one channel of a picture.
type plane struct {
	w, h int
	v    []float64
}

// Of returns how a picture looks that has at most 100 pixels in each direction and is not empty.
func Of(img *image.NRGBA) Look {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	var mean [3]float64
	opacity := 0.0
	for y := range h {
		row := img.Pix[y*img.Stride:][:4*w]
		for i := 0; i < len(row); i += 4 {
			alpha := float64(row[i+3]) / 255
			opacity += alpha
			for c := range mean {
				mean[c] += alpha / 255 * float64(row[i+c])
			}
		}
	}
	var look Look
	for c := range mean {
		if opacity > 0 {
			mean[c] /= opacity
		}
		look.Color[c] = uint8(255*mean[c] + 0.5)
	}
	transparent := opacity < float64(w*h)
	// Lightness, yellow against blue, red against green, and opacity; the mean shows through what is transparent.
	var planes [4]plane
	for i := range planes {
		planes[i] = plane{w, h, make([]float64, w*h)}
	}
	for y := range h {
		row := img.Pix[y*img.Stride:][:4*w]
		for x := range w {
			alpha := float64(row[4*x+3]) / 255
			var v [3]float64
			for c := range v {
				v[c] = mean[c]*(1-alpha) + alpha/255*float64(row[4*x+c])
			}
			at := y*w + x
			planes[0].v[at] = (v[0] + v[1] + v[2]) / 3
			planes[1].v[at] = (v[0]+v[1])/2 - v[2]
			planes[2].v[at] = v[0] - v[1]
			planes[3].v[at] = alpha
		}
	}
	look.Hash = hash(planes, transparent)
	return look
}

// hash writes
//
//	lightness:6 yellow:6 red:6 lightness scale:5 transparent:1
//	waves along the shorter side:3 yellow scale:6 red scale:6 landscape:1
//	opacity:4 opacity scale:4, where transparent
//	the waves of each channel, 4 bits each
//
// lowest bits first.
func hash(planes [4]plane, transparent bool) []byte {
	w, h := planes[0].w, planes[0].h
	most := 7.0
	if transparent {
		most = 5
	}
	long := float64(max(w, h))
	across, down := max(1, int(math.Round(most*float64(w)/long))), max(1, int(math.Round(most*float64(h)/long)))
	light := planes[0].waves(max(3, across), max(3, down))
	yellow, red := planes[1].waves(3, 3), planes[2].waves(3, 3)
	var b bits
	b.add(6, 63*light.mean)
	b.add(6, 31.5+31.5*yellow.mean)
	b.add(6, 31.5+31.5*red.mean)
	b.add(5, 31*light.scale)
	b.flag(transparent)
	landscape := w > h
	short := across
	if landscape {
		short = down
	}
	b.add(3, float64(short))
	b.add(6, 63*yellow.scale)
	b.add(6, 63*red.scale)
	b.flag(landscape)
	channels := [][]float64{light.parts, yellow.parts, red.parts}
	if transparent {
		opacity := planes[3].waves(5, 5)
		b.add(4, 15*opacity.mean)
		b.add(4, 15*opacity.scale)
		channels = append(channels, opacity.parts)
	}
	for _, parts := range channels {
		for _, p := range parts {
			b.add(4, 15*p)
		}
	}
	return b.bytes
}

// bits writes numbers of few bits, the lowest first.
type bits struct {
	bytes []byte
	used  int
}

// add writes a number, rounded, in n bits. What does not fit is cut off.
func (b *bits) add(n int, v float64) {
	u := uint(min(max(math.Round(v), 0), float64(uint(1)<<n-1)))
	for i := range n {
		if b.used%8 == 0 {
			b.bytes = append(b.bytes, 0)
		}
		b.bytes[b.used/8] |= byte(u>>i&1) << (b.used % 8)
		b.used++
	}
}

func (b *bits) flag(set bool) {
	v := 0.0
	if set {
		v = 1
	}
	b.add(1, v)
}

// spectrum is the slow waves of a channel.
type spectrum struct {
	mean, scale float64   // scale: the largest wave
	parts       []float64 // of the scale, 0 to 1, 0.5 being none
}

// noise is what rounding leaves of a wave that is not there.
const noise = 1e-9

// waves is a discrete cosine transform, of so many waves across and down, of which the upper left triangle is kept.
func (p *plane) waves(across, down int) spectrum {
	columns, rows := cosines(p.w, across), cosines(p.h, down)
	half := make([]float64, across*p.h) // transformed across
	for y := range p.h {
		row := p.v[y*p.w:][:p.w]
		for k := range across {
			sum := 0.0
			for x, c := range columns[k*p.w:][:p.w] {
				sum += row[x] * c
			}
			half[y*across+k] = sum
		}
	}
	var s spectrum
	for cy := range down {
		for cx := 0; cx*down < across*(down-cy); cx++ {
			f := 0.0
			for y, c := range rows[cy*p.h:][:p.h] {
				f += half[y*across+cx] * c
			}
			if f /= float64(p.w * p.h); cx == 0 && cy == 0 {
				s.mean = f
				continue
			}
			if math.Abs(f) < noise {
				f = 0
			}
			s.parts = append(s.parts, f)
			s.scale = max(s.scale, math.Abs(f))
		}
	}
	for i, f := range s.parts {
		if s.parts[i] = 0; s.scale > 0 {
			s.parts[i] = 0.5 + 0.5/s.scale*f
		}
	}
	return s
}

// cosines returns the values of waves 0 to n at size samples.
func cosines(size, n int) []float64 {
	all := make([]float64, 0, size*n)
	for k := range n {
		for x := range size {
			all = append(all, math.Cos(math.Pi/float64(size)*float64(k)*(float64(x)+0.5)))
		}
	}
	return all
}
