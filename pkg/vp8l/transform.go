package vp8l

import "github.com/imagefarm/imagefarm/pkg/raster"

// The kinds of transforms, as they are coded.
const (
	predictors = iota
	crossColors
	subtractGreen
	colorIndex
	kinds
)

// transform is one of those that a picture went through before it was coded. Its inverse makes rows of width pixels.
type transform struct {
	kind  int
	width int
	data  []uint32 // parameters of squares, or colours that are indexed
	// size is the logarithm of a square's side, or of how many indices a pixel has.
	size   uint
	across int // squares in a row

	row   []uint32 // the latest
	above []uint32 // of predictors, the one before
}

// readTransforms reads the transforms of a picture of width×height pixels, in the order in which they were applied. The
// picture that is coded has codedWidth×height.
//
//	{ 1:1 kind:2 parameters } 0:1
func readTransforms(b *bitReader, width, height int) (all []*transform, codedWidth int, err error) {
	var seen [kinds]bool
	for b.flag() {
		t := &transform{kind: b.number(2), width: width}
		if b.beyond() {
			break
		}
		if seen[t.kind] {
			return nil, 0, raster.Corruptf(format, 0, "transform %d comes twice", t.kind)
		}
		seen[t.kind] = true
		switch t.kind {
		case predictors, crossColors:
			t.size = uint(2 + b.number(3))
			t.across = subsampled(width, t.size)
			t.data, err = readSmall(b, t.across, subsampled(height, t.size))
		case colorIndex:
			err = t.readColors(b)
			width = subsampled(width, t.size)
		}
		if err != nil {
			return nil, 0, err
		}
		all = append(all, t)
	}
	if b.beyond() {
		return nil, 0, raster.Truncatedf(format, "its transforms")
	}
	// A row of predictors has the next pixel behind its end, and vectors may write a little farther.
	for _, t := range all {
		t.row = make([]uint32, t.width+1, t.width+padding)
		if t.kind == predictors {
			t.above = make([]uint32, t.width+1, t.width+padding)
		}
	}
	return all, width, nil
}

// padding is how many pixels there are at least behind a row's last.
const padding = 16

// readColors reads the colours that are indexed, each as the difference to the one before. Indices beyond them are
// transparent black.
func (t *transform) readColors(b *bitReader) error {
	n := b.number(8) + 1
	switch {
	case n <= 2:
		t.size = 3
	case n <= 4:
		t.size = 2
	case n <= 16:
		t.size = 1
	}
	colors, err := readSmall(b, n, 1)
	if err != nil {
		return err
	}
	t.data = make([]uint32, 256)
	last := uint32(0)
	for i, c := range colors {
		last = add(last, c)
		t.data[i] = last
	}
	return nil
}

// inverse makes row y of what it was before the transform of a coded row. The result is valid until the next call.
func (t *transform) inverse(coded []uint32, y int) []uint32 {
	switch t.kind {
	case predictors:
		t.predict(coded, y)
	case crossColors:
		squares := t.data[y>>t.size*t.across:][:t.across]
		for i, m := range squares {
			from, to := i<<t.size, min((i+1)<<t.size, t.width)
			addCrossColors(t.row[from:to], coded[from:to], m)
		}
	case subtractGreen:
		addGreen(t.row[:t.width], coded)
	case colorIndex:
		t.expand(coded)
	}
	return t.row[:t.width]
}

// expand stores the colours of indices, of which each coded pixel has 1 << t.size in its green sample.
func (t *transform) expand(coded []uint32) {
	colors := (*[256]uint32)(t.data)
	out := t.row[:t.width]
	if t.size == 0 {
		for x, p := range coded[:len(out)] {
			out[x] = colors[p>>8&0xff]
		}
		return
	}
	bits := 8 >> t.size
	mask := uint32(1)<<bits - 1
	for ; len(out) > 0; coded = coded[1:] {
		n := min(len(out), 1<<t.size)
		packed := coded[0] >> 8
		for x := range out[:n] {
			out[x] = colors[packed&mask&0xff]
			packed >>= bits & 31
		}
		out = out[n:]
	}
}

// plainGreen adds green to red and blue.
func plainGreen(dst, src []uint32) {
	src = src[:len(dst)]
	for x, p := range src {
		g := p >> 8 & 0xff
		dst[x] = p&0xff00ff00 | (p&0x00ff00ff+g<<16+g)&0x00ff00ff
	}
}

// plainCrossColors adds what green says of red and blue, and red says of blue, by the factors of a square: of green to
// red, of green to blue and of red to blue, in 32nds, from the lowest byte on.
func plainCrossColors(dst, src []uint32, factors uint32) {
	src = src[:len(dst)]
	part := func(shift int, v uint32) uint32 {
		return uint32(int32(int8(factors>>shift))*int32(int8(v))>>5) & 0xff
	}
	for x, p := range src {
		g := p >> 8
		r := (p>>16 + part(0, g)) & 0xff
		b := (p + part(8, g) + part(16, r)) & 0xff
		dst[x] = p&0xff00ff00 | r<<16 | b
	}
}

// plainSamples stores pixels as red, green, blue and alpha.
func plainSamples(dst []byte, src []uint32) {
	for _, p := range src {
		d := dst[:4:4]
		d[0], d[1], d[2], d[3] = byte(p>>16), byte(p>>8), byte(p), byte(p>>24)
		dst = dst[4:]
	}
}

// plainOpacity stores green.
func plainOpacity(dst []byte, src []uint32) {
	dst = dst[:len(src)]
	for x, p := range src {
		dst[x] = byte(p >> 8)
	}
}
