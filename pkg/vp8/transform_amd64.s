//go:build !purego

#include "textflag.h"

// The arithmetic is that of transform.go: a product with √2·sin(π/8) is the value plus its product with that minus 1,
// since factors have 15 bits and a sign.

#define VECTOR(name, pair) \
	DATA name<>+0(SB)/8, $pair  \
	DATA name<>+8(SB)/8, $pair  \
	DATA name<>+16(SB)/8, $pair \
	DATA name<>+24(SB)/8, $pair \
	GLOBL name<>(SB), RODATA|NOPTR, $32

VECTOR(cosine, 0x4e7b4e7b4e7b4e7b) // 20091
VECTOR(sine, 0x8a8c8a8c8a8c8a8c)   // 35468 - 65536
VECTOR(half, 0x0004000400040004)

// PASS transforms Y0 to Y3, of which each has a row of four blocks, to Y4 to Y7.
#define PASS \
	VPADDW  Y2, Y0, Y8            \
	VPSUBW  Y2, Y0, Y9            \
	VPMULHW sine<>(SB), Y1, Y10   \
	VPMULHW cosine<>(SB), Y3, Y11 \
	VPSUBW  Y3, Y1, Y12           \
	VPSUBW  Y11, Y10, Y10         \
	VPADDW  Y12, Y10, Y10         \
	VPMULHW cosine<>(SB), Y1, Y11 \
	VPMULHW sine<>(SB), Y3, Y12   \
	VPADDW  Y3, Y1, Y13           \
	VPADDW  Y12, Y11, Y11         \
	VPADDW  Y13, Y11, Y11         \
	VPADDW  Y11, Y8, Y4           \
	VPADDW  Y10, Y9, Y5           \
	VPSUBW  Y10, Y9, Y6           \
	VPSUBW  Y11, Y8, Y7

// TRANSPOSE turns rows of four blocks in Y4 to Y7 into columns in Y0 to Y3.
#define TRANSPOSE \
	VPUNPCKLWD  Y5, Y4, Y8   \
	VPUNPCKLWD  Y7, Y6, Y9   \
	VPUNPCKHWD  Y5, Y4, Y10  \
	VPUNPCKHWD  Y7, Y6, Y11  \
	VPUNPCKLDQ  Y9, Y8, Y0   \
	VPUNPCKLDQ  Y11, Y10, Y1 \
	VPUNPCKHDQ  Y9, Y8, Y2   \
	VPUNPCKHDQ  Y11, Y10, Y3 \
	VPUNPCKHQDQ Y1, Y0, Y8   \
	VPUNPCKLQDQ Y1, Y0, Y0   \
	VPUNPCKHQDQ Y3, Y2, Y9   \
	VPUNPCKLQDQ Y3, Y2, Y2   \
	VMOVDQA     Y8, Y1       \
	VMOVDQA     Y9, Y3

// ADD adds a row, 8 samples at DI and 8 at SI, and goes on to the next.
#define ADD(row) \
	VMOVQ        (DI), X5     \
	VMOVHPS      (SI), X5, X5 \
	VPMOVZXBW    X5, Y5       \
	VPADDW       row, Y5, Y5  \
	VPACKUSWB    Y5, Y5, Y5   \
	VMOVQ        X5, (DI)     \
	VEXTRACTI128 $1, Y5, X5   \
	VMOVQ        X5, (SI)     \
	ADDQ         DX, DI       \
	ADDQ         DX, SI

// func addFourAVX2(first, second *byte, stride int, blocks *[4][16]int16)
TEXT ·addFourAVX2(SB), NOSPLIT, $0-32
	MOVQ first+0(FP), DI
	MOVQ second+8(FP), SI
	MOVQ stride+16(FP), DX
	MOVQ blocks+24(FP), AX

	VMOVDQU     (AX), Y4
	VMOVDQU     32(AX), Y5
	VMOVDQU     64(AX), Y6
	VMOVDQU     96(AX), Y7
	VPXOR       Y15, Y15, Y15
	VMOVDQU     Y15, (AX)
	VMOVDQU     Y15, 32(AX)
	VMOVDQU     Y15, 64(AX)
	VMOVDQU     Y15, 96(AX)
	VPERM2I128  $0x20, Y6, Y4, Y8  // rows 0 and 1 of blocks 0 | 2
	VPERM2I128  $0x31, Y6, Y4, Y9  // rows 2 and 3
	VPERM2I128  $0x20, Y7, Y5, Y10 // of blocks 1 | 3
	VPERM2I128  $0x31, Y7, Y5, Y11
	VPUNPCKLQDQ Y10, Y8, Y0
	VPUNPCKHQDQ Y10, Y8, Y1
	VPUNPCKLQDQ Y11, Y9, Y2
	VPUNPCKHQDQ Y11, Y9, Y3

	PASS
	TRANSPOSE
	VPADDW half<>(SB), Y0, Y0
	PASS
	VPSRAW $3, Y4, Y4
	VPSRAW $3, Y5, Y5
	VPSRAW $3, Y6, Y6
	VPSRAW $3, Y7, Y7
	TRANSPOSE
	ADD(Y0)
	ADD(Y1)
	ADD(Y2)
	ADD(Y3)
	VZEROUPPER
	RET

// PASS1 and TRANSPOSE1 do the same with one block, in the lower halves of X0 to X3.
#define PASS1 \
	VPADDW  X2, X0, X8            \
	VPSUBW  X2, X0, X9            \
	VPMULHW sine<>(SB), X1, X10   \
	VPMULHW cosine<>(SB), X3, X11 \
	VPSUBW  X3, X1, X12           \
	VPSUBW  X11, X10, X10         \
	VPADDW  X12, X10, X10         \
	VPMULHW cosine<>(SB), X1, X11 \
	VPMULHW sine<>(SB), X3, X12   \
	VPADDW  X3, X1, X13           \
	VPADDW  X12, X11, X11         \
	VPADDW  X13, X11, X11         \
	VPADDW  X11, X8, X4           \
	VPADDW  X10, X9, X5           \
	VPSUBW  X10, X9, X6           \
	VPSUBW  X11, X8, X7

#define TRANSPOSE1 \
	VPUNPCKLWD X5, X4, X8 \
	VPUNPCKLWD X7, X6, X9 \
	VPUNPCKLDQ X9, X8, X0 \
	VPUNPCKHDQ X9, X8, X2 \
	VPSRLDQ    $8, X0, X1 \
	VPSRLDQ    $8, X2, X3

#define ADD1(row) \
	VPMOVZXBW (DI), X5        \
	VPADDW    row, X5, X5     \
	VPACKUSWB X5, X5, X5      \
	VMOVD     X5, (DI)        \
	ADDQ      DX, DI

// func addOneAVX2(dst *byte, stride int, block *[16]int16)
TEXT ·addOneAVX2(SB), NOSPLIT, $0-24
	MOVQ    dst+0(FP), DI
	MOVQ    stride+8(FP), DX
	MOVQ    block+16(FP), AX
	VMOVQ   (AX), X0
	VMOVQ   8(AX), X1
	VMOVQ   16(AX), X2
	VMOVQ   24(AX), X3
	VPXOR   X15, X15, X15
	VMOVDQU X15, (AX)
	VMOVDQU X15, 16(AX)
	PASS1
	TRANSPOSE1
	VPADDW  half<>(SB), X0, X0
	PASS1
	VPSRAW  $3, X4, X4
	VPSRAW  $3, X5, X5
	VPSRAW  $3, X6, X6
	VPSRAW  $3, X7, X7
	TRANSPOSE1
	ADD1(X0)
	ADD1(X1)
	ADD1(X2)
	ADD1(X3)
	RET
