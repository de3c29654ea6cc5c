//go:build !amd64 || purego

package vp8

func readBlock(b *boolReader, probs *planeProbs, context uint8, steps *[2]uint16, n int, out *[16]int16) bool {
	return plainBlock(b, probs, context, steps, n, out)
}

func add(pix []byte, at, stride int, c *[16]int16) { plainAdd(pix, at, stride, c) }

func addFour(pix []byte, at, second, stride int, blocks *[4][16]int16) {
	plainAddFour(pix, at, second, stride, blocks)
}
