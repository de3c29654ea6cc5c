//go:build !purego

#include "textflag.h"
#include "blocks_amd64.h"
#include "encblocks_amd64.h"

// How much samples differ, as in enckernels.go. Rows are 32 bytes apart: encStride.

// TOTAL adds up X0 to AX.
#define TOTAL \
	VPSHUFD $0x4e, X0, X1 \
	VPADDD  X1, X0, X0    \
	VPSHUFD $0xb1, X0, X1 \
	VPADDD  X1, X0, X0    \
	VMOVD   X0, AX        \
	VZEROUPPER

// SQUARES16 adds to sum the squares of a row: of 16 samples, or of 8 where registers are X.
#define SQUARES16(at, tmp, other, sum) \
	VPMOVZXBW at(SI), tmp     \
	VPMOVZXBW at(DX), other   \
	VPSUBW    other, tmp, tmp \
	VPMADDWD  tmp, tmp, tmp   \
	VPADDD    tmp, sum, sum

// func sse16AVX2(a, b *byte, rows int) int
TEXT ·sse16AVX2(SB), NOSPLIT, $0-32
	MOVQ  a+0(FP), SI
	MOVQ  b+8(FP), DX
	MOVQ  rows+16(FP), CX
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1

rows:
	SQUARES16(0, Y2, Y3, Y0)
	SQUARES16(32, Y4, Y5, Y1)
	SQUARES16(64, Y6, Y7, Y0)
	SQUARES16(96, Y8, Y9, Y1)
	ADDQ         $128, SI
	ADDQ         $128, DX
	SUBQ         $4, CX
	JNZ          rows
	VPADDD       Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	TOTAL
	MOVQ         AX, ret+24(FP)
	RET

// func sse8AVX2(a, b *byte) int
TEXT ·sse8AVX2(SB), NOSPLIT, $0-24
	MOVQ   a+0(FP), SI
	MOVQ   b+8(FP), DX
	VPXOR  X0, X0, X0
	VPXOR  X1, X1, X1
	SQUARES16(0, X2, X3, X0)
	SQUARES16(32, X4, X5, X1)
	SQUARES16(64, X6, X7, X0)
	SQUARES16(96, X8, X9, X1)
	SQUARES16(128, X2, X3, X0)
	SQUARES16(160, X4, X5, X1)
	SQUARES16(192, X6, X7, X0)
	SQUARES16(224, X8, X9, X1)
	VPADDD X1, X0, X0
	TOTAL
	MOVQ   AX, ret+16(FP)
	RET

// func sse4AVX2(a, b *byte) int
TEXT ·sse4AVX2(SB), NOSPLIT, $0-24
	MOVQ         a+0(FP), SI
	MOVQ         b+8(FP), DX
	ROWS4(SI, X0, X2)
	ROWS4(DX, X1, X3)
	VPMOVZXBW    X0, Y0
	VPMOVZXBW    X1, Y1
	VPSUBW       Y1, Y0, Y0
	VPMADDWD     Y0, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	TOTAL
	MOVQ         AX, ret+16(FP)
	RET

// HADAMARD transforms the columns of Y4 to Y7.
#define HADAMARD \
	VPADDW Y6, Y4, Y8  \
	VPSUBW Y6, Y4, Y9  \
	VPADDW Y7, Y5, Y10 \
	VPSUBW Y7, Y5, Y11 \
	VPADDW Y10, Y8, Y4 \
	VPADDW Y11, Y9, Y5 \
	VPSUBW Y11, Y9, Y6 \
	VPSUBW Y10, Y8, Y7

// WEIGH completes the transform of pairs, weighs their sizes by Y9, and adds these to Y12.
#define WEIGH(pairs) \
	VPSHUFB  Y13, pairs, Y8    \
	VPSIGNW  Y15, pairs, pairs \
	VPADDW   Y8, pairs, pairs  \
	VPABSW   pairs, pairs      \
	VPMADDWD Y9, pairs, pairs  \
	VPADDD   pairs, Y12, Y12

// func spectral4AVX2(a, b *byte, w *[16]uint16) int
TEXT ·spectral4AVX2(SB), NOSPLIT, $0-32
	MOVQ a+0(FP), SI
	MOVQ b+8(FP), DX
	MOVQ w+16(FP), BX

	VPBROADCASTD (SI), X4
	VPBROADCASTD (DX), X8
	VPBROADCASTD 32(SI), X5
	VPBROADCASTD 32(DX), X9
	VPBROADCASTD 64(SI), X6
	VPBROADCASTD 64(DX), X10
	VPBROADCASTD 96(SI), X7
	VPBROADCASTD 96(DX), X11
	VPBLENDD     $12, X8, X4, X4
	VPBLENDD     $12, X9, X5, X5
	VPBLENDD     $12, X10, X6, X6
	VPBLENDD     $12, X11, X7, X7
	VMOVDQU      sumsDifferences<>(SB), X8
	VPMADDUBSW   X8, X4, X4
	VPMADDUBSW   X8, X5, X5
	VPMADDUBSW   X8, X6, X6
	VPMADDUBSW   X8, X7, X7
	HADAMARD
	VMOVDQU      swap<>(SB), X13
	VMOVDQU      sumFirstLast<>(SB), X15
	VPXOR        X12, X12, X12
	VPBROADCASTQ (BX), X9
	WEIGH(Y4)
	VPBROADCASTQ 8(BX), X9
	WEIGH(Y5)
	VPBROADCASTQ 16(BX), X9
	WEIGH(Y6)
	VPBROADCASTQ 24(BX), X9
	WEIGH(Y7)
	VPSHUFD      $0x4e, X12, X0
	VPSUBD       X0, X12, X0
	VPSHUFD      $0xb1, X0, X1
	VPADDD       X1, X0, X0
	VPABSD       X0, X0
	VPSRLD       $5, X0, X0
	VMOVD        X0, AX
	MOVQ         AX, ret+24(FP)
	VZEROUPPER
	RET

// func spectral16AVX2(a, b *byte, w *[16]uint16) int
TEXT ·spectral16AVX2(SB), NOSPLIT, $0-32
	MOVQ    a+0(FP), SI
	MOVQ    b+8(FP), DX
	MOVQ    w+16(FP), BX
	MOVL    $4, CX
	VPXOR   X14, X14, X14
	VMOVDQU swap<>(SB), Y13

blocks:
	VMOVDQU     (SI), X0
	VMOVDQU     32(SI), X1
	VMOVDQU     64(SI), X2
	VMOVDQU     96(SI), X3
	VINSERTI128 $1, (DX), Y0, Y0
	VINSERTI128 $1, 32(DX), Y1, Y1
	VINSERTI128 $1, 64(DX), Y2, Y2
	VINSERTI128 $1, 96(DX), Y3, Y3

	VMOVDQU      sums<>(SB), Y8
	VPMADDUBSW   Y8, Y0, Y4
	VPMADDUBSW   Y8, Y1, Y5
	VPMADDUBSW   Y8, Y2, Y6
	VPMADDUBSW   Y8, Y3, Y7
	HADAMARD
	VMOVDQU      sumFirst<>(SB), Y15
	VPXOR        X12, X12, X12
	VPBROADCASTD (BX), Y9
	WEIGH(Y4)
	VPBROADCASTD 8(BX), Y9
	WEIGH(Y5)
	VPBROADCASTD 16(BX), Y9
	WEIGH(Y6)
	VPBROADCASTD 24(BX), Y9
	WEIGH(Y7)

	VMOVDQU      differences<>(SB), Y8
	VPMADDUBSW   Y8, Y0, Y4
	VPMADDUBSW   Y8, Y1, Y5
	VPMADDUBSW   Y8, Y2, Y6
	VPMADDUBSW   Y8, Y3, Y7
	HADAMARD
	VMOVDQU      sumLast<>(SB), Y15
	VPBROADCASTD 4(BX), Y9
	WEIGH(Y4)
	VPBROADCASTD 12(BX), Y9
	WEIGH(Y5)
	VPBROADCASTD 20(BX), Y9
	WEIGH(Y6)
	VPBROADCASTD 28(BX), Y9
	WEIGH(Y7)

	VEXTRACTI128 $1, Y12, X0
	VPSUBD       X0, X12, X0
	VPABSD       X0, X0
	VPSRLD       $5, X0, X0
	VPADDD       X0, X14, X14
	ADDQ         $128, SI
	ADDQ         $128, DX
	DECL         CX
	JNE          blocks
	VMOVDQA      X14, X0
	TOTAL
	MOVQ         AX, ret+24(FP)
	RET

