package jpeg

import "math"

// The transforms between an eighth and the whole that have no short algorithm: of 3, 5, 6 and 7 points. A pass is a
// product with a matrix, whose rows come in pairs: from the top and from the bottom they have the same factors, but for
// the sign of those of odd frequencies.

// pairFactors are the factors of a row and of its counterpart: the frequencies of each pair, as they are neighbours in
// a block (places.go), repeated as a vector wants them.
type pairFactors [4][16]int16

// betweenFactors are the factors by scale. Those of the rows beyond the middle are not used.
var betweenFactors = func() (t [9][4]pairFactors) {
	for _, scale := range []Scale{ThreeEighths, FiveEighths, ThreeQuarters, SevenEighths} {
		for row := range (scale + 1) / 2 {
			for at, frequency := range pairedColumns(scale) {
				factors := &t[scale][row][at/2]
				for i := at % 2; i < len(factors); i += 2 {
					factors[i] = factor(scale, int(row), int(frequency))
				}
			}
		}
	}
	return t
}()

// pairedColumns returns the columns of a block by place, which are frequencies in pairs, even ones first.
func pairedColumns(scale Scale) []uint8 {
	if scale < Half {
		return halfColumns[:]
	}
	return fullColumns[:]
}

// factor is that of a frequency in a row, as libjpeg scales them: √2 cos((2 row + 1) frequency π / 2 points), or 1 for
// the lowest.
func factor(scale Scale, row, frequency int) int16 {
	switch {
	case frequency >= int(scale):
		return 0
	case frequency == 0:
		return 1 << constBits
	}
	angle := float64((2*row+1)*frequency) * math.Pi / float64(2*scale)
	return int16(math.Round(math.Sqrt2 * math.Cos(angle) * (1 << constBits)))
}

// points is one pass over one column or row, whose coefficients are in the order of pairedColumns.
func points(scale Scale, in *[8]int16, shift uint) (out [8]int32) {
	half := len(pairedColumns(scale)) / 4 // of the pairs
	for row := range (scale + 1) / 2 {
		even, odd := int32(1)<<(shift-1), int32(0)
		for pair := range half {
			f, g := &betweenFactors[scale][row][pair], &betweenFactors[scale][row][half+pair]
			even += int32(in[2*pair])*int32(f[0]) + int32(in[2*pair+1])*int32(f[1])
			odd += int32(in[2*half+2*pair])*int32(g[0]) + int32(in[2*half+2*pair+1])*int32(g[1])
		}
		out[scale-1-row] = (even - odd) >> shift
		out[row] = (even + odd) >> shift
	}
	return out
}

// plainBetween transforms a block into samples of a scale and clears its values.
func plainBetween(dst []byte, stride int, block, quant *[64]int16, scale Scale) {
	rows, columns := fullRows[:], pairedColumns(scale)
	if scale < Half {
		rows = halfRows[:]
	}
	var between [8][8]int16 // row by row
	for place, col := range columns {
		var in [8]int16
		for i, frequency := range columns {
			at := int(rows[frequency]) + 2*place
			in[i] = block[at] * quant[at]
		}
		for row, v := range points(scale, &in, constBits-pass1Bits) {
			between[row][col] = saturate(v)
		}
	}
	clear(block[:scale.kept()])
	for row := range scale {
		var in [8]int16
		for i, frequency := range columns {
			in[i] = between[row][frequency]
		}
		out := dst[int(row)*stride:][:scale]
		v := points(scale, &in, constBits+pass1Bits+3)
		for col := range out {
			out[col] = clamp(v[col] + 128)
		}
	}
}
