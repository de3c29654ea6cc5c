//go:build !purego

#include "textflag.h"
#include "blocks_amd64.h"

// From raster to zigzag order: the levels that stay in their half of the block, and the two that do not.
DATA stay<>+0(SB)/8, $0x8080090803020100
DATA stay<>+8(SB)/8, $0x0d0c070605040b0a
DATA stay<>+16(SB)/8, $0x05040b0a09080302
DATA stay<>+24(SB)/8, $0x0f0e0d0c07068080
GLOBL stay<>(SB), RODATA|NOPTR, $32
DATA cross<>+0(SB)/8, $0x0100808080808080
DATA cross<>+8(SB)/8, $0x8080808080808080
DATA cross<>+16(SB)/8, $0x8080808080808080
DATA cross<>+24(SB)/8, $0x8080808080800f0e
GLOBL cross<>(SB), RODATA|NOPTR, $32
VECTOR(most, 0x07ff07ff07ff07ff)

// MATRIX loads the matrix at BX.
#define MATRIX \
	VMOVDQU     (BX), Y12             \
	VMOVDQU     32(BX), Y9            \
	VMOVDQU     64(BX), X10           \
	VMOVDQU     80(BX), X11           \
	VINSERTI128 $1, 96(BX), Y10, Y10  \
	VINSERTI128 $1, 112(BX), Y11, Y11 \
	VMOVDQU     192(BX), Y8           \
	VMOVDQU     most<>(SB), Y13

// QUANTIZE quantizes a block at SI to DI. Its levels stay in Y5.
#define QUANTIZE(at) \
	VMOVDQU    at(SI), Y0          \
	VPABSW     Y0, Y1              \
	VPADDW     Y8, Y1, Y1          \
	VPMULLW    Y9, Y1, Y3          \
	VPMULHUW   Y9, Y1, Y4          \
	VPSRAW     $15, Y0, Y2         \
	VPUNPCKLWD Y4, Y3, Y5          \
	VPUNPCKHWD Y4, Y3, Y6          \
	VPADDD     Y10, Y5, Y5         \
	VPADDD     Y11, Y6, Y6         \
	VPSRLD     $17, Y5, Y5         \
	VPSRLD     $17, Y6, Y6         \
	VPACKUSDW  Y6, Y5, Y5          \
	VPMINUW    Y13, Y5, Y5         \
	VPXOR      Y2, Y5, Y5          \
	VPSUBW     Y2, Y5, Y5          \
	VPMULLW    Y12, Y5, Y3         \
	VPERMQ     $0x4e, Y5, Y4       \
	VPSHUFB    stay<>(SB), Y5, Y6  \
	VPSHUFB    cross<>(SB), Y4, Y4 \
	VPOR       Y4, Y6, Y6          \
	VMOVDQU    Y3, at(SI)          \
	VMOVDQU    Y6, at(DI)

// func quantizeAVX2(in, out *[16]int16, m *quantMatrix) bool
TEXT ·quantizeAVX2(SB), NOSPLIT, $0-25
	MOVQ   in+0(FP), SI
	MOVQ   out+8(FP), DI
	MOVQ   m+16(FP), BX
	MATRIX
	QUANTIZE(0)
	VPTEST Y5, Y5
	SETNE  ret+24(FP)
	VZEROUPPER
	RET

// func quantizePairAVX2(in, out *[32]int16, m *quantMatrix) int
TEXT ·quantizePairAVX2(SB), NOSPLIT, $0-32
	MOVQ    in+0(FP), SI
	MOVQ    out+8(FP), DI
	MOVQ    m+16(FP), BX
	XORL    AX, AX
	XORL    CX, CX
	MATRIX
	QUANTIZE(0)
	VMOVDQA Y5, Y7
	QUANTIZE(32)
	VPTEST  Y7, Y7
	SETNE   AX
	VPTEST  Y5, Y5
	SETNE   CX
	LEAQ    (AX)(CX*2), AX
	MOVQ    AX, ret+24(FP)
	VZEROUPPER
	RET
