//go:build !amd64 || purego

package jpeg

// full transforms a block into 8×8 samples and clears it.
func full(dst []byte, stride int, block, quant *[64]int16) { plainFull(dst, stride, block, quant) }

// half transforms the first 16 values of a block into 4×4 samples and clears them.
func half(dst []byte, stride int, block, quant *[64]int16) { plainHalf(dst, stride, block, quant) }
