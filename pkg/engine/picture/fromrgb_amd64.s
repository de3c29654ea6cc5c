//go:build !purego

#include "textflag.h"

// For VPSHUFB: the bytes of each of three channels, in each of three vectors.
DATA thirds<>+0(SB)/8, $0x80800f0c09060300
DATA thirds<>+8(SB)/8, $0x8080808080808080
DATA thirds<>+16(SB)/8, $0x0502808080808080
DATA thirds<>+24(SB)/8, $0x80808080800e0b08
DATA thirds<>+32(SB)/8, $0x8080808080808080
DATA thirds<>+40(SB)/8, $0x0d0a070401808080
DATA thirds<>+48(SB)/8, $0x8080800d0a070401
DATA thirds<>+56(SB)/8, $0x8080808080808080
DATA thirds<>+64(SB)/8, $0x0603008080808080
DATA thirds<>+72(SB)/8, $0x80808080800f0c09
DATA thirds<>+80(SB)/8, $0x8080808080808080
DATA thirds<>+88(SB)/8, $0x0e0b080502808080
DATA thirds<>+96(SB)/8, $0x8080800e0b080502
DATA thirds<>+104(SB)/8, $0x8080808080808080
DATA thirds<>+112(SB)/8, $0x0704018080808080
DATA thirds<>+120(SB)/8, $0x8080808080800d0a
DATA thirds<>+128(SB)/8, $0x8080808080808080
DATA thirds<>+136(SB)/8, $0x0f0c090603008080
GLOBL thirds<>(SB), RODATA|NOPTR, $144

// For VPSHUFB: the bytes of each of four channels together.
DATA fourths<>+0(SB)/8, $0x0d0905010c080400
DATA fourths<>+8(SB)/8, $0x0f0b07030e0a0602
GLOBL fourths<>(SB), RODATA|NOPTR, $16

// Pairs of factors in 65536ths: of red and green for luma, of green and blue, of red and green for Cb, of green and blue
// for Cr. That of green for luma does not fit 16 bits, so it is in two halves.
DATA toLuma<>+0(SB)/4, $0x4b234c8b  // 19235, 19595
DATA toLuma<>+4(SB)/4, $0x1d2f4b23  // 7471, 19235
DATA toLuma<>+8(SB)/4, $0x00008000  // a half
GLOBL toLuma<>(SB), RODATA|NOPTR, $12
DATA toDifferences<>+0(SB)/4, $0xab33d4cd // -21709, -11059
DATA toDifferences<>+4(SB)/4, $0xeb2f94d1 // -5329, -27439
DATA toDifferences<>+8(SB)/4, $0x02020000 // 128 and a half, in 262144ths
DATA toDifferences<>+12(SB)/4, $0x01010101
GLOBL toDifferences<>(SB), RODATA|NOPTR, $16

// THIRD makes a vector of a channel from pixels in X0 to X2.
#define THIRD(a, b, c, to) \
	VPSHUFB a, X0, X3      \
	VPSHUFB b, X1, X4      \
	VPSHUFB c, X2, X5      \
	VPOR    X4, X3, X3     \
	VPOR    X5, X3, X3     \
	VMOVDQU X3, (to)       \
	ADDQ    $16, to

// func separate3AVX(a, b, c, row *byte, n int)
TEXT ·separate3AVX(SB), NOSPLIT, $0-40
	MOVQ a+0(FP), R8
	MOVQ b+8(FP), R9
	MOVQ c+16(FP), R10
	MOVQ row+24(FP), SI
	MOVQ n+32(FP), CX
	VMOVDQU thirds<>+0(SB), X7
	VMOVDQU thirds<>+16(SB), X8
	VMOVDQU thirds<>+32(SB), X9
	VMOVDQU thirds<>+48(SB), X10
	VMOVDQU thirds<>+64(SB), X11
	VMOVDQU thirds<>+80(SB), X12
	VMOVDQU thirds<>+96(SB), X13
	VMOVDQU thirds<>+112(SB), X14
	VMOVDQU thirds<>+128(SB), X15

next:
	VMOVDQU (SI), X0
	VMOVDQU 16(SI), X1
	VMOVDQU 32(SI), X2
	THIRD(X7, X8, X9, R8)
	THIRD(X10, X11, X12, R9)
	THIRD(X13, X14, X15, R10)
	ADDQ $48, SI
	SUBQ $16, CX
	JNE  next
	RET

// func separate4AVX(a, b, c, d, row *byte, n int)
TEXT ·separate4AVX(SB), NOSPLIT, $0-48
	MOVQ a+0(FP), R8
	MOVQ b+8(FP), R9
	MOVQ c+16(FP), R10
	MOVQ d+24(FP), R11
	MOVQ row+32(FP), SI
	MOVQ n+40(FP), CX
	VMOVDQU fourths<>(SB), X15
	XORQ DX, DX

next:
	VMOVDQU (SI), X0
	VMOVDQU 16(SI), X1
	VMOVDQU 32(SI), X2
	VMOVDQU 48(SI), X3
	VPSHUFB X15, X0, X0
	VPSHUFB X15, X1, X1
	VPSHUFB X15, X2, X2
	VPSHUFB X15, X3, X3
	VPUNPCKLDQ  X1, X0, X4
	VPUNPCKHDQ  X1, X0, X5
	VPUNPCKLDQ  X3, X2, X6
	VPUNPCKHDQ  X3, X2, X7
	VPUNPCKLQDQ X6, X4, X0
	VPUNPCKHQDQ X6, X4, X1
	VPUNPCKLQDQ X7, X5, X2
	VPUNPCKHQDQ X7, X5, X3
	VMOVDQU     X0, (R8)(DX*1)
	VMOVDQU     X1, (R9)(DX*1)
	VMOVDQU     X2, (R10)(DX*1)
	VMOVDQU     X3, (R11)(DX*1)
	ADDQ $64, SI
	ADDQ $16, DX
	SUBQ $16, CX
	JNE  next
	RET

// LUMA makes luma in 32 bits of red in Y0, green in Y1 and blue in Y2, by half of each.
#define LUMA(unpack, out) \
	unpack    Y1, Y0, Y3     \
	unpack    Y2, Y1, out    \
	VPMADDWD  Y13, Y3, Y3    \
	VPMADDWD  Y14, out, out  \
	VPADDD    Y3, out, out   \
	VPADDD    Y15, out, out  \
	VPSRLD    $16, out, out

// func lumaAVX2(dst, red, green, blue *byte, n int)
TEXT ·lumaAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ red+8(FP), R8
	MOVQ green+16(FP), R9
	MOVQ blue+24(FP), R10
	MOVQ n+32(FP), CX
	XORQ DX, DX
	VPBROADCASTD toLuma<>+0(SB), Y13
	VPBROADCASTD toLuma<>+4(SB), Y14
	VPBROADCASTD toLuma<>+8(SB), Y15

next:
	VPMOVZXBW (R8)(DX*1), Y0
	VPMOVZXBW (R9)(DX*1), Y1
	VPMOVZXBW (R10)(DX*1), Y2
	LUMA(VPUNPCKLWD, Y4)
	LUMA(VPUNPCKHWD, Y5)
	VPACKUSDW Y5, Y4, Y4
	VPACKUSWB Y4, Y4, Y4
	VPERMQ    $0x08, Y4, Y4
	VMOVDQU   X4, (DI)(DX*1)
	ADDQ $16, DX
	CMPQ DX, CX
	JNE  next
	VZEROUPPER
	RET

// SQUARES adds the samples of squares of two by two, of a row and the one below, in 16 bits.
#define SQUARES(above, below, out) \
	VMOVDQU    (above), out    \
	VMOVDQU    (below), Y3     \
	VPMADDUBSW Y12, out, out   \
	VPMADDUBSW Y12, Y3, Y3     \
	VPADDW     Y3, out, out    \
	ADDQ       $32, above      \
	ADDQ       $32, below

// DIFFERENCE makes a colour difference in 32 bits: from the sums in whole times 32768, and those in a and b by factors.
#define DIFFERENCE(unpack, whole, a, b, factors, out) \
	unpack   b, a, out         \
	VPMADDWD factors, out, out \
	unpack   Y11, whole, Y3    \
	VPSLLD   $15, Y3, Y3       \
	VPADDD   Y3, out, out      \
	VPADDD   Y15, out, out     \
	VPSRAD   $18, out, out

#define STORE(lo, hi, to) \
	VPACKSSDW hi, lo, lo   \
	VPACKUSWB lo, lo, lo   \
	VPERMQ    $0x08, lo, lo \
	VMOVDQU   X4, (to)     \
	ADDQ      $16, to

// func differencesAVX2(cb, cr *byte, above, below *[3]*byte, n int)
TEXT ·differencesAVX2(SB), NOSPLIT, $0-40
	MOVQ cb+0(FP), DI
	MOVQ cr+8(FP), SI
	MOVQ above+16(FP), AX
	MOVQ below+24(FP), BX
	MOVQ n+32(FP), CX
	MOVQ 0(AX), R8
	MOVQ 8(AX), R9
	MOVQ 16(AX), R10
	MOVQ 0(BX), R11
	MOVQ 8(BX), R12
	MOVQ 16(BX), R13
	VPXOR        Y11, Y11, Y11
	VPBROADCASTD toDifferences<>+0(SB), Y13
	VPBROADCASTD toDifferences<>+4(SB), Y14
	VPBROADCASTD toDifferences<>+8(SB), Y15
	VPBROADCASTD toDifferences<>+12(SB), Y12

next:
	SQUARES(R8, R11, Y0)
	SQUARES(R9, R12, Y1)
	SQUARES(R10, R13, Y2)
	DIFFERENCE(VPUNPCKLWD, Y2, Y0, Y1, Y13, Y4)
	DIFFERENCE(VPUNPCKHWD, Y2, Y0, Y1, Y13, Y5)
	STORE(Y4, Y5, DI)
	DIFFERENCE(VPUNPCKLWD, Y0, Y1, Y2, Y14, Y4)
	DIFFERENCE(VPUNPCKHWD, Y0, Y1, Y2, Y14, Y5)
	STORE(Y4, Y5, SI)
	SUBQ $16, CX
	JNE  next
	VZEROUPPER
	RET
