//go:build !amd64 || purego

package jpeg

// full transforms a block into 8×8 samples and clears it.
func full(dst []byte, stride int, block, quant *[64]int16) { plainFull(dst, stride, block, quant) }

// half transforms the first 16 values of a block into 4×4 samples and clears them.
func half(dst []byte, stride int, block, quant *[64]int16) { plainHalf(dst, stride, block, quant) }

func threeEighths(dst []byte, stride int, block, quant *[64]int16) {
	plainBetween(dst, stride, block, quant, ThreeEighths)
}

func fiveEighths(dst []byte, stride int, block, quant *[64]int16) {
	plainBetween(dst, stride, block, quant, FiveEighths)
}

func threeQuarters(dst []byte, stride int, block, quant *[64]int16) {
	plainBetween(dst, stride, block, quant, ThreeQuarters)
}

func sevenEighths(dst []byte, stride int, block, quant *[64]int16) {
	plainBetween(dst, stride, block, quant, SevenEighths)
}

// blocks is plainBlocks up to the entropy's end.
func (e *entropy) blocks(units []unit, mcus int, scale Scale) (done int, f fault) {
	return e.plainBlocks(units, mcus, e.end, scale)
}
