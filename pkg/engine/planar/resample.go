package planar

import "math"

// Resampling is separable Lanczos with three lobes, in 16-bit integers: columns first (neighbours in memory stay
// neighbours, which suits vectors), then rows. Weights have weightBits of fraction and sum to exactly one; between the
// two passes a sample keeps interBits of fraction. All arithmetic is integer and order does not matter, so the vector
// code and the plain code give the same bytes.
const (
	lobes      = 3
	weightBits = 14
	interBits  = 6

	// tapUnit is what the taps of a row pass are padded to: one vector of 16-bit numbers.
	tapUnit = 16
	// pixelUnit is what the pixels of a row pass are padded to: they are made four at a time.
	pixelUnit = 4
)

// kernel is the weights of a resampling from one length to another: output i is the sum over k of
// in[starts[i]+k] × weights[i*taps+k].
type kernel struct {
	taps    int
	starts  []int32
	weights []int16
}

// reset makes k resample from extent (samples, perhaps a fraction: what size samples cover of the picture) to n. Taps
// outside of the samples are left out and their weight shared among the others.
func (k *kernel) reset(size int, extent float64, n int) {
	ratio := extent / float64(n)
	blur := max(ratio, 1) // shrinking needs a wider filter
	radius := lobes * blur
	k.taps = min(int(math.Ceil(2*radius))+1, size)
	k.starts = grow(k.starts, n)
	k.weights = grow(k.weights, n*k.taps)
	exact := make([]float64, k.taps)
	for i := range n {
		center := (float64(i)+0.5)*ratio - 0.5
		start := min(max(int(math.Ceil(center-radius)), 0), size-k.taps)
		sum := 0.0
		for j := range exact {
			exact[j] = lanczos((float64(start+j) - center) / blur)
			sum += exact[j]
		}
		k.starts[i] = int32(start)
		quantize(k.weights[i*k.taps:(i+1)*k.taps], exact, sum)
	}
}

// quantize writes exact/sum as integers that sum to exactly 1<<weightBits: what rounding leaves over goes to the largest.
func quantize(weights []int16, exact []float64, sum float64) {
	left, largest := 1<<weightBits, 0
	for j, e := range exact {
		w := int(math.Round(e / sum * (1 << weightBits)))
		weights[j] = int16(w)
		left -= w
		if weights[j] > weights[largest] {
			largest = j
		}
	}
	weights[largest] += int16(left)
}

func lanczos(x float64) float64 {
	if x == 0 {
		return 1
	}
	if x <= -lobes || x >= lobes {
		return 0
	}
	x *= math.Pi
	return lobes * math.Sin(x) * math.Sin(x/lobes) / (x * x)
}

// padTaps makes the taps a multiple of unit, with zeros behind, and the outputs a multiple of pixels.
func (k *kernel) pad(unit, pixels int) {
	n := len(k.starts)
	taps, total := roundUp(k.taps, unit), roundUp(n, pixels)
	padded := make([]int16, total*taps)
	for i := range n {
		copy(padded[i*taps:], k.weights[i*k.taps:(i+1)*k.taps])
	}
	k.starts = append(k.starts, make([]int32, total-n)...)
	k.taps, k.weights = taps, padded
}

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// resampler holds the memory of one resampling after another.
type resampler struct {
	columns, rows kernel
	between       []int16 // one row between the passes, padded
	out           []byte  // one row of output, padded
}

// plane is one component.
type plane struct {
	pix           []byte
	stride        int
	width, height int     // samples
	extentX       float64 // samples that the picture covers; at most width, and more than width−1
	extentY       float64
}

// resample makes dst, whose size is set, from src.
func (r *resampler) resample(dst *plane, src *plane) {
	if src.width == dst.width && src.height == dst.height {
		for y := range dst.height {
			copy(dst.pix[y*dst.stride:][:dst.width], src.pix[y*src.stride:][:src.width])
		}
		return
	}
	r.columns.reset(src.height, src.extentY, dst.height)
	r.rows.reset(src.width, src.extentX, dst.width)
	r.rows.pad(tapUnit, pixelUnit)
	r.between = grow(r.between, src.width+r.rows.taps)
	clear(r.between[src.width:])
	r.out = grow(r.out, roundUp(dst.width, pixelUnit))
	for y := range dst.height {
		at := int(r.columns.starts[y])
		weights := r.columns.weights[y*r.columns.taps : (y+1)*r.columns.taps]
		addColumns(r.between[:src.width], src.pix[at*src.stride:], src.stride, weights)
		addRow(r.out, r.between, r.rows.starts, r.rows.weights, r.rows.taps)
		copy(dst.pix[y*dst.stride:], r.out[:dst.width])
	}
}

// plainColumns is the column pass of one output row: dst[i] = Σ src[k·stride+i] × weights[k], with interBits of fraction.
func plainColumns(dst []int16, src []byte, stride int, weights []int16) {
	for i := range dst {
		sum := int32(1 << (weightBits - interBits - 1))
		for k, w := range weights {
			sum += int32(src[k*stride+i]) * int32(w)
		}
		dst[i] = saturate(sum >> (weightBits - interBits))
	}
}

func saturate(v int32) int16 { return int16(min(max(v, math.MinInt16), math.MaxInt16)) }

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
