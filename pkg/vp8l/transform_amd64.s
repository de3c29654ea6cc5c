//go:build !purego

#include "textflag.h"

// For VPSHUFB: green of each pixel in place of blue and red; pixels with their bytes in the order red, green, blue,
// alpha.
DATA greens<>+0(SB)/8, $0x8005800580018001
DATA greens<>+8(SB)/8, $0x800d800d80098009
GLOBL greens<>(SB), RODATA|NOPTR, $16
DATA order<>+0(SB)/8, $0x0704050603000102
DATA order<>+8(SB)/8, $0x0f0c0d0e0b08090a
GLOBL order<>(SB), RODATA|NOPTR, $16

#define ARGUMENTS \
	MOVQ dst+0(FP), DI \
	MOVQ src+8(FP), SI

// EACH does STEP, which turns pixels in the first register into others, to eight pixels at once, then to one.
#define EACH(STEP, eight, rest, one, done) \
	SUBQ    $8, CX        \
	JB      rest          \
eight: \
	VMOVDQU (SI), Y0      \
	STEP(Y0, Y1, Y2, Y3, Y4, Y5, Y6) \
	VMOVDQU Y0, (DI)      \
	ADDQ    $32, SI       \
	ADDQ    $32, DI       \
	SUBQ    $8, CX        \
	JAE     eight         \
rest: \
	ADDQ    $8, CX        \
	JEQ     done          \
one: \
	VMOVD   (SI), X0      \
	STEP(X0, X1, X2, X3, X4, X5, X6) \
	VMOVD   X0, (DI)      \
	ADDQ    $4, SI        \
	ADDQ    $4, DI        \
	DECQ    CX            \
	JNE     one           \
done: \
	VZEROUPPER            \
	RET

#define ADDGREEN(p, a, b, c, d, e, shuffle) \
	VPSHUFB shuffle, p, a \
	VPADDB  a, p, p

// func greenAVX2(dst, src *uint32, n int)
TEXT ·greenAVX2(SB), NOSPLIT, $0-24
	ARGUMENTS
	MOVQ n+16(FP), CX
	VBROADCASTI128 greens<>(SB), Y6
	EACH(ADDGREEN, eight, rest, one, done)

#define REORDER(p, a, b, c, d, e, shuffle) \
	VPSHUFB shuffle, p, p

// func samplesAVX2(dst *byte, src *uint32, n int)
TEXT ·samplesAVX2(SB), NOSPLIT, $0-24
	ARGUMENTS
	MOVQ n+16(FP), CX
	VBROADCASTI128 order<>(SB), Y6
	EACH(REORDER, eight, rest, one, done)

// CROSS adds the products of samples, which are the upper bytes of words, with factors in 4096ths of words: the upper
// words of products are 32nds of products of bytes, rounded down. ofGreen has the factors of green for blue and red,
// ofRed that of red for blue in the upper word.
#define CROSS(p, a, b, ofGreen, ofRed, c, mask) \
	VPAND     mask, p, a       \
	VPSHUFLW  $0xa0, a, b      \
	VPSHUFHW  $0xa0, b, b      \
	VPMULHW   ofGreen, b, b    \
	VPADDB    b, p, b          \
	VPSLLW    $8, b, b         \
	VPMULHW   ofRed, b, c      \
	VPSRLD    $8, c, c         \
	VPADDB    c, b, b          \
	VPSRLW    $8, b, b         \
	VPOR      b, a, p

// func crossColorsAVX2(dst, src *uint32, n int, factors uint32)
TEXT ·crossColorsAVX2(SB), NOSPLIT, $0-28
	ARGUMENTS
	MOVL    factors+24(FP), DX
	MOVBLSX DX, AX
	SHLL    $19, AX
	SHRL    $8, DX
	MOVBLSX DX, BX
	SHLL    $3, BX
	MOVWLZX BX, BX
	ORL     BX, AX
	VMOVD   AX, X3
	VPBROADCASTD X3, Y3
	SHRL    $8, DX
	MOVBLSX DX, AX
	SHLL    $19, AX
	VMOVD   AX, X4
	VPBROADCASTD X4, Y4
	VPCMPEQB Y6, Y6, Y6
	VPSLLW  $8, Y6, Y6
	MOVQ    n+16(FP), CX
	EACH(CROSS, eight, rest, one, done)
