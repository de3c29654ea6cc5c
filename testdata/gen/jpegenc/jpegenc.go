// Package jpegenc writes the kinds of JPEG that image/jpeg does not: progressive, 12 bits a sample, any subsampling,
// gray, CMYK, with metadata and restart markers. It is small and slow, and its output depends on nothing but its
// input.
package jpegenc

import (
	"encoding/binary"
	"image"
	"math"
)

// Space is what the components mean.
type Space int

// The colour spaces.
const (
	YCbCr Space = iota
	Gray
	AdobeCMYK // four components, stored inverted with an Adobe marker, as Photoshop does
)

// Options say how to write. The zero value is baseline YCbCr 4:2:0 at quality 85.
type Options struct {
	Quality     int      // 1 to 100; 0 means 85
	Precision   int      // bits of a sample, 8 or 12; 0 means 8
	Space       Space    // default YCbCr
	Sampling    [2]int   // luma samples for one of chroma, horizontally and vertically; default 2, 2
	Progressive bool     // spectral selection and successive approximation, the scans of libjpeg
	Restart     int      // MCUs between restart markers; 0 for none; baseline only
	Segments    [][]byte // application segments, marker byte first, without length (EXIF, ICC, …)
}

type component struct {
	id, h, v, table int
	bw, bh          int // blocks that hold picture
	stride          int // blocks in a row, with padding to whole MCUs
	rows            int
	coef            [][64]int32 // quantised, in zigzag order
}

type encoder struct {
	opt        Options
	w, h       int
	mcux, mcuy int
	comps      []*component
	quant      [2][64]int
	out        []byte
}

var zigzag = [64]int{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14,
	21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61,
	54, 47, 55, 62, 63,
}

var baseQuant = [2][64]int{{
	16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22,
	29, 51, 87, 80, 62,
	18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72,
	92, 95, 98, 112, 100, 103, 99,
}, {
	17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99,
	99, 99, 99, 99, 99,
	99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
	99, 99, 99, 99, 99,
}}

// Encode returns img as a JPEG file. It panics on options that make no sense: its callers are programs' constants.
func Encode(img image.Image, opt Options) []byte {
	if opt.Quality == 0 {
		opt.Quality = 85
	}
	if opt.Precision == 0 {
		opt.Precision = 8
	}
	if opt.Sampling == [2]int{} {
		opt.Sampling = [2]int{2, 2}
	}
	e := &encoder{opt: opt, w: img.Bounds().Dx(), h: img.Bounds().Dy()}
	e.setQuant()
	e.layout()
	e.transform(img)
	e.write()
	return e.out
}

func (e *encoder) setQuant() {
	scale := 200 - 2*e.opt.Quality
	if e.opt.Quality < 50 {
		scale = 5000 / e.opt.Quality
	}
	for t := range e.quant {
		for i, q := range baseQuant[t] {
			e.quant[t][i] = min(max((q*scale+50)/100, 1), 255)
		}
	}
}

func (e *encoder) layout() {
	h, v := e.opt.Sampling[0], e.opt.Sampling[1]
	switch e.opt.Space {
	case Gray:
		h, v = 1, 1
		e.comps = []*component{{id: 1, h: 1, v: 1}}
	case AdobeCMYK:
		h, v = 1, 1
		for i := range 4 {
			e.comps = append(e.comps, &component{id: i + 1, h: 1, v: 1})
		}
	default:
		e.comps = []*component{{id: 1, h: h, v: v}, {id: 2, h: 1, v: 1, table: 1}, {id: 3, h: 1, v: 1, table: 1}}
	}
	e.mcux, e.mcuy = ceil(e.w, 8*h), ceil(e.h, 8*v)
	for _, c := range e.comps {
		c.bw, c.bh = ceil(ceil(e.w*c.h, h), 8), ceil(ceil(e.h*c.v, v), 8)
		c.stride, c.rows = e.mcux*c.h, e.mcuy*c.v
		c.coef = make([][64]int32, c.stride*c.rows)
	}
}

func ceil(a, b int) int { return (a + b - 1) / b }

// transform fills the coefficients of every component.
func (e *encoder) transform(img image.Image) {
	planes := e.planes(img)
	h, v := e.comps[0].h, e.comps[0].v
	for i, c := range e.comps {
		sx, sy := h/c.h, v/c.v
		for by := range c.rows {
			for bx := range c.stride {
				var b [64]float64
				for y := range 8 {
					for x := range 8 {
						b[y*8+x] = e.sample(planes[i], (bx*8+x)*sx, (by*8+y)*sy, sx, sy) - e.middle()
					}
				}
				forward(&b)
				out := &c.coef[by*c.stride+bx]
				for k := range out {
					q := float64(e.quant[c.table][zigzag[k]])
					out[k] = int32(math.Round(b[zigzag[k]] / q))
				}
			}
		}
	}
}

// middle is the sample in the middle between black and white, and most is white.
func (e *encoder) middle() float64 { return float64(int(1) << (e.opt.Precision - 1)) }
func (e *encoder) most() float64   { return 2*e.middle() - 1 }

func (e *encoder) sample(p []float64, x0, y0, sx, sy int) float64 {
	sum := 0.0
	for dy := range sy {
		row := min(y0+dy, e.h-1) * e.w
		for dx := range sx {
			sum += p[row+min(x0+dx, e.w-1)]
		}
	}
	return sum / float64(sx*sy)
}

func (e *encoder) planes(img image.Image) [][]float64 {
	planes := make([][]float64, len(e.comps))
	for i := range planes {
		planes[i] = make([]float64, e.w*e.h)
	}
	b := img.Bounds()
	for y := range e.h {
		for x := range e.w {
			r16, g16, b16, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			most, middle := e.most(), e.middle()
			r, g, bl := float64(r16)*most/65535, float64(g16)*most/65535, float64(b16)*most/65535
			o := y*e.w + x
			luma := 0.299*r + 0.587*g + 0.114*bl
			switch e.opt.Space {
			case Gray:
				planes[0][o] = luma
			case AdobeCMYK:
				// Inverted: the largest sample is no ink. The black plate takes half of what gray there is.
				k := (most - max(r, g, bl)) / 2
				for i, v := range [3]float64{r, g, bl} {
					planes[i][o] = min(v*most/(most-k), most)
				}
				planes[3][o] = most - k
			default:
				planes[0][o] = luma
				planes[1][o] = middle - 0.168736*r - 0.331264*g + 0.5*bl
				planes[2][o] = middle + 0.5*r - 0.418688*g - 0.081312*bl
			}
		}
	}
	return planes
}

var cosines = func() (t [8][8]float64) {
	for u := range 8 {
		k := 0.5
		if u == 0 {
			k = math.Sqrt(0.125)
		}
		for x := range 8 {
			t[u][x] = k * math.Cos(float64(2*x+1)*float64(u)*math.Pi/16)
		}
	}
	return t
}()

// forward is the discrete cosine transform, rows then columns.
func forward(b *[64]float64) {
	var t [64]float64
	for y := range 8 {
		for u := range 8 {
			sum := 0.0
			for x := range 8 {
				sum += cosines[u][x] * b[y*8+x]
			}
			t[y*8+u] = sum
		}
	}
	for u := range 8 {
		for v := range 8 {
			sum := 0.0
			for y := range 8 {
				sum += cosines[v][y] * t[y*8+u]
			}
			b[v*8+u] = sum
		}
	}
}

func (e *encoder) segment(marker byte, payload ...byte) {
	e.out = append(e.out, 0xff, marker)
	e.out = binary.BigEndian.AppendUint16(e.out, uint16(len(payload)+2))
	e.out = append(e.out, payload...)
}

func (e *encoder) write() {
	e.out = append(e.out, 0xff, 0xd8)
	if e.opt.Space == AdobeCMYK {
		e.segment(0xee, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0)
	} else {
		e.segment(0xe0, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0)
	}
	for _, s := range e.opt.Segments {
		e.segment(s[0], s[1:]...)
	}
	for t := range 2 {
		if t == 1 && e.opt.Space != YCbCr {
			break
		}
		table := []byte{byte(t)}
		for k := range 64 {
			table = append(table, byte(e.quant[t][zigzag[k]]))
		}
		e.segment(0xdb, table...)
	}
	sof := []byte{byte(e.opt.Precision), byte(e.h >> 8), byte(e.h), byte(e.w >> 8), byte(e.w), byte(len(e.comps))}
	for _, c := range e.comps {
		sof = append(sof, byte(c.id), byte(c.h<<4|c.v), byte(c.table))
	}
	if e.opt.Progressive {
		e.segment(0xc2, sof...)
	} else {
		marker := byte(0xc0)
		if e.opt.Precision > 8 { // extended
			marker++
		}
		e.segment(marker, sof...)
		if e.opt.Restart > 0 {
			e.segment(0xdd, byte(e.opt.Restart>>8), byte(e.opt.Restart))
		}
	}
	for _, s := range e.scans() {
		e.scan(s)
	}
	e.out = append(e.out, 0xff, 0xd9)
}
