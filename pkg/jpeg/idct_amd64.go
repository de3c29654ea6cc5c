//go:build !purego

package jpeg

import "golang.org/x/sys/cpu"

// avx2 and bmi2 tell whether processor and operating system have AVX2, and, besides, BMI2.
var avx2, bmi2 = cpu.X86.HasAVX2, cpu.X86.HasAVX2 && cpu.X86.HasBMI2

// full transforms a block into 8×8 samples and clears it.
func full(dst []byte, stride int, block, quant *[64]int16) {
	if !avx2 {
		plainFull(dst, stride, block, quant)
		return
	}
	_ = dst[7*stride+7]
	fullAVX2(&dst[0], stride, block, quant)
}

// half transforms the first 16 values of a block into 4×4 samples and clears them.
func half(dst []byte, stride int, block, quant *[64]int16) {
	if !avx2 {
		plainHalf(dst, stride, block, quant)
		return
	}
	_ = dst[3*stride+3]
	halfAVX2(&dst[0], stride, block, quant)
}

// threeEighths transforms the first 16 values of a block into 3×3 samples, and a column more, and clears them.
func threeEighths(dst []byte, stride int, block, quant *[64]int16) {
	if !avx2 {
		plainBetween(dst, stride, block, quant, ThreeEighths)
		return
	}
	_ = dst[2*stride+3]
	threeEighthsAVX2(&dst[0], stride, block, quant)
}

// fiveEighths transforms a block into 5×5 samples, and three columns more, and clears it.
func fiveEighths(dst []byte, stride int, block, quant *[64]int16) {
	if !avx2 {
		plainBetween(dst, stride, block, quant, FiveEighths)
		return
	}
	_ = dst[4*stride+7]
	fiveEighthsAVX2(&dst[0], stride, block, quant)
}

// threeQuarters transforms a block into 6×6 samples, and two columns more, and clears it.
func threeQuarters(dst []byte, stride int, block, quant *[64]int16) {
	if !avx2 {
		plainBetween(dst, stride, block, quant, ThreeQuarters)
		return
	}
	_ = dst[5*stride+7]
	threeQuartersAVX2(&dst[0], stride, block, quant)
}

// sevenEighths transforms a block into 7×7 samples, and a column more, and clears it.
func sevenEighths(dst []byte, stride int, block, quant *[64]int16) {
	if !avx2 {
		plainBetween(dst, stride, block, quant, SevenEighths)
		return
	}
	_ = dst[6*stride+7]
	sevenEighthsAVX2(&dst[0], stride, block, quant)
}

//go:noescape
func threeEighthsAVX2(dst *byte, stride int, block, quant *[64]int16)

//go:noescape
func fiveEighthsAVX2(dst *byte, stride int, block, quant *[64]int16)

//go:noescape
func threeQuartersAVX2(dst *byte, stride int, block, quant *[64]int16)

//go:noescape
func sevenEighthsAVX2(dst *byte, stride int, block, quant *[64]int16)

//go:noescape
func fullAVX2(dst *byte, stride int, block, quant *[64]int16)

//go:noescape
func halfAVX2(dst *byte, stride int, block, quant *[64]int16)
