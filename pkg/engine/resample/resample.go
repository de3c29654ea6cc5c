// Package resample makes planes of samples smaller, larger or softer. It has one set of kernels in 16-bit integers for
// every component of every picture of 8 bits a sample, and one in float32 for light (Linear) and for 16 bits a sample
// (Deep). Each is vector code on amd64 with AVX2, and plain code that gives the same results.
package resample

import (
	"math"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

const (
	// columnTaps is what the taps of the column pass are padded to: the vector code takes two rows at once.
	columnTaps = 2
	// rowTaps is what the taps of the row pass are padded to: one vector of 16-bit numbers.
	rowTaps = 16
	// rowPixels is what the outputs of the row pass are padded to: they are made four at a time.
	rowPixels = 4
)

// Resampler holds the memory of one resampling after another. The zero value is ready. It is not safe for use by
// several goroutines at once.
type Resampler struct {
	kernels kernels
	between []int16 // one row between the passes, padded
	out     []byte  // one row of output, padded
}

// Lanczos makes dst, whose size and spans are set, from src with a Lanczos filter of three lobes. What dst's spans
// cover is what src's spans cover. Where these are narrower than src, samples beside them are read too.
func (r *Resampler) Lanczos(dst, src *picture.Plane) {
	x, across := shift(dst.Across, src.Across, dst.Width, src.Width)
	y, down := shift(dst.Down, src.Down, dst.Height, src.Height)
	if across && down {
		for row := range dst.Height {
			copy(dst.Pix[row*dst.Stride:][:dst.Width], src.Pix[(row+y)*src.Stride+x:])
		}
		return
	}
	r.pass(dst, src, gaussian{}, gaussian{}, vectors)
}

// shift returns how many samples before those of dst there are in src, where dst is nothing but a part of src.
func shift(dst, src picture.Span, n, size int) (at int, part bool) {
	by := src.Begin - dst.Begin
	at = int(by)
	return at, src.Length == dst.Length && by == math.Trunc(by) && at >= 0 && at+n <= size
}

// Gauss makes dst of src, which has the same size and spans, with a Gaussian filter. sigma is in pixels of the picture;
// across and down are how many samples of the plane there are for one pixel.
func (r *Resampler) Gauss(dst, src *picture.Plane, sigma, across, down float64) {
	r.pass(dst, src, gaussian{sigma * across, across < 1}, gaussian{sigma * down, down < 1}, vectors)
}

// passes are the two inner loops, in vector or in plain code.
type passes struct {
	columns func(dst []int16, src []byte, stride int, weights []int16)
	row     func(dst []byte, src []int16, starts []int32, weights []int16, taps int)
}

var vectors, plain = passes{addColumns, addRow}, passes{plainColumns, plainRow}

func (r *Resampler) pass(dst, src *picture.Plane, x, y gaussian, do passes) {
	columns := r.kernels.of(shape{
		size: src.Height, from: src.Down, room: src.Height, unit: columnTaps,
		n: dst.Height, to: dst.Down, many: 1, blur: y,
	})
	rows := r.kernels.of(rowShape(dst, src, x))
	begin, end := rows.reads(dst.Width, src.Width)
	r.prepare(rows, src.Width)
	for y := range dst.Height {
		at := int(columns.starts[y])
		weights := columns.weights[y*columns.taps:][:columns.taps]
		do.columns(r.between[begin:end], src.Pix[at*src.Stride+begin:], src.Stride, weights)
		do.row(r.out, r.between, rows.starts, rows.weights, rows.taps)
		copy(dst.Pix[y*dst.Stride:], r.out[:dst.Width])
	}
}

// rowShape is the shape of the row pass from src to dst.
func rowShape(dst, src *picture.Plane, g gaussian) shape {
	return shape{
		size: src.Width, from: src.Across, room: src.Width + rowTaps, unit: rowTaps,
		n: dst.Width, to: dst.Across, many: rowPixels, blur: g,
	}
}

// prepare makes room for a row of width samples between the passes, and for the padded output. What the row pass
// reads and the column pass does not write is zero or left from before, and weighs nothing.
func (r *Resampler) prepare(rows *kernel, width int) {
	r.between = grow(r.between, width+rows.taps)
	clear(r.between)
	r.out = grow(r.out, len(rows.starts))
}

// reads returns the range of samples, of size, that the first n outputs depend on.
func (k *kernel) reads(n, size int) (begin, end int) {
	begin, end = size, 0
	for _, s := range k.starts[:n] {
		begin, end = min(begin, int(s)), max(end, int(s)+k.taps)
	}
	return max(begin, 0), min(end, size)
}

// plainColumns is the column pass of one output row: dst[i] = Σ src[k·stride+i] × weights[k], with interBits of
// fraction.
func plainColumns(dst []int16, src []byte, stride int, weights []int16) {
	for i := range dst {
		sum := int32(1 << (weightBits - interBits - 1))
		for k, w := range weights {
			sum += int32(src[k*stride+i]) * int32(w)
		}
		dst[i] = int16(min(max(sum>>(weightBits-interBits), math.MinInt16), math.MaxInt16))
	}
}

// plainRow is the row pass of one output row: dst[i] = Σ src[starts[i]+k] × weights[i·taps+k], as a byte.
func plainRow(dst []byte, src []int16, starts []int32, weights []int16, taps int) {
	for i := range dst {
		sum := int32(1 << (weightBits + interBits - 1))
		w := weights[i*taps : (i+1)*taps]
		for k, s := range src[starts[i]:][:taps] {
			sum += int32(s) * int32(w[k])
		}
		dst[i] = byte(min(max(sum>>(weightBits+interBits), 0), 255))
	}
}
