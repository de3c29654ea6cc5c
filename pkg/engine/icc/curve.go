package icc

import (
	"encoding/binary"
	"math"
)

// curve is a tone curve from 0–1 to about 0–1.
type curve func(float64) float64

// readCurve reads the curve that b begins with. size is how many bytes it takes, without padding. A curve that is
// damaged is nil.
func readCurve(b []byte) (c curve, size int) {
	if len(b) < 12 {
		return nil, 0
	}
	switch string(b[:4]) {
	case "curv":
		return sampled(b)
	case "para":
		return parametric(b)
	}
	return nil, 0
}

// levels fills the table of a curve for levels of 8 bits, as linear values of 0 to 1. It reports whether all of them
// are numbers.
func levels(c curve, table *[256]float32) bool {
	if c == nil {
		return false
	}
	for i := range table {
		y := c(float64(i) / 255)
		if math.IsNaN(y) {
			return false
		}
		table[i] = float32(min(1, max(0, y)))
	}
	return true
}

// sampled is a gamma of eight fractional bits, or values to interpolate.
func sampled(b []byte) (curve, int) {
	n := int64(binary.BigEndian.Uint32(b[8:]))
	if n > 1<<16 || int64(len(b)) < 12+2*n {
		return nil, 0
	}
	size := int(12 + 2*n)
	switch n {
	case 0:
		return func(x float64) float64 { return x }, size
	case 1:
		gamma := float64(binary.BigEndian.Uint16(b[12:])) / 256
		return func(x float64) float64 { return math.Pow(max(0, x), gamma) }, size
	}
	return points(b[12:size], 2), size
}

// points interpolates between values of one or two bytes, of which there are at least two.
func points(b []byte, width int) curve {
	last := len(b)/width - 1
	at := func(i int) float64 { return sample(b, width, i) }
	return func(x float64) float64 {
		pos := min(max(x, 0), 1) * float64(last) // NaN becomes 0
		i := min(int(pos), last-1)
		part := pos - float64(i)
		return at(i)*(1-part) + at(i+1)*part
	}
}

// sample returns value i of one or two bytes each, as 0 to 1.
func sample(b []byte, width, i int) float64 {
	if width == 1 {
		return float64(b[i]) / 255
	}
	return float64(binary.BigEndian.Uint16(b[2*i:])) / 65535
}

// parametric is one of the five formulas of ICC.1:2010, 10.16.
func parametric(b []byte) (curve, int) {
	kind := int(binary.BigEndian.Uint16(b[8:]))
	if kind > 4 {
		return nil, 0
	}
	n := [5]int{1, 3, 4, 5, 7}[kind]
	size := 12 + 4*n
	if len(b) < size {
		return nil, 0
	}
	var v [7]float64 // g a b c d e f
	for i := range n {
		v[i] = s15Fixed16(b[12+4*i:])
	}
	g, a, o, c, d, e, f := v[0], v[1], v[2], v[3], v[4], v[5], v[6]
	switch kind {
	case 0:
		a, d = 1, math.Inf(-1)
	case 1, 2:
		if a == 0 {
			return nil, 0
		}
		c, d, e, f = 0, -o/a, c, c
	}
	return func(x float64) float64 {
		if x >= d {
			return math.Pow(max(0, a*x+o), g) + e
		}
		return c*x + f
	}, size
}

func s15Fixed16(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) / 65536 }
