//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// For VPSHUFB: the alpha of each of two pixels for its colours. full has 255 for alpha itself.
DATA alphas<>+0(SB)/8, $0x8080800680068006
DATA alphas<>+8(SB)/8, $0x8080800e800e800e
GLOBL alphas<>(SB), RODATA|NOPTR, $16
DATA full<>+0(SB)/8, $0x00ff000000000000
GLOBL full<>(SB), RODATA|NOPTR, $8
DATA half<>+0(SB)/8, $0x0080008000800080 // half of 256
GLOBL half<>(SB), RODATA|NOPTR, $8

// PRODUCT converts products in whole parts and fractions to a sum in 65536ths: of the pairs in, added to sum.
#define PRODUCT(in, whole, fraction, sum, out) \
	VPMADDWD whole, in, out      \
	VPSLLD   $16, out, out       \
	VPADDD   sum, out, out       \
	VPMADDWD fraction, in, Y9    \
	VPADDD   Y9, out, out

// CONVERT makes samples in Y4 (red), Y5 (green) and Y6 (blue), as 32 bits, of luma in Y2 and pairs of colours in Y3.
#define CONVERT \
	VPBROADCASTD factors_half(R11), Y8       \
	VPBROADCASTD factors_lumaWhole(R11), Y10 \
	VPBROADCASTD factors_luma(R11), Y11      \
	PRODUCT(Y2, Y10, Y11, Y8, Y7)            \
	VPBROADCASTD factors_redWhole(R11), Y10  \
	VPBROADCASTD factors_red(R11), Y11       \
	PRODUCT(Y3, Y10, Y11, Y7, Y4)            \
	VPSRAD $16, Y4, Y4                       \
	VPBROADCASTD factors_greenWhole(R11), Y10 \
	VPBROADCASTD factors_green(R11), Y11     \
	PRODUCT(Y3, Y10, Y11, Y7, Y5)            \
	VPSRAD $16, Y5, Y5                       \
	VPBROADCASTD factors_blueWhole(R11), Y10 \
	VPBROADCASTD factors_blue(R11), Y11      \
	PRODUCT(Y3, Y10, Y11, Y7, Y6)            \
	VPSRAD $16, Y6, Y6

// LUMA makes Y2 of eight samples of luma, each beside a zero.
#define LUMA(at) \
	VPMOVZXBW at, X2       \
	VPSUBW    X14, X2, X2  \
	VPMOVZXWD X2, Y2

// KEEP moves what CONVERT made of the first eight pixels out of the way.
#define KEEP \
	VMOVDQA Y4, Y0 \
	VMOVDQA Y5, Y1 \
	VMOVDQA Y6, Y12

// STORE writes sixteen pixels: what KEEP kept, what CONVERT made of the others, and the opacities in X2. In each half
// of a register there are first four of the first pixels and four of the others.
#define STORE \
	VPACKSSDW  Y4, Y0, Y0    \
	VPACKSSDW  Y5, Y1, Y1    \
	VPACKSSDW  Y6, Y12, Y12  \
	VPACKUSWB  Y12, Y0, Y0   \
	VPACKUSWB  Y1, Y1, Y1    \
	VPSHUFD    $0xd8, X2, X2 \
	VPERMQ     $0x50, Y2, Y2 \
	VPUNPCKLBW Y1, Y0, Y3    \
	VPUNPCKHBW Y2, Y0, Y4    \
	VPUNPCKLWD Y4, Y3, Y0    \
	VPUNPCKHWD Y4, Y3, Y1    \
	VMOVDQU    Y0, (DI)      \
	VMOVDQU    Y1, 32(DI)

// func rowAVX2(dst, ys, cbs, crs *byte, n int, f *factors)
TEXT ·rowAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ ys+8(FP), SI
	MOVQ cbs+16(FP), R8
	MOVQ crs+24(FP), R9
	MOVQ n+32(FP), CX
	MOVQ f+40(FP), R11
	VPBROADCASTD factors_black(R11), Y14
	VPBROADCASTD factors_zeroColour(R11), Y15

next:
	// Pairs of colours, of eight pixels and of eight more.
	VMOVDQU    (R8), X0
	VMOVDQU    (R9), X1
	VPUNPCKLBW X1, X0, X3
	VPUNPCKHBW X1, X0, X13
	VPMOVZXBW  X3, Y3
	VPSUBW     Y15, Y3, Y3
	LUMA((SI))
	CONVERT
	KEEP
	VPMOVZXBW  X13, Y3
	VPSUBW     Y15, Y3, Y3
	LUMA(8(SI))
	CONVERT
	VPCMPEQB   X2, X2, X2
	STORE
	ADDQ $64, DI
	ADDQ $16, SI
	ADDQ $16, R8
	ADDQ $16, R9
	SUBQ $16, CX
	JNE  next
	VZEROUPPER
	RET

// func halvedAVX2(dst, ys, cbs, crs, alpha *byte, n int, f *factors)
TEXT ·halvedAVX2(SB), NOSPLIT, $0-56
	MOVQ dst+0(FP), DI
	MOVQ ys+8(FP), SI
	MOVQ cbs+16(FP), R8
	MOVQ crs+24(FP), R9
	MOVQ alpha+32(FP), R10
	MOVQ n+40(FP), CX
	MOVQ f+48(FP), R11
	VPBROADCASTD factors_black(R11), Y14
	VPBROADCASTD factors_zeroColour(R11), Y15

next:
	// Eight pairs of colours, each for two pixels.
	VMOVQ      (R8), X0
	VMOVQ      (R9), X1
	VPUNPCKLBW X1, X0, X0
	VPMOVZXBW  X0, Y13
	VPSUBW     Y15, Y13, Y13
	// Four of them for the first eight pixels.
	LUMA((SI))
	VPERMQ     $0x50, Y13, Y3
	VPSHUFD    $0x50, Y3, Y3
	CONVERT
	KEEP
	LUMA(8(SI))
	VPERMQ     $0xfa, Y13, Y3
	VPSHUFD    $0x50, Y3, Y3
	CONVERT
	VMOVDQU    (R10), X2
	STORE
	ADDQ $64, DI
	ADDQ $16, SI
	ADDQ $8, R8
	ADDQ $8, R9
	ADDQ $16, R10
	SUBQ $16, CX
	JNE  next
	VZEROUPPER
	RET

// OPAQUE sets AX to all ones where the eight pixels in Y0 are opaque.
#define OPAQUE \
	VPOR      Y14, Y0, Y1  \
	VPCMPEQB  Y15, Y1, Y1  \
	VPMOVMSKB Y1, AX

// MASKS sets all bits of Y15, and those of colours in Y14.
#define MASKS \
	VPCMPEQB Y15, Y15, Y15 \
	VPSRLD   $8, Y15, Y14

// func opaqueAVX2(row *byte, n int) bool
TEXT ·opaqueAVX2(SB), NOSPLIT, $0-17
	MOVQ row+0(FP), DI
	MOVQ n+8(FP), CX
	MASKS
	VMOVDQA Y15, Y2

next:
	VPAND (DI), Y2, Y2
	ADDQ  $32, DI
	SUBQ  $8, CX
	JNE   next
	VMOVDQA Y2, Y0
	OPAQUE
	CMPL  AX, $-1
	SETEQ ret+16(FP)
	VZEROUPPER
	RET

// MULTIPLY multiplies words of two pixels in each half of a register by their alpha, as a part of 255.
#define MULTIPLY(p) \
	VPSHUFB Y13, p, Y3  \
	VPOR    Y12, Y3, Y3 \
	VPMULLW Y3, p, p    \
	VPADDW  Y11, p, p   \
	VPSRLW  $8, p, Y3   \
	VPADDW  Y3, p, p    \
	VPSRLW  $8, p, p

// func multiplyAVX2(row *byte, n int) bool
TEXT ·multiplyAVX2(SB), NOSPLIT, $0-17
	MOVQ row+0(FP), DI
	MOVQ n+8(FP), CX
	MOVL $1, BX
	MASKS
	VBROADCASTI128 alphas<>(SB), Y13
	VPBROADCASTQ   full<>(SB), Y12
	VPBROADCASTQ   half<>(SB), Y11
	VPXOR          Y10, Y10, Y10

next:
	VMOVDQU (DI), Y0
	OPAQUE
	CMPL AX, $-1
	JEQ  done
	XORL BX, BX
	VPUNPCKLBW Y10, Y0, Y1
	VPUNPCKHBW Y10, Y0, Y2
	MULTIPLY(Y1)
	MULTIPLY(Y2)
	VPACKUSWB  Y2, Y1, Y0
	VMOVDQU    Y0, (DI)

done:
	ADDQ $32, DI
	SUBQ $8, CX
	JNE  next
	MOVB BX, ret+16(FP)
	VZEROUPPER
	RET
