package planar

import "math"

const (
	// columnTaps is what the taps of the column pass are padded to: the vector code takes two rows at once.
	columnTaps = 2
	// rowTaps is what the taps of the row pass are padded to: one vector of 16-bit numbers.
	rowTaps = 16
	// rowPixels is what the outputs of the row pass are padded to: they are made four at a time.
	rowPixels = 4
)

// resampler holds the memory of one resampling after another.
type resampler struct {
	kernels kernels
	between []int16 // one row between the passes, padded
	out     []byte  // one row of output, padded
}

// resample makes dst, whose size is set, from src.
func (r *resampler) resample(dst, src *plane) {
	r.pass(dst, src, addColumns, addRow)
}

func (r *resampler) pass(
	dst, src *plane,
	addColumns func(dst []int16, src []byte, stride int, weights []int16),
	addRow func(dst []byte, src []int16, starts []int32, weights []int16, taps int),
) {
	if src.width == dst.width && src.height == dst.height && src.across == dst.across && src.down == dst.down {
		for y := range dst.height {
			copy(dst.pix[y*dst.stride:][:dst.width], src.pix[y*src.stride:])
		}
		return
	}
	columns := r.kernels.of(shape{
		size: src.height, from: src.down, room: src.height, unit: columnTaps,
		n: dst.height, to: dst.down, many: 1,
	})
	rows := r.kernels.of(shape{
		size: src.width, from: src.across, room: src.width + rowTaps, unit: rowTaps,
		n: dst.width, to: dst.across, many: rowPixels,
	})
	r.between = grow(r.between, src.width+rows.taps)
	clear(r.between[src.width:])
	r.out = grow(r.out, len(rows.starts))
	for y := range dst.height {
		at := int(columns.starts[y])
		weights := columns.weights[y*columns.taps:][:columns.taps]
		addColumns(r.between[:src.width], src.pix[at*src.stride:], src.stride, weights)
		addRow(r.out, r.between, rows.starts, rows.weights, rows.taps)
		copy(dst.pix[y*dst.stride:], r.out[:dst.width])
	}
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
