//go:build !amd64 || purego

package vp8l

func (m *pixels) fastLiterals(*group, []uint32) (n int, symbol uint32) { return 0, 0 }

func addPredicted(mode int, row, above, coded []uint32, from, to int) {
	plainPredicted(mode, row, above, coded, from, to)
}

func addCrossColors(dst, src []uint32, factors uint32) { plainCrossColors(dst, src, factors) }

func addGreen(dst, src []uint32) { plainGreen(dst, src) }

func samples(dst []byte, src []uint32) { plainSamples(dst, src) }
