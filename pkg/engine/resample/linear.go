package resample

import (
	"encoding/binary"
	"math"
	"sync"
)

// Linear resamples pictures of 8 bits a sample in linear light, as if their samples were light and not levels: a fine
// pattern keeps its brightness. Rows arrive from the top; alpha is straight. Like a Box, it first replaces squares of
// pixels by their means, which cost much less than a filter. The means are of light, too.
type Linear struct {
	deep            *Deep
	width, channels int
	factor          int
	curves          *Curves
	row             []byte   // of 16 bits a sample, where the factor is 1
	sums            []uint32 // of the light of squares, colours times their opacity
	rows            int      // in the sums
}

// NewLinear returns a Linear for rows of interleaved samples, whose levels stand for the light of curves. An even
// number of channels has alpha last. Squares of factor×factor pixels, 1 to MaxBox, are replaced by their means.
func NewLinear(channels, width, factor int, curves *Curves) *Linear {
	l := &Linear{width: width, channels: channels, factor: factor, curves: curves}
	squares := (width + factor - 1) / factor
	l.deep = NewDeep(channels, squares)
	if factor == 1 {
		l.row = make([]byte, 2*channels*width)
	} else {
		l.sums = make([]uint32, channels*squares)
	}
	return l
}

// Add asks for a picture of w×h pixels, of parts that count in squares. It is called before the first row; the picture
// is complete after the last, and Close. With a factor over 1 it has fewer pixels than its part has squares.
func (l *Linear) Add(w, h int, across, down Part) *LinearPicture {
	return &LinearPicture{l.deep.Add(w, h, across, down), l.curves}
}

// Row takes the next row.
func (l *Linear) Row(row []byte) {
	if l.factor > 1 {
		l.add(row[:l.channels*l.width])
		if l.rows++; l.rows == l.factor {
			l.flush()
		}
		return
	}
	n := l.channels
	for i, v := range row[:len(l.row)/2] {
		var sample uint16
		if channel := i % n; n%2 == 0 && channel == n-1 {
			sample = uint16(v) * 257 // opacity is no light
		} else {
			sample = l.curves.light[channel][v]
		}
		binary.BigEndian.PutUint16(l.row[2*i:], sample)
	}
	l.deep.Row(l.row)
}

// Close uses what the last rows left, where they are fewer than the factor.
func (l *Linear) Close() {
	if l.rows > 0 {
		l.flush()
	}
}

// add adds a row to the sums.
func (l *Linear) add(row []byte) {
	n, size := l.channels, l.channels*l.factor
	sums := l.sums
	for len(row) > 0 {
		square := row[:min(size, len(row))]
		row = row[len(square):]
		switch n {
		case 1:
			sums[0] += sumOfLight(square, 1, l.curves.light[0])
		case 3:
			sums[0] += sumOfLight(square, 3, l.curves.light[0])
			sums[1] += sumOfLight(square[1:], 3, l.curves.light[1])
			sums[2] += sumOfLight(square[2:], 3, l.curves.light[2])
		default:
			for ; len(square) >= n; square = square[n:] {
				alpha := uint32(square[n-1])
				for c, v := range square[:n-1] {
					sums[c] += (uint32(l.curves.light[c][v])*alpha + 127) / 255
				}
				sums[n-1] += 257 * alpha
			}
		}
		sums = sums[n:]
	}
}

// sumOfLight adds the light of samples, each step after the one before.
func sumOfLight(samples []byte, step int, light *[256]uint16) (sum uint32) {
	for i := 0; i < len(samples); i += step {
		sum += uint32(light[samples[i]])
	}
	return sum
}

// flush passes the means of the squares that the sums complete on.
func (l *Linear) flush() {
	n := l.channels
	whole := l.width / l.factor * n
	scale := 1 / float32(l.rows*l.factor)
	for i, sum := range l.sums {
		if i == whole {
			scale = 1 / float32(l.rows*(l.width%l.factor))
		}
		l.deep.multiplied[i] = float32(sum) * scale
	}
	l.deep.take(nil)
	clear(l.sums)
	l.rows = 0
}

// LinearPicture is a picture that a Linear makes.
type LinearPicture struct {
	deep   *DeepPicture
	curves *Curves
}

// Row writes a row of the picture, as levels, interleaved.
func (p *LinearPicture) Row(dst []byte, y int) {
	d := p.deep
	size := d.Channels * d.Width
	for i := range size {
		v := binary.BigEndian.Uint16(d.Pix[2*(y*size+i):])
		if channel := i % d.Channels; d.Channels%2 == 0 && channel == d.Channels-1 {
			dst[i] = byte((uint32(v) + 128) / 257)
		} else {
			dst[i] = p.curves.levels[channel][v]
		}
	}
}

// Curves say how much light the levels of red, green and blue stand for; those of gray are the first.
type Curves struct {
	light  [3]*[256]uint16               // of each level, 65535 being white
	levels [3]*[math.MaxUint16 + 1]uint8 // the nearest to each light
}

// NewCurves returns the curves of tables that have the light of each level, 0 to 1. It returns nil where a table falls
// somewhere, or does not rise: then no level stands for a light.
func NewCurves(tables *[3][256]float32) *Curves {
	c := new(Curves)
	for i := range tables {
		if i > 0 && tables[i] == tables[i-1] {
			c.light[i], c.levels[i] = c.light[i-1], c.levels[i-1]
			continue
		}
		light, levels := new([256]uint16), new([math.MaxUint16 + 1]uint8)
		for level, v := range tables[i] {
			if !(v >= 0 && v <= 1) || level > 0 && v < tables[i][level-1] {
				return nil
			}
			light[level] = uint16(math.Round(float64(v) * math.MaxUint16))
		}
		if light[0] == light[255] {
			return nil
		}
		level := 0
		for v := range levels {
			for level < 255 && int(light[level])+int(light[level+1]) < 2*v {
				level++
			}
			if levels[v] = uint8(level); v >= int(light[255]) {
				levels[v] = 255
			}
		}
		c.light[i], c.levels[i] = light, levels
	}
	return c
}

// SRGBCurves returns the curves of sRGB, which Display P3 shares.
var SRGBCurves = sync.OnceValue(func() *Curves {
	light, levels := new([256]uint16), new([math.MaxUint16 + 1]uint8)
	for i := range light {
		x := float64(i) / 255
		if x <= 0.04045 {
			x /= 12.92
		} else {
			x = math.Pow((x+0.055)/1.055, 2.4)
		}
		light[i] = uint16(math.Round(x * math.MaxUint16))
	}
	for i := range levels {
		x := float64(i) / math.MaxUint16
		if x <= 0.0031308 {
			x *= 12.92
		} else {
			x = 1.055*math.Pow(x, 1/2.4) - 0.055
		}
		levels[i] = uint8(math.Round(255 * x))
	}
	return &Curves{
		light:  [3]*[256]uint16{light, light, light},
		levels: [3]*[math.MaxUint16 + 1]uint8{levels, levels, levels},
	}
})
