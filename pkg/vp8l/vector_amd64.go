//go:build !purego

package vp8l

import "golang.org/x/sys/cpu"

// vectors tells whether the processor has what the assembly needs.
var vectors = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasBMI2

// fastLiterals is literals, but for the stream's last bytes.
func (m *pixels) fastLiterals(g *group, pix []uint32) (n int, symbol uint32) {
	if !vectors || m.bits.at+16 > len(m.bits.data) || len(pix) == 0 {
		return 0, 0
	}
	var cache *uint32
	if m.cache != nil {
		cache = &m.cache[0]
	}
	return literalsBMI2(m.bits, g, &pix[0], len(pix), cache, m.shift)
}

//go:noescape
func literalsBMI2(b *bitReader, codes *group, dst *uint32, n int, cache *uint32, shift uint) (done int, symbol uint32)

// addPredicted adds what a mode predicts to coded pixels, from one of a row to another.
func addPredicted(mode int, row, above, coded []uint32, from, to int) {
	if from >= to {
		return
	}
	if !vectors {
		plainPredicted(mode, row, above, coded, from, to)
		return
	}
	_, _, _ = row[from-1:to], coded[from:to], above[from-1:to+1]
	_ = above[: to+4 : cap(above)]
	dst, top, c, n := &row[from], &above[from], &coded[from], to-from
	switch mode {
	case left:
		leftAVX(dst, top, c, n)
	case 2:
		topAVX2(dst, top, c, n)
	case 3:
		topRightAVX2(dst, top, c, n)
	case 4:
		topLeftAVX2(dst, top, c, n)
	case 5:
		meanThreeAVX(dst, top, c, n)
	case 6:
		meanLeftTopLeftAVX(dst, top, c, n)
	case 7:
		meanLeftTopAVX(dst, top, c, n)
	case 8:
		meanTopLeftAVX2(dst, top, c, n)
	case 9:
		meanTopRightAVX2(dst, top, c, n)
	case 10:
		meanFourAVX(dst, top, c, n)
	case 11:
		nearerAVX(dst, top, c, n)
	case 12:
		fullAVX(dst, top, c, n)
	case 13:
		halfAVX(dst, top, c, n)
	default:
		blackAVX2(dst, top, c, n)
	}
}

//go:noescape
func blackAVX2(dst, above, coded *uint32, n int)

//go:noescape
func leftAVX(dst, above, coded *uint32, n int)

//go:noescape
func topAVX2(dst, above, coded *uint32, n int)

//go:noescape
func topRightAVX2(dst, above, coded *uint32, n int)

//go:noescape
func topLeftAVX2(dst, above, coded *uint32, n int)

//go:noescape
func meanThreeAVX(dst, above, coded *uint32, n int)

//go:noescape
func meanLeftTopLeftAVX(dst, above, coded *uint32, n int)

//go:noescape
func meanLeftTopAVX(dst, above, coded *uint32, n int)

//go:noescape
func meanTopLeftAVX2(dst, above, coded *uint32, n int)

//go:noescape
func meanTopRightAVX2(dst, above, coded *uint32, n int)

//go:noescape
func meanFourAVX(dst, above, coded *uint32, n int)

//go:noescape
func nearerAVX(dst, above, coded *uint32, n int)

//go:noescape
func fullAVX(dst, above, coded *uint32, n int)

//go:noescape
func halfAVX(dst, above, coded *uint32, n int)

// addCrossColors adds what samples say of others, by the factors of a square.
func addCrossColors(dst, src []uint32, factors uint32) {
	if !vectors {
		plainCrossColors(dst, src, factors)
		return
	}
	crossColorsAVX2(&dst[0], &src[:len(dst)][0], len(dst), factors)
}

//go:noescape
func crossColorsAVX2(dst, src *uint32, n int, factors uint32)

// addGreen adds green to red and blue.
func addGreen(dst, src []uint32) {
	if !vectors {
		plainGreen(dst, src)
		return
	}
	greenAVX2(&dst[0], &src[:len(dst)][0], len(dst))
}

//go:noescape
func greenAVX2(dst, src *uint32, n int)

// samples stores pixels as red, green, blue and alpha.
func samples(dst []byte, src []uint32) {
	if !vectors {
		plainSamples(dst, src)
		return
	}
	_ = dst[4*len(src)-1]
	samplesAVX2(&dst[0], &src[0], len(src))
}

//go:noescape
func samplesAVX2(dst *byte, src *uint32, n int)
