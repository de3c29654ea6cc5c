package resample

import "github.com/imagefarm/imagefarm/pkg/engine/picture"

// Linear resamples pictures of 8 bits a sample in linear light, as if their samples were light and not levels: a fine
// pattern keeps its brightness. Rows arrive from the top; alpha is straight. Like a Box, it first replaces squares of
// pixels by their means, which cost much less than a filter. The means are of light, too.
type Linear struct {
	floats
	width, colors int
	alpha         bool
	factor        int
	curves        *Curves
	sums          [][]uint32 // by channel, of the light of squares, colours times their opacity; nil for a factor of 1
	rows          int        // in the sums
}

// NewLinear returns a Linear for rows of interleaved samples, whose levels stand for the light of curves. An even
// number of channels has alpha last. Squares of factor×factor pixels, 1 to MaxBox, are replaced by their means.
func NewLinear(channels, width, factor int, curves *Curves) *Linear {
	squares := (width + factor - 1) / factor
	l := &Linear{
		floats: newFloats(channels, squares), width: width, colors: channels - 1 + channels%2, alpha: channels%2 == 0,
		factor: factor, curves: curves,
	}
	if factor > 1 {
		l.sums = make([][]uint32, channels)
		for c := range l.sums {
			l.sums[c] = make([]uint32, squares)
		}
	}
	return l
}

// Add asks for a picture, as levels in planes of one size, one for each channel, of parts that count in squares. It is
// called before the first row; the picture is complete after the last, and Close. With a factor over 1 it has fewer
// pixels than its part has squares.
func (l *Linear) Add(planes []*picture.Plane, across, down Part) {
	l.add(planes[0].Width, planes[0].Height, across, down, func(y int, light [][]float32) {
		if l.alpha {
			straighten(light)
		}
		for c, p := range planes {
			row := p.Pix[y*p.Stride:][:p.Width]
			if c == l.colors {
				for x, v := range light[c][:p.Width] {
					row[x] = byte((uint32(sixteen(v)) + 128) / 257)
				}
				continue
			}
			levels := l.curves.levels[c]
			for x, v := range light[c][:p.Width] {
				row[x] = levels[sixteen(v)]
			}
		}
	})
}

// Row takes the next row.
func (l *Linear) Row(row []byte) { l.pixels(row, len(l.planes)) }

// NRGBARow takes the next row as four samples a pixel, whatever the channels are. Gray is the first of them, alpha the
// last.
func (l *Linear) NRGBARow(row []byte) { l.pixels(row, 4) }

// pixels takes the next row, of so many samples a pixel.
func (l *Linear) pixels(row []byte, size int) {
	row = row[:size*l.width]
	if l.factor == 1 {
		l.lighten(row, size)
		l.take()
		return
	}
	l.sum(row, size)
	if l.rows++; l.rows == l.factor {
		l.flush()
	}
}

// Close uses what the last rows left, where they are fewer than the factor.
func (l *Linear) Close() {
	if l.rows > 0 {
		l.flush()
	}
}

// lighten stores the light of a row's pixels in the planes.
func (l *Linear) lighten(row []byte, size int) {
	if light := &l.curves.floats; l.colors == 3 {
		reds, greens, blues := l.planes[0][:l.width], l.planes[1][:l.width], l.planes[2][:l.width]
		ofRed, ofGreen, ofBlue := light[0], light[1], light[2]
		for x := range reds {
			p := row[size*x:][:3]
			reds[x], greens[x], blues[x] = ofRed[p[0]], ofGreen[p[1]], ofBlue[p[2]]
		}
	} else {
		grays := l.planes[0][:l.width]
		for x := range grays {
			grays[x] = light[0][row[size*x]]
		}
	}
	if !l.alpha {
		return
	}
	opacity, i := l.planes[l.colors], size-1
	for x := range opacity[:l.width] {
		a := row[i]
		i += size
		if opacity[x] = 257 * float32(a); a < 255 {
			for _, plane := range l.planes[:l.colors] {
				plane[x] *= float32(a) / 255
			}
		}
	}
}

// sum adds the light of a row's pixels to the sums.
func (l *Linear) sum(row []byte, size int) {
	light := &l.curves.light
	for i := 0; len(row) > 0; i++ {
		samples := row[:min(size*l.factor, len(row))]
		row = row[len(samples):]
		if l.alpha {
			opacity := uint32(0)
			for at := size - 1; at < len(samples); at += size {
				opacity += uint32(samples[at])
			}
			l.sums[l.colors][i] += 257 * opacity
			if opacity < uint32(255*len(samples)/size) {
				for c, sums := range l.sums[:l.colors] {
					sums[i] += sumOfOpaque(samples[c:], size, size-1-c, light[c])
				}
				continue
			}
		}
		if l.colors == 1 {
			for at := 0; at < len(samples); at += size {
				l.sums[0][i] += uint32(light[0][samples[at]])
			}
			continue
		}
		var red, green, blue uint32
		for at := 0; at < len(samples); at += size {
			p := samples[at:][:3]
			red += uint32(light[0][p[0]])
			green += uint32(light[1][p[1]])
			blue += uint32(light[2][p[2]])
		}
		l.sums[0][i] += red
		l.sums[1][i] += green
		l.sums[2][i] += blue
	}
}

// sumOfOpaque adds the light of samples, each step after the one before, times their opacity, which comes after alpha
// more samples.
func sumOfOpaque(samples []byte, step, alpha int, light *[256]uint16) (sum uint32) {
	for i := 0; i+alpha < len(samples); i += step {
		v := uint32(light[samples[i]])
		if a := uint32(samples[i+alpha]); a < 255 {
			v = (v*a + 127) / 255
		}
		sum += v
	}
	return sum
}

// flush passes the means of the squares that the sums complete on.
func (l *Linear) flush() {
	whole := l.width / l.factor
	for c, sums := range l.sums {
		scale := 1 / float32(l.rows*l.factor)
		for i, sum := range sums {
			if i == whole {
				scale = 1 / float32(l.rows*(l.width%l.factor))
			}
			l.planes[c][i] = float32(sum) * scale
		}
		clear(sums)
	}
	l.take()
	l.rows = 0
}
