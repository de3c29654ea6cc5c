//go:build !purego

#include "textflag.h"

// The algorithm is that of idct.go; the factors are named there. The order of the values in a block (places.go) is such
// that a load gives pairs of coefficients of one column, ready for VPMADDWD, and that after the first pass the pairs of
// a row are neighbours. A register pair "0,4" below holds, in each 32-bit lane, coefficient 0 in the low and 4 in the
// high word.

// VECTOR makes 32 bytes of pairs of 16-bit factors, the low one first.
#define VECTOR(name, pair) \
	DATA name<>+0(SB)/4, $pair  \
	DATA name<>+4(SB)/4, $pair  \
	DATA name<>+8(SB)/4, $pair  \
	DATA name<>+12(SB)/4, $pair \
	DATA name<>+16(SB)/4, $pair \
	DATA name<>+20(SB)/4, $pair \
	DATA name<>+24(SB)/4, $pair \
	DATA name<>+28(SB)/4, $pair \
	GLOBL name<>(SB), RODATA|NOPTR, $32

VECTOR(even04sum, 0x20002000) // 8192, 8192
VECTOR(even04diff, 0xe0002000) // 8192, -8192
VECTOR(even26in3, 0x115129cf) // 10703, 4433
VECTOR(even26in2, 0xd6301151) // 4433, -10704
VECTOR(odd17in0, 0xd39d08d4) // 2260, -11363
VECTOR(odd35in0, 0x25a1e6dc) // -6436, 9633
VECTOR(odd17in1, 0x25a11925) // 6437, 9633
VECTOR(odd35in1, 0x08d5d39e) // -11362, 2261
VECTOR(odd17in2, 0xe6dc25a1) // 9633, -6436
VECTOR(odd35in2, 0xd39ef72d) // -2259, -11362
VECTOR(odd17in3, 0x08d42c63) // 11363, 2260
VECTOR(odd35in3, 0x192525a1) // 9633, 6437

VECTOR(round1, 0x00000400) // half of 1<<11
VECTOR(round2, 0x00020000) // half of 1<<18
VECTOR(center, 0x80808080)

// transpose turns 4 columns of 4 bytes into 4 rows.
DATA transpose<>+0(SB)/8, $0x0d0905010c080400
DATA transpose<>+8(SB)/8, $0x0f0b07030e0a0602
DATA transpose<>+16(SB)/8, $0x0d0905010c080400
DATA transpose<>+24(SB)/8, $0x0f0b07030e0a0602
GLOBL transpose<>(SB), RODATA|NOPTR, $32

// PASS8 takes the pairs 0,4 in Y0, 2,6 in Y1, 1,7 in Y2 and 3,5 in Y3, and leaves the sums, rounded and shifted, in Y0, Y1,
// Y2, Y3, Y9, Y11, Y10, Y8.
#define PASS8(round, shift) \
	VPMADDWD even04sum<>(SB), Y0, Y4  \
	VPMADDWD even04diff<>(SB), Y0, Y5 \
	VPMADDWD even26in3<>(SB), Y1, Y6  \
	VPMADDWD even26in2<>(SB), Y1, Y7  \
	VPADDD   round<>(SB), Y4, Y4      \
	VPADDD   round<>(SB), Y5, Y5      \
	VPADDD   Y6, Y4, Y8               \
	VPSUBD   Y6, Y4, Y9               \
	VPADDD   Y7, Y5, Y10              \
	VPSUBD   Y7, Y5, Y11              \
	VPMADDWD odd17in3<>(SB), Y2, Y4   \
	VPMADDWD odd35in3<>(SB), Y3, Y0   \
	VPMADDWD odd17in2<>(SB), Y2, Y5   \
	VPMADDWD odd35in2<>(SB), Y3, Y1   \
	VPADDD   Y0, Y4, Y4               \
	VPADDD   Y1, Y5, Y5               \
	VPMADDWD odd17in1<>(SB), Y2, Y6   \
	VPMADDWD odd35in1<>(SB), Y3, Y0   \
	VPMADDWD odd17in0<>(SB), Y2, Y7   \
	VPMADDWD odd35in0<>(SB), Y3, Y1   \
	VPADDD   Y0, Y6, Y6               \
	VPADDD   Y1, Y7, Y7               \
	VPADDD   Y4, Y8, Y0               \
	VPSUBD   Y4, Y8, Y8               \
	VPADDD   Y5, Y10, Y1              \
	VPSUBD   Y5, Y10, Y10             \
	VPADDD   Y6, Y11, Y2              \
	VPSUBD   Y6, Y11, Y11             \
	VPADDD   Y7, Y9, Y3               \
	VPSUBD   Y7, Y9, Y9               \
	VPSRAD   $shift, Y0, Y0           \
	VPSRAD   $shift, Y1, Y1           \
	VPSRAD   $shift, Y2, Y2           \
	VPSRAD   $shift, Y3, Y3           \
	VPSRAD   $shift, Y9, Y9           \
	VPSRAD   $shift, Y11, Y11         \
	VPSRAD   $shift, Y10, Y10         \
	VPSRAD   $shift, Y8, Y8

// PACK8 packs what PASS8 leaves to 16 bits: Y4, Y5, Y6, Y7, in each 128 bits two results of four words.
#define PACK8 \
	VPACKSSDW Y1, Y0, Y4  \
	VPACKSSDW Y3, Y2, Y5  \
	VPACKSSDW Y11, Y9, Y6 \
	VPACKSSDW Y8, Y10, Y7

// BLOCK loads the pairs of a block, multiplied by the quantization table, into Y0 to Y3 and clears the block.
#define BLOCK \
	MOVQ dst+0(FP), DI     \
	MOVQ stride+8(FP), SI  \
	MOVQ block+16(FP), AX  \
	MOVQ quant+24(FP), BX  \
	VMOVDQU (AX), Y0       \
	VMOVDQU 32(AX), Y1     \
	VMOVDQU 64(AX), Y2     \
	VMOVDQU 96(AX), Y3     \
	VPMULLW (BX), Y0, Y0   \
	VPMULLW 32(BX), Y1, Y1 \
	VPMULLW 64(BX), Y2, Y2 \
	VPMULLW 96(BX), Y3, Y3 \
	VPXOR   Y15, Y15, Y15  \
	VMOVDQU Y15, (AX)      \
	VMOVDQU Y15, 32(AX)    \
	VMOVDQU Y15, 64(AX)    \
	VMOVDQU Y15, 96(AX)

// TURN takes the rows in Y4 to Y7, as PACK8 packs them: rows 0..3 and 4..7 of the column pairs 0,4|1,7 and 2,6|3,5. It
// leaves the pairs over all rows in Y0 to Y3.
#define TURN \
	VSHUFPS    $0x88, Y5, Y4, Y8  \
	VSHUFPS    $0xDD, Y5, Y4, Y9  \
	VSHUFPS    $0x88, Y7, Y6, Y10 \
	VSHUFPS    $0xDD, Y7, Y6, Y11 \
	VPERM2I128 $0x20, Y10, Y8, Y0 \
	VPERM2I128 $0x20, Y11, Y9, Y1 \
	VPERM2I128 $0x31, Y10, Y8, Y2 \
	VPERM2I128 $0x31, Y11, Y9, Y3

// SAMPLES takes the columns in Y4 to Y7, as PACK8 packs them, and leaves rows 0 1 | 4 5 in Y0 and 2 3 | 6 7 in Y1.
#define SAMPLES \
	VPACKSSWB  Y5, Y4, Y4              \
	VPACKSSWB  Y7, Y6, Y6              \
	VPADDB     center<>(SB), Y4, Y4    \
	VPADDB     center<>(SB), Y6, Y6    \
	VPSHUFB    transpose<>(SB), Y4, Y4 \
	VPSHUFB    transpose<>(SB), Y6, Y6 \
	VPUNPCKLDQ Y6, Y4, Y0              \
	VPUNPCKHDQ Y6, Y4, Y1

// func fullAVX2(dst *byte, stride int, block, quant *[64]int16)
TEXT ·fullAVX2(SB), NOSPLIT, $0-32
	BLOCK

	// Down the columns, which stand in the order 0 4 2 6 | 1 7 3 5.
	PASS8(round1, 11)
	PACK8

	TURN

	// Along the rows: each result is a column, rows 0..3 | 4..7.
	PASS8(round2, 18)
	PACK8

	SAMPLES

	LEAQ         (SI)(SI*2), DX
	LEAQ         (DI)(SI*4), R8
	VMOVQ        X0, (DI)
	VMOVHPS      X0, (DI)(SI*1)
	VMOVQ        X1, (DI)(SI*2)
	VMOVHPS      X1, (DI)(DX*1)
	VEXTRACTI128 $1, Y0, X0
	VEXTRACTI128 $1, Y1, X1
	VMOVQ        X0, (R8)
	VMOVHPS      X0, (R8)(SI*1)
	VMOVQ        X1, (R8)(SI*2)
	VMOVHPS      X1, (R8)(DX*1)
	VZEROUPPER
	RET

// PASS4 takes the pairs 0,2 in X0 and 1,3 in X1, and leaves the sums, rounded and shifted, in X0 to X3.
#define PASS4(round, shift) \
	VPMADDWD even04sum<>(SB), X0, X4  \
	VPMADDWD even04diff<>(SB), X0, X5 \
	VPMADDWD even26in3<>(SB), X1, X6  \
	VPMADDWD even26in2<>(SB), X1, X7  \
	VPADDD   round<>(SB), X4, X4      \
	VPADDD   round<>(SB), X5, X5      \
	VPADDD   X6, X4, X0               \
	VPADDD   X7, X5, X1               \
	VPSUBD   X7, X5, X2               \
	VPSUBD   X6, X4, X3               \
	VPSRAD   $shift, X0, X0           \
	VPSRAD   $shift, X1, X1           \
	VPSRAD   $shift, X2, X2           \
	VPSRAD   $shift, X3, X3

// TURN4 takes the rows in X0 to X3 and leaves the pairs of the columns 0,2 and 1,3 in X0 and X1.
#define TURN4 \
	VPACKSSDW X1, X0, X4        \
	VPACKSSDW X3, X2, X5        \
	VSHUFPS   $0x88, X5, X4, X0 \
	VSHUFPS   $0xDD, X5, X4, X1

// SAMPLES4 takes the columns in X0 to X3 and leaves the rows in X4.
#define SAMPLES4 \
	VPACKSSDW X1, X0, X4           \
	VPACKSSDW X3, X2, X5           \
	VPACKSSWB X5, X4, X4           \
	VPADDB    center<>(SB), X4, X4 \
	VPSHUFB   transpose<>(SB), X4, X4

// BLOCK4 loads the pairs of the first 16 values into X0 and X1, as BLOCK.
#define BLOCK4 \
	MOVQ dst+0(FP), DI     \
	MOVQ stride+8(FP), SI  \
	MOVQ block+16(FP), AX  \
	MOVQ quant+24(FP), BX  \
	VMOVDQU (AX), X0       \
	VMOVDQU 16(AX), X1     \
	VPMULLW (BX), X0, X0   \
	VPMULLW 16(BX), X1, X1 \
	VPXOR   X15, X15, X15  \
	VMOVDQU X15, (AX)      \
	VMOVDQU X15, 16(AX)

// func halfAVX2(dst *byte, stride int, block, quant *[64]int16)
TEXT ·halfAVX2(SB), NOSPLIT, $0-32
	BLOCK4

	// Down the columns, which stand in the order 0 2 1 3, then along the rows.
	PASS4(round1, 11)
	TURN4
	PASS4(round2, 18)

	SAMPLES4
	LEAQ      (SI)(SI*2), DX
	VMOVD     X4, (DI)
	VPEXTRD   $1, X4, (DI)(SI*1)
	VPEXTRD   $2, X4, (DI)(SI*2)
	VPEXTRD   $3, X4, (DI)(DX*1)
	RET

// ROWS is a pass over a row of the matrix in idctbetween.go, whose factors are at BX, and over its counterpart: the sum of
// the even and the odd products, and their difference, rounded and shifted.
#define ROWS(row, sum, diff, round, shift) \
	VPMADDWD (128*row+0)(BX), Y0, Y12  \
	VPMADDWD (128*row+32)(BX), Y1, Y13 \
	VPMADDWD (128*row+64)(BX), Y2, Y14 \
	VPMADDWD (128*row+96)(BX), Y3, Y15 \
	VPADDD   round<>(SB), Y12, Y12     \
	VPADDD   Y15, Y14, Y14             \
	VPADDD   Y13, Y12, Y12             \
	VPADDD   Y14, Y12, sum             \
	VPSUBD   Y14, Y12, diff            \
	VPSRAD   $shift, sum, sum          \
	VPSRAD   $shift, diff, diff

// MIDDLE is the row that has no counterpart and no odd part.
#define MIDDLE(row, sum, round, shift) \
	VPMADDWD (128*row+0)(BX), Y0, Y12  \
	VPMADDWD (128*row+32)(BX), Y1, Y13 \
	VPADDD   round<>(SB), Y12, Y12     \
	VPADDD   Y13, Y12, sum             \
	VPSRAD   $shift, sum, sum

// PACK is PACK8 of rows 0 to 7 in Y4 to Y11.
#define PACK \
	VPACKSSDW Y5, Y4, Y4 \
	VPACKSSDW Y7, Y6, Y5 \
	VPACKSSDW Y9, Y8, Y6 \
	VPACKSSDW Y11, Y10, Y7

#define PASS5(round, shift) \
	ROWS(0, Y4, Y8, round, shift) \
	ROWS(1, Y5, Y7, round, shift) \
	MIDDLE(2, Y6, round, shift)   \
	PACK

#define PASS6(round, shift) \
	ROWS(0, Y4, Y9, round, shift) \
	ROWS(1, Y5, Y8, round, shift) \
	ROWS(2, Y6, Y7, round, shift) \
	PACK

#define PASS7(round, shift) \
	ROWS(0, Y4, Y10, round, shift) \
	ROWS(1, Y5, Y9, round, shift)  \
	ROWS(2, Y6, Y8, round, shift)  \
	MIDDLE(3, Y7, round, shift)    \
	PACK

// STORE5 stores the first five rows that SAMPLES leaves, of eight bytes each.
#define STORE5 \
	LEAQ         (SI)(SI*2), DX \
	LEAQ         (DI)(SI*4), R8 \
	VMOVQ        X0, (DI)       \
	VMOVHPS      X0, (DI)(SI*1) \
	VMOVQ        X1, (DI)(SI*2) \
	VMOVHPS      X1, (DI)(DX*1) \
	VEXTRACTI128 $1, Y0, X0     \
	VMOVQ        X0, (R8)

// func fiveEighthsAVX2(dst *byte, stride int, block, quant *[64]int16)
TEXT ·fiveEighthsAVX2(SB), NOSPLIT, $0-32
	BLOCK
	LEAQ ·betweenFactors+(5*512)(SB), BX
	PASS5(round1, 11)
	TURN
	PASS5(round2, 18)
	SAMPLES
	STORE5
	VZEROUPPER
	RET

// func threeQuartersAVX2(dst *byte, stride int, block, quant *[64]int16)
TEXT ·threeQuartersAVX2(SB), NOSPLIT, $0-32
	BLOCK
	LEAQ ·betweenFactors+(6*512)(SB), BX
	PASS6(round1, 11)
	TURN
	PASS6(round2, 18)
	SAMPLES
	STORE5
	VMOVHPS X0, (R8)(SI*1)
	VZEROUPPER
	RET

// func sevenEighthsAVX2(dst *byte, stride int, block, quant *[64]int16)
TEXT ·sevenEighthsAVX2(SB), NOSPLIT, $0-32
	BLOCK
	LEAQ ·betweenFactors+(7*512)(SB), BX
	PASS7(round1, 11)
	TURN
	PASS7(round2, 18)
	SAMPLES
	STORE5
	VMOVHPS      X0, (R8)(SI*1)
	VEXTRACTI128 $1, Y1, X1
	VMOVQ        X1, (R8)(SI*2)
	VZEROUPPER
	RET

// PASS3 takes the pairs 0,2 in X0 and 1,3 in X1, and leaves the sums, rounded and shifted, in X0 to X2.
#define PASS3(round, shift) \
	VPMADDWD (BX), X0, X4        \
	VPMADDWD 32(BX), X1, X5      \
	VPMADDWD 128(BX), X0, X1     \
	VPADDD   round<>(SB), X4, X4 \
	VPADDD   round<>(SB), X1, X1 \
	VPADDD   X5, X4, X0          \
	VPSUBD   X5, X4, X2          \
	VPSRAD   $shift, X0, X0      \
	VPSRAD   $shift, X1, X1      \
	VPSRAD   $shift, X2, X2

// func threeEighthsAVX2(dst *byte, stride int, block, quant *[64]int16)
TEXT ·threeEighthsAVX2(SB), NOSPLIT, $0-32
	BLOCK4
	LEAQ ·betweenFactors+(3*512)(SB), BX
	PASS3(round1, 11)
	TURN4
	PASS3(round2, 18)
	SAMPLES4
	VMOVD     X4, (DI)
	VPEXTRD   $1, X4, (DI)(SI*1)
	VPEXTRD   $2, X4, (DI)(SI*2)
	RET
