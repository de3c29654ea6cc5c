package vp8

// plainSpread counts how large the coefficients are of the difference between src and ref, 16 samples wide and rows of
// 4×4 blocks high: in bins of 8, the last of which takes all larger ones. most is the largest count, last the last bin
// with any.
func plainSpread(src, ref []byte, rows int) (most, last int) {
	var bins [32]int
	var c [32]int16
	for i := range 2 * rows {
		at := i>>1*4*encStride + i&1*8
		plainForwardPair(src[at:], ref[at:], &c)
		for _, v := range c {
			bins[min(max(v, -v)>>3, 31)]++
		}
	}
	for v, n := range bins {
		if n > 0 {
			most, last = max(most, n), v
		}
	}
	return most, last
}
