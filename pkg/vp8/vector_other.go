//go:build !amd64 || purego

package vp8

func readBlock(b *boolReader, probs *planeProbs, context uint8, steps *[2]uint16, n int, out *[16]int16) bool {
	return plainBlock(b, probs, context, steps, n, out)
}

func readSubModes(b *boolReader, above, left *[4]mode, out *[16]mode) {
	plainSubModes(b, above, left, out)
}

func predictBlocks(pix []byte, at, stride int, modes *[16]mode, blocks *[16][16]int16, coded uint32) {
	plainBlocks(pix, at, stride, modes, blocks, coded)
}

func addFour(pix []byte, at, second, stride int, blocks *[4][16]int16) {
	plainAddFour(pix, at, second, stride, blocks)
}

func smoothColumns(pix []byte, first, second, stride int, f *filter, inner bool) {
	plainColumns(pix, first, second, stride, f, inner)
}

func smoothRows(pix []byte, first, second, stride int, f *filter, inner bool) {
	plainRows(pix, first, second, stride, f, inner)
}
