// Package icc converts pictures to sRGB by the profile that they carry.
//
// It reads what cameras, phones and editors write: profiles of three primaries and their tone curves ("matrix/TRC":
// Adobe RGB, Display P3, ProPhoto, …) and of one gray tone curve. A profile of look-up tables or of other colours is
// known for what it is, and not converted.
package icc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"math"
	"sync"
)

// The colour spaces that a profile can be for, as it spells them.
const (
	RGB  = "RGB "
	Gray = "GRAY"
	CMYK = "CMYK"
)

// maxTags bounds a profile's tag table.
const maxTags = 200

// Profile is a parsed profile.
type Profile struct {
	Space string // RGB, Gray, CMYK, …

	linear [3][256]float32 // each channel's tone curve
	matrix [3][3]float32   // from the profile's linear values to those of sRGB
	usable bool

	steps [3][256]int // linear in linearBits, for whole pictures
	fixed [3][3]int   // matrix in matrixBits
}

// Whole pictures are converted in integers. Their bits are those that keep the result within a level of Convert's.
const (
	linearBits = 16
	matrixBits = 14
	stepBits   = 14 // of encodeSteps
)

// fromXYZ are linear sRGB values of XYZ under D50, the profiles' connection space.
var fromXYZ = [3][3]float64{
	{3.1338561, -1.6168667, -0.4906146},
	{-0.9787684, 1.9161415, 0.0334540},
	{0.0719453, -0.2289914, 1.4052427},
}

// Parse reads a profile. An error means that it is none; one that cannot be converted is no error.
//
//	header (128 bytes: … space at 16, connection space at 20 … "acsp" at 36 …)
//	count:32 { signature:4 offset:32 size:32 }  data
func Parse(data []byte) (*Profile, error) {
	if len(data) < 132 || string(data[36:40]) != "acsp" {
		return nil, errors.New("icc: not a profile")
	}
	p := &Profile{Space: string(data[16:20])}
	tags := map[string][]byte{}
	count := binary.BigEndian.Uint32(data[128:])
	if count > maxTags {
		return nil, fmt.Errorf("icc: %d tags", count)
	}
	for i := range int(count) {
		at := 132 + 12*i
		if at+12 > len(data) {
			return nil, errors.New("icc: the tag table is cut short")
		}
		offset, size := int64(binary.BigEndian.Uint32(data[at+4:])), int64(binary.BigEndian.Uint32(data[at+8:]))
		if offset+size <= int64(len(data)) {
			tags[string(data[at:at+4])] = data[offset : offset+size]
		}
	}
	if string(data[20:24]) != "XYZ " && p.Space != Gray {
		return p, nil
	}
	defer p.prepare()
	switch p.Space {
	case RGB:
		p.usable = p.readRGB(tags)
	case Gray:
		if p.usable = curve(tags["kTRC"], &p.linear[0]); p.usable {
			p.linear[1], p.linear[2] = p.linear[0], p.linear[0]
			p.matrix = [3][3]float32{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
		}
	}
	return p, nil
}

func (p *Profile) readRGB(tags map[string][]byte) bool {
	var toXYZ [3][3]float64
	for c, name := range []string{"r", "g", "b"} {
		column, ok := xyz(tags[name+"XYZ"])
		if !ok || !curve(tags[name+"TRC"], &p.linear[c]) {
			return false
		}
		for row := range 3 {
			toXYZ[row][c] = column[row]
		}
	}
	for r := range 3 {
		for c := range 3 {
			sum := 0.0
			for k := range 3 {
				sum += fromXYZ[r][k] * toXYZ[k][c]
			}
			p.matrix[r][c] = float32(sum)
		}
	}
	return true
}

func s15Fixed16(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) / 65536 }

func xyz(tag []byte) (v [3]float64, ok bool) {
	if len(tag) < 20 || string(tag[:4]) != "XYZ " {
		return v, false
	}
	for i := range 3 {
		v[i] = s15Fixed16(tag[8+4*i:])
	}
	return v, true
}

// curve fills the table of a tone curve.
func curve(tag []byte, table *[256]float32) bool {
	if len(tag) < 12 {
		return false
	}
	var f func(float64) float64
	switch string(tag[:4]) {
	case "curv":
		f = sampled(tag)
	case "para":
		f = parametric(tag)
	}
	if f == nil {
		return false
	}
	for i := range table {
		y := f(float64(i) / 255)
		if math.IsNaN(y) {
			return false
		}
		table[i] = float32(min(1, max(0, y)))
	}
	return true
}

// sampled is a gamma of eight fractional bits, or values to interpolate.
func sampled(tag []byte) func(float64) float64 {
	n := int64(binary.BigEndian.Uint32(tag[8:]))
	if n > 1<<16 || int64(len(tag)) < 12+2*n {
		return nil
	}
	at := func(i int) float64 { return float64(binary.BigEndian.Uint16(tag[12+2*i:])) }
	switch n {
	case 0:
		return func(x float64) float64 { return x }
	case 1:
		gamma := at(0) / 256
		return func(x float64) float64 { return math.Pow(x, gamma) }
	}
	return func(x float64) float64 {
		pos := x * float64(n-1)
		i := min(int(pos), int(n)-2)
		part := pos - float64(i)
		return (at(i)*(1-part) + at(i+1)*part) / 65535
	}
}

// parametric is one of the five formulas of ICC.1:2010, 10.16.
func parametric(tag []byte) func(float64) float64 {
	kind := int(binary.BigEndian.Uint16(tag[8:]))
	if kind > 4 {
		return nil
	}
	n := [5]int{1, 3, 4, 5, 7}[kind]
	if len(tag) < 12+4*n {
		return nil
	}
	var v [7]float64 // g a b c d e f
	for i := range n {
		v[i] = s15Fixed16(tag[12+4*i:])
	}
	g, a, b, c, d, e, f := v[0], v[1], v[2], v[3], v[4], v[5], v[6]
	switch kind {
	case 0:
		a, d = 1, math.Inf(-1)
	case 1, 2:
		if a == 0 {
			return nil
		}
		c, d, e, f = 0, -b/a, c, c
	}
	return func(x float64) float64 {
		if x >= d {
			return math.Pow(max(0, a*x+b), g) + e
		}
		return c*x + f
	}
}

// Usable reports whether the profile can be converted.
func (p *Profile) Usable() bool { return p.usable }

// encodeSteps is the resolution of the table that encodes linear values; at its dark end a step is a fifth of a level.
const encodeSteps = 1 << stepBits

// encoded returns the table from linear values to sRGB's.
var encoded = sync.OnceValue(func() *[encodeSteps + 1]uint8 {
	var table [encodeSteps + 1]uint8
	for i := range table {
		x := float64(i) / encodeSteps
		y := 12.92 * x
		if x > 0.0031308 {
			y = 1.055*math.Pow(x, 1/2.4) - 0.055
		}
		table[i] = uint8(255*y + 0.5)
	}
	return &table
})

// Convert converts one colour to sRGB. The profile must be usable.
func (p *Profile) Convert(r, g, b uint8) (uint8, uint8, uint8) {
	table := encoded()
	lr, lg, lb := p.linear[0][r], p.linear[1][g], p.linear[2][b]
	var out [3]uint8
	for c := range 3 {
		m := &p.matrix[c]
		v := m[0]*lr + m[1]*lg + m[2]*lb
		out[c] = table[int(min(1, max(0, v))*encodeSteps+0.5)]
	}
	return out[0], out[1], out[2]
}

// prepare makes the tables for whole pictures.
func (p *Profile) prepare() {
	for c := range 3 {
		for v, l := range p.linear[c] {
			p.steps[c][v] = int(math.Round(float64(l) * (1 << linearBits)))
		}
		for k, m := range p.matrix[c] {
			p.fixed[c][k] = int(math.Round(min(max(float64(m), -100), 100) * (1 << matrixBits)))
		}
	}
}

// ConvertImage converts every pixel of img to sRGB, in place. The profile must be usable.
func (p *Profile) ConvertImage(img *image.NRGBA) {
	const shift, half = linearBits + matrixBits - stepBits, 1 << (linearBits + matrixBits - stepBits - 1)
	table, m := encoded(), &p.fixed
	reds, greens, blues := &p.steps[0], &p.steps[1], &p.steps[2]
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := range h {
		row := img.Pix[y*img.Stride:][:4*w]
		for i := 0; i+4 <= len(row); i += 4 {
			d := row[i : i+4 : i+4]
			r, g, b := reds[d[0]], greens[d[1]], blues[d[2]]
			toR := (r*m[0][0] + g*m[0][1] + b*m[0][2] + half) >> shift
			toG := (r*m[1][0] + g*m[1][1] + b*m[1][2] + half) >> shift
			toB := (r*m[2][0] + g*m[2][1] + b*m[2][2] + half) >> shift
			if uint(toR|toG|toB) > encodeSteps { // beyond what sRGB has; full red is one step more than its bits can tell
				toR, toG, toB = limit(toR), limit(toG), limit(toB)
			}
			d[0], d[1], d[2] = table[toR], table[toG], table[toB]
		}
	}
}

func limit(v int) int { return min(max(v, 0), encodeSteps) }

// IsSRGB reports whether converting would change no value by more than one level, so that it can be left out.
func (p *Profile) IsSRGB() bool {
	if !p.usable {
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
				cr, cg, cb := p.Convert(uint8(r), uint8(g), uint8(b))
				if !near(cr, uint8(r)) || !near(cg, uint8(g)) || !near(cb, uint8(b)) {
					return false
				}
			}
		}
	}
	return true
}
