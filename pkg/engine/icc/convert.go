package icc

import (
	"image"
	"math"
	"sync"
)

// Conversion converts pictures from a profile's colours to a target's. It is safe for use by several goroutines.
type Conversion struct {
	profile *Profile
	target  Target

	steps [3][256]int // linear in linearBits, for whole pictures
	fixed [3][3]int   // matrix in matrixBits

	gray  *[256][3]uint8 // of tables for gray
	grid  *grid          // of tables for RGB and CMYK
	cubes [3][3]float32  // from the cubes of the grid's values to linear values of the target

	same bool
}

// Pictures are converted in integers. Their bits are those that keep the result within a level of exact arithmetic.
const (
	linearBits = 16
	matrixBits = 14
	stepBits   = 14 // of encodeSteps
)

// To returns the conversion to a target, whose tables are made when it is first asked for. The profile must be usable.
func (p *Profile) To(t Target) *Conversion {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kinds[t] == nil {
		p.kinds[t] = p.newConversion(t)
	}
	return p.kinds[t]
}

// FromSRGB returns the conversion of pictures that are sRGB.
func FromSRGB(t Target) *Conversion { return plainSRGB().To(t) }

var plainSRGB = sync.OnceValue(func() *Profile {
	p, err := Parse(SRGB.Profile())
	if err != nil {
		panic(err) // a programming error: the profile is our own
	}
	return p
})

func (p *Profile) newConversion(t Target) *Conversion {
	c := &Conversion{profile: p, target: t}
	switch {
	case p.tables == nil:
		c.prepare()
	case p.Space == Gray:
		c.gray = new([256][3]uint8)
		for v := range c.gray {
			c.gray[v] = c.level([4]float64{float64(v) / 255})
		}
	default:
		if p.grid == nil {
			p.grid = p.newGrid()
		}
		c.grid = p.grid
		for i := range 3 {
			for k := range 3 {
				c.cubes[i][k] = float32(fromXYZ[t][i][k] * d50[k])
			}
		}
	}
	c.same = c.changesNothing()
	return c
}

// adapted returns a colour, XYZ under D50, as it is when the darkest one is made black.
func (p *Profile) adapted(v [3]float64) [3]float64 {
	for i, black := range p.black {
		v[i] = (v[i] - black) * d50[i] / (d50[i] - black)
	}
	return v
}

func (c *Conversion) level(in [4]float64) (out [3]uint8) {
	for i, v := range product(&fromXYZ[c.target], c.profile.adapted(c.profile.xyz(in))) {
		out[i] = uint8(255*encode(min(1, max(0, v))) + 0.5)
	}
	return out
}

// Color converts one colour of a profile for gray or RGB.
func (c *Conversion) Color(r, g, b uint8) [3]uint8 {
	return c.level([4]float64{float64(r) / 255, float64(g) / 255, float64(b) / 255})
}

// prepare makes the tables for tone curves and a matrix.
func (c *Conversion) prepare() {
	p := c.profile
	for i := range 3 {
		for v, l := range p.linear[i] {
			c.steps[i][v] = int(math.Round(float64(l) * (1 << linearBits)))
		}
		for k := range 3 {
			m := 0.0
			for j := range 3 {
				m += fromXYZ[c.target][i][j] * p.matrix[j][k]
			}
			if p.Space == Gray { // white is white, whatever rounding says
				m = map[bool]float64{true: 1}[i == k]
			}
			c.fixed[i][k] = int(math.Round(min(max(m, -100), 100) * (1 << matrixBits)))
		}
	}
}

// Image converts every pixel of img, in place. The profile must be for gray or RGB.
func (c *Conversion) Image(img *image.NRGBA) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := range h {
		row := img.Pix[y*img.Stride:][:4*w]
		switch {
		case c.grid != nil:
			c.gridRow(row)
		case c.gray != nil:
			for i := 0; i+4 <= len(row); i += 4 {
				copy(row[i:i+3], c.gray[row[i]][:])
			}
		default:
			c.matrixRow(row)
		}
	}
}

func (c *Conversion) matrixRow(row []byte) {
	const shift, half = linearBits + matrixBits - stepBits, 1 << (linearBits + matrixBits - stepBits - 1)
	table, m := encoded(), &c.fixed
	reds, greens, blues := &c.steps[0], &c.steps[1], &c.steps[2]
	for i := 0; i+4 <= len(row); i += 4 {
		d := row[i : i+4 : i+4]
		r, g, b := reds[d[0]], greens[d[1]], blues[d[2]]
		toR := (r*m[0][0] + g*m[0][1] + b*m[0][2] + half) >> shift
		toG := (r*m[1][0] + g*m[1][1] + b*m[1][2] + half) >> shift
		toB := (r*m[2][0] + g*m[2][1] + b*m[2][2] + half) >> shift
		if uint(toR|toG|toB) > encodeSteps { // beyond the target; full red is one step more than its bits can tell
			toR, toG, toB = limit(toR), limit(toG), limit(toB)
		}
		d[0], d[1], d[2] = table[toR], table[toG], table[toB]
	}
}

func limit(v int) int { return min(max(v, 0), encodeSteps) }

func (c *Conversion) gridRow(row []byte) {
	var last, made [3]byte
	known := false
	for i := 0; i+4 <= len(row); i += 4 {
		d := row[i : i+4 : i+4]
		if in := [3]byte(d); !known || in != last {
			last, made, known = in, c.encode(c.grid.rgb(in)), true
		}
		copy(d[:3], made[:])
	}
}

// Inks converts a row of inks, 4 bytes a pixel and 255 full, to red, green, blue and 255. The profile must be for CMYK.
func (c *Conversion) Inks(dst, src []byte) {
	var last [4]byte
	var made [3]byte
	known := false
	for i := 0; i+4 <= min(len(src), len(dst)); i += 4 {
		if in := [4]byte(src[i:]); !known || in != last {
			last, made, known = in, c.encode(c.grid.cmyk(in)), true
		}
		copy(dst[i:i+3], made[:])
		dst[i+3] = 255
	}
}

// encode returns the levels of a colour of the grid.
func (c *Conversion) encode(v [3]float32) (out [3]byte) {
	x, y, z := v[0], v[1], v[2]
	if c.grid.roots {
		x, y, z = cube(x), cube(y), cube(z)
	}
	table := encoded()
	for i := range out {
		m := &c.cubes[i]
		l := (m[0]*x + m[1]*y + m[2]*z) * encodeSteps
		out[i] = table[int(min(max(l, 0), encodeSteps)+0.5)]
	}
	return out
}

// Same reports whether the conversion changes no value by more than one level, so that it can be left out.
func (c *Conversion) Same() bool { return c.same }

func (c *Conversion) changesNothing() bool {
	p := c.profile
	if p.Space == CMYK {
		return false
	}
	near := func(a, b uint8) bool { return max(a, b)-min(a, b) <= 1 }
	step := 51
	if p.Space == Gray {
		step = 5
	}
	for r := 0; r < 256; r += step {
		for g := 0; g < 256; g += step {
			for b := 0; b < 256; b += step {
				if p.Space == Gray && (g != r || b != r) {
					continue
				}
				to := c.Color(uint8(r), uint8(g), uint8(b))
				if !near(to[0], uint8(r)) || !near(to[1], uint8(g)) || !near(to[2], uint8(b)) {
					return false
				}
			}
		}
	}
	return true
}
