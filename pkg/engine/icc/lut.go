package icc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// lut is a transform by tables from device colours to the connection space: the steps that it has, in the order of
// mft1, mft2 and mAB. It refers to the memory of the profile.
type lut struct {
	inputs int
	first  []curve // of the device's channels; nil: none
	grid   *clut   // nil: none
	second []curve // before the matrix; nil: none
	matrix *[12]float64
	last   []curve // of the connection space's channels; nil: none
	legacy bool    // L*a*b* is in the encoding of mft2
}

// clut is a table of many dimensions, of which the first varies slowest.
type clut struct {
	size   [4]int // nodes, by input
	step   [4]int // values from one node to the next, by input
	inputs int
	width  int // bytes of a value
	data   []byte
}

var errShort = errors.New("a table is cut short")

// readLUT reads an A2B tag of so many inputs.
func readLUT(b []byte, inputs int) (*lut, error) {
	if len(b) < 32 {
		return nil, errShort
	}
	if int(b[8]) != inputs || b[9] != 3 {
		return nil, fmt.Errorf("a table of %d inputs and %d outputs, not %d and 3", b[8], b[9], inputs)
	}
	switch string(b[:4]) {
	case "mft1":
		return readMFT(b, inputs, 1)
	case "mft2":
		return readMFT(b, inputs, 2)
	case "mAB ":
		return readMAB(b, inputs)
	}
	return nil, fmt.Errorf("a table of type %q", b[:4])
}

// readMFT reads lut8Type and lut16Type:
//
//	"mft1" 0:32 inputs:8 outputs:8 nodes:8 0:8 matrix:9×32 input tables, grid, output tables
//	"mft2" 0:32 inputs:8 outputs:8 nodes:8 0:8 matrix:9×32 input entries:16 output entries:16 tables as above
func readMFT(b []byte, inputs, width int) (*lut, error) {
	l := &lut{inputs: inputs, legacy: width == 2}
	nodes, entriesIn, entriesOut, at := int(b[10]), 256, 256, 48
	if width == 2 {
		if len(b) < 52 {
			return nil, errShort
		}
		entriesIn, entriesOut, at = int(binary.BigEndian.Uint16(b[48:])), int(binary.BigEndian.Uint16(b[50:])), 52
	}
	if nodes < 2 || entriesIn < 2 || entriesOut < 2 {
		return nil, fmt.Errorf("tables of %d, %d and %d entries", entriesIn, nodes, entriesOut)
	}
	curves := func(n, entries int) (all []curve, err error) {
		for range n {
			if len(b)-at < entries*width {
				return nil, errShort
			}
			all = append(all, points(b[at:at+entries*width], width))
			at += entries * width
		}
		return all, nil
	}
	var err error
	if l.first, err = curves(inputs, entriesIn); err != nil {
		return nil, err
	}
	var size [4]int
	for i := range inputs {
		size[i] = nodes
	}
	if l.grid, err = newCLUT(size, inputs, width, b[min(at, len(b)):]); err != nil {
		return nil, err
	}
	at += len(l.grid.data)
	l.last, err = curves(3, entriesOut)
	return l, err
}

// readMAB reads lutAToBType; offset 0 stands for a step that is not there:
//
//	"mAB " 0:32 inputs:8 outputs:8 0:16 B, matrix, M, grid, A: offsets:5×32
//	the grid: nodes:16×8 width:8 0:24 values
func readMAB(b []byte, inputs int) (*lut, error) {
	l := &lut{inputs: inputs}
	at := func(i int) ([]byte, error) {
		offset := int64(binary.BigEndian.Uint32(b[12+4*i:]))
		switch {
		case offset == 0:
			return nil, nil
		case offset < 32 || offset >= int64(len(b)):
			return nil, errShort
		}
		return b[offset:], nil
	}
	curves := func(i, n int) ([]curve, error) {
		p, err := at(i)
		if p == nil {
			return nil, err
		}
		all := make([]curve, n)
		for k := range all {
			var size int
			if all[k], size = readCurve(p); all[k] == nil {
				return nil, errors.New("a curve is damaged")
			}
			p = p[min(len(p), (size+3)&^3):]
		}
		return all, nil
	}
	var err error
	if l.last, err = curves(0, 3); err != nil {
		return nil, err
	}
	if p, err := at(1); err != nil || p != nil && len(p) < 48 {
		return nil, errShort
	} else if p != nil {
		l.matrix = new([12]float64)
		for i := range l.matrix {
			l.matrix[i] = s15Fixed16(p[4*i:])
		}
	}
	if l.second, err = curves(2, 3); err != nil {
		return nil, err
	}
	if l.first, err = curves(4, inputs); err != nil {
		return nil, err
	}
	p, err := at(3)
	switch {
	case err != nil:
		return nil, err
	case p == nil && inputs != 3:
		return nil, fmt.Errorf("no table takes %d inputs to 3", inputs)
	case p == nil:
		return l, nil
	case len(p) < 20:
		return nil, errShort
	case p[16] != 1 && p[16] != 2:
		return nil, fmt.Errorf("values of %d bytes", p[16])
	}
	var size [4]int
	for i := range inputs {
		if size[i] = int(p[i]); size[i] < 2 {
			return nil, fmt.Errorf("a table of %d nodes", p[i])
		}
	}
	l.grid, err = newCLUT(size, inputs, int(p[16]), p[20:])
	return l, err
}

// newCLUT returns the table that b begins with.
func newCLUT(size [4]int, inputs, width int, b []byte) (*clut, error) {
	c := &clut{size: size, inputs: inputs, width: width}
	values := int64(3)
	for i := inputs - 1; i >= 0; i-- {
		c.step[i] = int(values)
		if values *= int64(size[i]); values > int64(len(b)) {
			return nil, errShort
		}
	}
	n := int(values) * width
	if n > len(b) {
		return nil, errShort
	}
	c.data = b[:n]
	return c, nil
}

// at returns the values at a place of the table. Of four inputs the first is interpolated between two tables of
// three, and these by tetrahedra.
func (c *clut) at(in *[4]float64) (out [3]float64) {
	var base [4]int
	var part [4]float64
	for i := range c.inputs {
		pos := min(max(in[i], 0), 1) * float64(c.size[i]-1)
		base[i] = min(int(pos), c.size[i]-2)
		part[i] = pos - float64(base[i])
	}
	if c.inputs < 4 {
		return c.simplex(base, part, 0)
	}
	low := c.simplex(base, part, 1)
	base[0]++
	high := c.simplex(base, part, 1)
	for k := range out {
		out[k] = low[k] + part[0]*(high[k]-low[k])
	}
	return out
}

// simplex interpolates over the inputs from a first one on: it walks from the lower node to the upper one along the
// inputs, the largest part first.
func (c *clut) simplex(base [4]int, part [4]float64, from int) (out [3]float64) {
	at := 0
	for i := range c.inputs {
		at += base[i] * c.step[i]
	}
	value := func(k int) float64 { return sample(c.data, c.width, at+k) }
	for k := range out {
		out[k] = value(k)
	}
	var done [4]bool
	for range c.inputs - from {
		next := -1
		for i := from; i < c.inputs; i++ {
			if !done[i] && (next < 0 || part[i] > part[next]) {
				next = i
			}
		}
		if done[next] = true; part[next] == 0 {
			break
		}
		before := [3]float64{value(0), value(1), value(2)}
		at += c.step[next]
		for k := range out {
			out[k] += part[next] * (value(k) - before[k])
		}
	}
	return out
}

// eval returns what the tables make of a device colour, as the connection space is encoded: 0 to 1.
func (l *lut) eval(in [4]float64) (v [3]float64) {
	for i, c := range l.first {
		in[i] = c(in[i])
	}
	return l.behindCurves(in)
}

// behindCurves is eval without the curves of the device's channels.
func (l *lut) behindCurves(in [4]float64) (v [3]float64) {
	if l.grid != nil {
		v = l.grid.at(&in)
	} else {
		copy(v[:], in[:3])
	}
	for i, c := range l.second {
		v[i] = c(v[i])
	}
	if m := l.matrix; m != nil {
		v = [3]float64{
			m[0]*v[0] + m[1]*v[1] + m[2]*v[2] + m[9],
			m[3]*v[0] + m[4]*v[1] + m[5]*v[2] + m[10],
			m[6]*v[0] + m[7]*v[1] + m[8]*v[2] + m[11],
		}
	}
	for i, c := range l.last {
		v[i] = c(v[i])
	}
	return v
}

// xyz returns the colour that encoded values of the connection space stand for, under D50.
func (l *lut) xyz(v [3]float64, isLab bool) [3]float64 {
	if !isLab {
		const most = 1 + 32767.0/32768
		return [3]float64{v[0] * most, v[1] * most, v[2] * most}
	}
	scale := 1.0
	if l.legacy {
		scale = 65535.0 / 65280
	}
	return fromLab([3]float64{v[0] * 100 * scale, v[1]*255*scale - 128, v[2]*255*scale - 128})
}

// d50 is the white of the connection space.
var d50 = [3]float64{0.9642, 1, 0.8249}

// root is the function of L*a*b*, and cube its inverse.
func root(t float64) float64 {
	if t > 216.0/24389 {
		return math.Cbrt(t)
	}
	return 841.0/108*t + 4.0/29
}

func cube[F float32 | float64](f F) F {
	if f > 6.0/29 {
		return f * f * f
	}
	return 108.0 / 841 * (f - 4.0/29)
}

func fromLab(lab [3]float64) [3]float64 {
	y := (lab[0] + 16) / 116
	return [3]float64{d50[0] * cube(y+lab[1]/500), d50[1] * cube(y), d50[2] * cube(y-lab[2]/200)}
}

func toLab(xyz [3]float64) [3]float64 {
	x, y, z := root(xyz[0]/d50[0]), root(xyz[1]/d50[1]), root(xyz[2]/d50[2])
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}
