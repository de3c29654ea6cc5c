//go:build !purego

#include "textflag.h"

// The algorithm is that of fdct.go. The lower half of a register has 8 values of one block, the upper half those of the
// block beside it, so that nothing ever crosses the halves.

// PAIRS makes 32 bytes of pairs of 16-bit factors, the low one first.
#define PAIRS(name, pair) \
	DATA name<>+0(SB)/4, $pair  \
	DATA name<>+4(SB)/4, $pair  \
	DATA name<>+8(SB)/4, $pair  \
	DATA name<>+12(SB)/4, $pair \
	DATA name<>+16(SB)/4, $pair \
	DATA name<>+20(SB)/4, $pair \
	DATA name<>+24(SB)/4, $pair \
	DATA name<>+28(SB)/4, $pair \
	GLOBL name<>(SB), RODATA|NOPTR, $32

PAIRS(forward2, 0x115129cf) // 10703, 4433
PAIRS(forward6, 0xd6301151) // 4433, -10704
PAIRS(forward1inner, 0x192508d4) // 2260, 6437
PAIRS(forward1outer, 0x2c6325a1) // 9633, 11363
PAIRS(forward3inner, 0xd39ee6dc) // -6436, -11362
PAIRS(forward3outer, 0x25a1f72d) // -2259, 9633
PAIRS(forward5inner, 0x08d525a1) // 9633, 2261
PAIRS(forward5outer, 0x1925d39e) // -11362, 6437
PAIRS(forward7inner, 0x25a1d39d) // -11363, 9633
PAIRS(forward7outer, 0x08d4e6dc) // -6436, 2260

PAIRS(forwardRound1, 0x00000400) // half of 1<<11
PAIRS(forwardRound2, 0x00004000) // half of 1<<15
PAIRS(forwardTwo, 0x00020002)
PAIRS(forwardCenter, 0x00800080)

// TRANSPOSE turns the 8 rows of 8 words in each half of Y0 to Y7 into columns, in Y8 to Y15.
#define TRANSPOSE \
	VPUNPCKLWD  Y1, Y0, Y8    \
	VPUNPCKHWD  Y1, Y0, Y9    \
	VPUNPCKLWD  Y3, Y2, Y10   \
	VPUNPCKHWD  Y3, Y2, Y11   \
	VPUNPCKLWD  Y5, Y4, Y12   \
	VPUNPCKHWD  Y5, Y4, Y13   \
	VPUNPCKLWD  Y7, Y6, Y14   \
	VPUNPCKHWD  Y7, Y6, Y15   \
	VPUNPCKLDQ  Y10, Y8, Y0   \
	VPUNPCKHDQ  Y10, Y8, Y1   \
	VPUNPCKLDQ  Y11, Y9, Y2   \
	VPUNPCKHDQ  Y11, Y9, Y3   \
	VPUNPCKLDQ  Y14, Y12, Y4  \
	VPUNPCKHDQ  Y14, Y12, Y5  \
	VPUNPCKLDQ  Y15, Y13, Y6  \
	VPUNPCKHDQ  Y15, Y13, Y7  \
	VPUNPCKLQDQ Y4, Y0, Y8    \
	VPUNPCKHQDQ Y4, Y0, Y9    \
	VPUNPCKLQDQ Y5, Y1, Y10   \
	VPUNPCKHQDQ Y5, Y1, Y11   \
	VPUNPCKLQDQ Y6, Y2, Y12   \
	VPUNPCKHQDQ Y6, Y2, Y13   \
	VPUNPCKLQDQ Y7, Y3, Y14   \
	VPUNPCKHQDQ Y7, Y3, Y15

// DESCALE rounds and shifts the sums in Y13 and Y4 and packs them into out.
#define DESCALE(round, shift, out) \
	VPADDD    round<>(SB), Y13, Y13 \
	VPADDD    round<>(SB), Y4, Y4   \
	VPSRAD    $shift, Y13, Y13      \
	VPSRAD    $shift, Y4, Y4        \
	VPACKSSDW Y4, Y13, out

// ODD makes an odd coefficient of the pairs of differences in Y8 to Y11. It uses Y4, Y6, Y13 and Y14.
#define ODD(inner, outer, round, shift, out) \
	VPMADDWD inner<>(SB), Y8, Y13  \
	VPMADDWD outer<>(SB), Y10, Y14 \
	VPADDD   Y14, Y13, Y13         \
	VPMADDWD inner<>(SB), Y9, Y4   \
	VPMADDWD outer<>(SB), Y11, Y6  \
	VPADDD   Y6, Y4, Y4            \
	DESCALE(round, shift, out)

// PASS transforms Y8 to Y15 into Y0 to Y7, but for the scaling of coefficients 0 and 4, which are in Y0 and Y12; 6 is in
// Y15.
#define PASS(round, shift) \
	VPADDW Y15, Y8, Y0             \
	VPSUBW Y15, Y8, Y7             \
	VPADDW Y14, Y9, Y1             \
	VPSUBW Y14, Y9, Y6             \
	VPADDW Y13, Y10, Y2            \
	VPSUBW Y13, Y10, Y5            \
	VPADDW Y12, Y11, Y3            \
	VPSUBW Y12, Y11, Y4            \
	VPUNPCKLWD Y5, Y4, Y8          \
	VPUNPCKHWD Y5, Y4, Y9          \
	VPUNPCKLWD Y7, Y6, Y10         \
	VPUNPCKHWD Y7, Y6, Y11         \
	VPSUBW Y3, Y0, Y5              \
	VPADDW Y3, Y0, Y0              \
	VPSUBW Y2, Y1, Y6              \
	VPADDW Y2, Y1, Y1              \
	VPSUBW Y1, Y0, Y12             \
	VPADDW Y1, Y0, Y0              \
	VPUNPCKLWD Y6, Y5, Y1          \
	VPUNPCKHWD Y6, Y5, Y3          \
	VPMADDWD forward2<>(SB), Y1, Y13 \
	VPMADDWD forward2<>(SB), Y3, Y4  \
	DESCALE(round, shift, Y2)      \
	VPMADDWD forward6<>(SB), Y1, Y13 \
	VPMADDWD forward6<>(SB), Y3, Y4  \
	DESCALE(round, shift, Y15)     \
	ODD(forward1inner, forward1outer, round, shift, Y1) \
	ODD(forward3inner, forward3outer, round, shift, Y3) \
	ODD(forward5inner, forward5outer, round, shift, Y5) \
	ODD(forward7inner, forward7outer, round, shift, Y7) \
	VMOVDQA Y15, Y6

// QUANTIZE divides a row of coefficients, stores those of the one block and of the other, and leaves in zeros which are
// zero. It uses Y8 and Y9.
#define QUANTIZE(row, n, zeros) \
	VPABSW         row, Y8             \
	VBROADCASTI128 (16*n)(DX), Y9      \
	VPADDW         Y9, Y8, Y8          \
	VBROADCASTI128 (128+16*n)(DX), Y9  \
	VPMULHUW       Y9, Y8, Y8          \
	VBROADCASTI128 (256+16*n)(DX), Y9  \
	VPMULHUW       Y9, Y8, Y8          \
	VPSIGNW        row, Y8, Y8         \
	VMOVDQU        X8, (16*n)(DI)      \
	VEXTRACTI128   $1, Y8, (128+16*n)(DI) \
	VPCMPEQW       Y10, Y8, zeros

// MASK puts the zeros of two rows, of both blocks, into a register.
#define MASK(out) \
	VPACKSSWB Y12, Y11, Y11 \
	VPMOVMSKB Y11, out

// func forwardAVX2(out *[128]int16, nonzero *[2]uint64, src *byte, stride int, d *divisors)
TEXT ·forwardAVX2(SB), NOSPLIT, $0-40
	MOVQ out+0(FP), DI
	MOVQ nonzero+8(FP), BX
	MOVQ src+16(FP), SI
	MOVQ stride+24(FP), CX
	MOVQ d+32(FP), DX
	LEAQ (CX)(CX*2), R8
	LEAQ (SI)(CX*4), R9

	VMOVDQU   forwardCenter<>(SB), Y15
	VPMOVZXBW (SI), Y0
	VPMOVZXBW (SI)(CX*1), Y1
	VPMOVZXBW (SI)(CX*2), Y2
	VPMOVZXBW (SI)(R8*1), Y3
	VPMOVZXBW (R9), Y4
	VPMOVZXBW (R9)(CX*1), Y5
	VPMOVZXBW (R9)(CX*2), Y6
	VPMOVZXBW (R9)(R8*1), Y7
	VPSUBW    Y15, Y0, Y0
	VPSUBW    Y15, Y1, Y1
	VPSUBW    Y15, Y2, Y2
	VPSUBW    Y15, Y3, Y3
	VPSUBW    Y15, Y4, Y4
	VPSUBW    Y15, Y5, Y5
	VPSUBW    Y15, Y6, Y6
	VPSUBW    Y15, Y7, Y7

	TRANSPOSE
	PASS(forwardRound1, 11)
	VPSLLW $2, Y0, Y0
	VPSLLW $2, Y12, Y4

	TRANSPOSE
	PASS(forwardRound2, 15)
	VPADDW forwardTwo<>(SB), Y0, Y0
	VPSRAW $2, Y0, Y0
	VPADDW forwardTwo<>(SB), Y12, Y4
	VPSRAW $2, Y4, Y4

	VPXOR Y10, Y10, Y10
	QUANTIZE(Y0, 0, Y11)
	QUANTIZE(Y1, 1, Y12)
	MASK(R8)
	QUANTIZE(Y2, 2, Y11)
	QUANTIZE(Y3, 3, Y12)
	MASK(R9)
	QUANTIZE(Y4, 4, Y11)
	QUANTIZE(Y5, 5, Y12)
	MASK(R10)
	QUANTIZE(Y6, 6, Y11)
	QUANTIZE(Y7, 7, Y12)
	MASK(R11)
	VZEROUPPER

	// The lower 16 bits of each are of the first block, the upper of the second.
	MOVQ  R9, AX
	SHLQ  $16, AX
	MOVWLZX R8, SI
	ORQ   SI, AX
	SHRQ  $16, R8
	MOVL  R9, R9
	ANDL  $0xffff0000, R9
	ORQ   R8, R9
	MOVL  AX, AX
	MOVQ  R11, CX
	SHLQ  $16, CX
	MOVWLZX R10, SI
	ORQ   SI, CX
	SHRQ  $16, R10
	ANDL  $0xffff0000, R11
	ORQ   R10, R11
	SHLQ  $32, CX
	ORQ   CX, AX
	SHLQ  $32, R11
	ORQ   R11, R9
	NOTQ  AX
	NOTQ  R9
	MOVQ  AX, (BX)
	MOVQ  R9, 8(BX)
	RET
