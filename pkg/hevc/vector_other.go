//go:build !amd64 || purego

package hevc

func cosineAdd(p, _ []int16, pix []uint16, at, stride, log2, depth, usedX, usedY int) {
	plainCosineAdd(p, pix[at:], stride, log2, depth, usedX, usedY)
}

func narrow(out []byte, row []uint16, shift int) { plainNarrow(out, row, shift) }
