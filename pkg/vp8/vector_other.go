//go:build !amd64 || purego

package vp8

func readBlock(b *boolReader, probs *planeProbs, context uint8, steps *[2]uint16, n int, out *[16]int16) bool {
	return plainBlock(b, probs, context, steps, n, out)
}

func readSubModes(b *boolReader, above, left *[4]mode, out *[16]mode) {
	plainSubModes(b, above, left, out)
}

func add(pix []byte, at, stride int, c *[16]int16) { plainAdd(pix, at, stride, c) }

func addFour(pix []byte, at, second, stride int, blocks *[4][16]int16) {
	plainAddFour(pix, at, second, stride, blocks)
}

func smoothColumns(pix []byte, first, second, stride int, f *filter, inner bool) {
	plainColumns(pix, first, second, stride, f, inner)
}

func smoothRows(pix []byte, first, second, stride int, f *filter, inner bool) {
	plainRows(pix, first, second, stride, f, inner)
}
