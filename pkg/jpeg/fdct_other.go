//go:build !amd64 || purego

package jpeg

// forward transforms and quantizes the two blocks of 8×8 samples that lie side by side at src into coefficients in
// their natural order, and says which of them are not zero.
func forward(out *[128]int16, nonzero *[2]uint64, src []byte, stride int, d *divisors) {
	plainForward2(out, nonzero, src, stride, d)
}
