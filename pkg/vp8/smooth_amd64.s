//go:build !purego

#include "textflag.h"

// Sixteen lines across an edge are smoothed at once. Their samples p3 p2 p1 p0 | q0 q1 q2 q3 are in X0 to X7. The steps
// are those of smooth.go, in saturated arithmetic of bytes with a sign.

#define VECTOR(name, value) \
	DATA name<>+0(SB)/8, $value \
	DATA name<>+8(SB)/8, $value \
	GLOBL name<>(SB), RODATA|NOPTR, $16

VECTOR(sign, 0x8080808080808080)
VECTOR(even, 0xfefefefefefefefe)
VECTOR(three, 0x0303030303030303)
VECTOR(four, 0x0404040404040404)
VECTOR(sixtyfour, 0x4040404040404040)
VECTOR(nine, 0x0900090009000900)
VECTOR(sixtythree, 0x003f003f003f003f)

// DISTANCE sets to to the difference of a and b without its sign. It changes X12.
#define DISTANCE(a, b, to) \
	VPSUBUSB a, b, to   \
	VPSUBUSB b, a, X12  \
	VPOR     X12, to, to

// MASKS sets X8 where a line is smoothed, and X9 where its variance is not high. X13, X14 and X15 are the limits of the
// edge, of the interior and of variance. X12 becomes zero.
#define MASKS \
	DISTANCE(X0, X1, X8)     \
	DISTANCE(X1, X2, X10)    \
	VPMAXUB  X10, X8, X8     \
	DISTANCE(X5, X6, X10)    \
	VPMAXUB  X10, X8, X8     \
	DISTANCE(X6, X7, X10)    \
	VPMAXUB  X10, X8, X8     \
	DISTANCE(X2, X3, X9)     \
	DISTANCE(X4, X5, X10)    \
	VPMAXUB  X10, X9, X9     \
	VPMAXUB  X9, X8, X8      \
	VPSUBUSB X14, X8, X8     \
	DISTANCE(X2, X5, X10)    \
	VPAND    even<>(SB), X10, X10 \
	VPSRLW   $1, X10, X10    \
	DISTANCE(X3, X4, X11)    \
	VPADDUSB X11, X11, X11   \
	VPADDUSB X10, X11, X11   \
	VPSUBUSB X13, X11, X11   \
	VPOR     X11, X8, X8     \
	VPSUBUSB X15, X9, X9     \
	VPXOR    X12, X12, X12   \
	VPCMPEQB X12, X8, X8     \
	VPCMPEQB X12, X9, X9

#define FLIP(x) VPXOR sign<>(SB), x, x

// SHIFT shifts bytes with a sign three to the right. X12 is zero; it changes X11.
#define SHIFT(x) \
	VPUNPCKLBW x, X12, X11 \
	VPUNPCKHBW x, X12, x   \
	VPSRAW     $11, X11, X11 \
	VPSRAW     $11, x, x   \
	VPACKSSWB  x, X11, x

// BOTH adds the words in X13 and X14, divided by 128, to p and subtracts them from q. It changes X12 and X15.
#define BOTH(p, q) \
	VPSRAW    $7, X13, X15  \
	VPSRAW    $7, X14, X12  \
	VPACKSSWB X12, X15, X15 \
	VPADDSB   X15, p, p     \
	VPSUBSB   X15, q, q

// SIX smooths the edge of a macroblock: up to three samples on either side.
#define SIX \
	FLIP(X1)                    \
	FLIP(X2)                    \
	FLIP(X3)                    \
	FLIP(X4)                    \
	FLIP(X5)                    \
	FLIP(X6)                    \
	VPSUBSB    X5, X2, X10      \
	VPSUBSB    X3, X4, X11      \
	VPADDSB    X11, X10, X10    \
	VPADDSB    X11, X10, X10    \
	VPADDSB    X11, X10, X10    \
	VPAND      X8, X10, X10     \
	VPANDN     X10, X9, X13     \
	VPAND      X10, X9, X14     \
	VPADDSB    four<>(SB), X13, X15 \
	SHIFT(X15)                  \
	VPSUBSB    X15, X4, X4      \
	VPADDSB    three<>(SB), X13, X15 \
	SHIFT(X15)                  \
	VPADDSB    X15, X3, X3      \
	VPUNPCKLBW X14, X12, X10    \
	VPUNPCKHBW X14, X12, X11    \
	VPMULHW    nine<>(SB), X10, X10 \
	VPMULHW    nine<>(SB), X11, X11 \
	VPADDW     sixtythree<>(SB), X10, X13 \
	VPADDW     sixtythree<>(SB), X11, X14 \
	BOTH(X1, X6)                \
	VPADDW     X10, X13, X13    \
	VPADDW     X11, X14, X14    \
	BOTH(X2, X5)                \
	VPADDW     X10, X13, X13    \
	VPADDW     X11, X14, X14    \
	BOTH(X3, X4)                \
	FLIP(X1)                    \
	FLIP(X2)                    \
	FLIP(X3)                    \
	FLIP(X4)                    \
	FLIP(X5)                    \
	FLIP(X6)

// FOUR smooths an edge within a macroblock: up to two samples on either side.
#define FOUR \
	FLIP(X2)                 \
	FLIP(X3)                 \
	FLIP(X4)                 \
	FLIP(X5)                 \
	VPSUBSB X5, X2, X10      \
	VPANDN  X10, X9, X10     \
	VPSUBSB X3, X4, X11      \
	VPADDSB X11, X10, X10    \
	VPADDSB X11, X10, X10    \
	VPADDSB X11, X10, X10    \
	VPAND   X8, X10, X10     \
	VPADDSB three<>(SB), X10, X13 \
	VPADDSB four<>(SB), X10, X14 \
	SHIFT(X13)               \
	SHIFT(X14)               \
	VPADDSB X13, X3, X3      \
	VPSUBSB X14, X4, X4      \
	VPADDB  sign<>(SB), X14, X14 \
	VPAVGB  X12, X14, X14    \
	VPSUBB  sixtyfour<>(SB), X14, X14 \
	VPAND   X9, X14, X14     \
	VPSUBSB X14, X5, X5      \
	VPADDSB X14, X2, X2      \
	FLIP(X2)                 \
	FLIP(X3)                 \
	FLIP(X4)                 \
	FLIP(X5)

#define ARGUMENTS \
	MOVQ         first+0(FP), DI    \
	MOVQ         second+8(FP), SI   \
	MOVQ         stride+16(FP), DX  \
	MOVQ         f+24(FP), AX       \
	VPBROADCASTB 0(AX), X13         \
	VPBROADCASTB 1(AX), X14         \
	VPBROADCASTB 2(AX), X15         \
	LEAQ         (DX)(DX*2), CX

#define EDGE \
	VPXOR    X12, X12, X12       \
	VPADDUSB four<>(SB), X13, X13

#define LOAD(a, b, x) \
	VMOVQ   a, x    \
	VMOVHPS b, x, x

#define STORE(x, a, b) \
	VMOVQ   x, a    \
	VMOVHPS x, b

// func rowsAVX2(first, second *byte, stride int, f *filter, inner bool)
//
// The edge is above the rows at first and second.
TEXT ·rowsAVX2(SB), NOSPLIT, $0-33
	ARGUMENTS
	MOVQ DI, R8
	MOVQ SI, R9
	LEAQ (DX*4), R10
	SUBQ R10, R8
	SUBQ R10, R9
	LOAD((R8), (R9), X0)
	LOAD((R8)(DX*1), (R9)(DX*1), X1)
	LOAD((R8)(DX*2), (R9)(DX*2), X2)
	LOAD((R8)(CX*1), (R9)(CX*1), X3)
	LOAD((DI), (SI), X4)
	LOAD((DI)(DX*1), (SI)(DX*1), X5)
	LOAD((DI)(DX*2), (SI)(DX*2), X6)
	LOAD((DI)(CX*1), (SI)(CX*1), X7)
	CMPB inner+32(FP), $0
	JNE  within
	EDGE
	MASKS
	SIX
	STORE(X1, (R8)(DX*1), (R9)(DX*1))
	STORE(X2, (R8)(DX*2), (R9)(DX*2))
	STORE(X3, (R8)(CX*1), (R9)(CX*1))
	STORE(X4, (DI), (SI))
	STORE(X5, (DI)(DX*1), (SI)(DX*1))
	STORE(X6, (DI)(DX*2), (SI)(DX*2))
	RET

within:
	MASKS
	FOUR
	STORE(X2, (R8)(DX*2), (R9)(DX*2))
	STORE(X3, (R8)(CX*1), (R9)(CX*1))
	STORE(X4, (DI), (SI))
	STORE(X5, (DI)(DX*1), (SI)(DX*1))
	RET

// EIGHT loads 8 bytes of each of 16 rows: those at DI with R8 four rows below, in the low halves, and those at SI with R9.
#define EIGHT \
	LEAQ (DI)(DX*4), R8        \
	LEAQ (SI)(DX*4), R9        \
	VMOVQ (DI), X0             \
	VMOVQ (DI)(DX*1), X1       \
	VMOVQ (DI)(DX*2), X2       \
	VMOVQ (DI)(CX*1), X3       \
	VMOVQ (R8), X4             \
	VMOVQ (R8)(DX*1), X5       \
	VMOVQ (R8)(DX*2), X6       \
	VMOVQ (R8)(CX*1), X7       \
	VMOVQ (SI), X8             \
	VPUNPCKLBW X8, X0, X0      \
	VMOVQ (SI)(DX*1), X8       \
	VPUNPCKLBW X8, X1, X1      \
	VMOVQ (SI)(DX*2), X8       \
	VPUNPCKLBW X8, X2, X2      \
	VMOVQ (SI)(CX*1), X8       \
	VPUNPCKLBW X8, X3, X3      \
	VMOVQ (R9), X8             \
	VPUNPCKLBW X8, X4, X4      \
	VMOVQ (R9)(DX*1), X8       \
	VPUNPCKLBW X8, X5, X5      \
	VMOVQ (R9)(DX*2), X8       \
	VPUNPCKLBW X8, X6, X6      \
	VMOVQ (R9)(CX*1), X8       \
	VPUNPCKLBW X8, X7, X7

// COLUMNS turns what EIGHT loaded into columns.
#define COLUMNS \
	VPUNPCKLBW X4, X0, X8    \
	VPUNPCKHBW X4, X0, X9    \
	VPUNPCKLBW X5, X1, X10   \
	VPUNPCKHBW X5, X1, X11   \
	VPUNPCKLBW X6, X2, X4    \
	VPUNPCKHBW X6, X2, X5    \
	VPUNPCKLBW X7, X3, X6    \
	VPUNPCKHBW X7, X3, X7    \
	VPUNPCKLBW X4, X8, X0    \
	VPUNPCKHBW X4, X8, X1    \
	VPUNPCKLBW X6, X10, X2   \
	VPUNPCKHBW X6, X10, X3   \
	VPUNPCKLBW X5, X9, X8    \
	VPUNPCKHBW X5, X9, X9    \
	VPUNPCKLBW X7, X11, X10  \
	VPUNPCKHBW X7, X11, X11  \
	VPUNPCKLBW X10, X8, X4   \
	VPUNPCKHBW X10, X8, X5   \
	VPUNPCKLBW X11, X9, X6   \
	VPUNPCKHBW X11, X9, X7   \
	VPUNPCKLBW X2, X0, X8    \
	VPUNPCKHBW X2, X0, X9    \
	VPUNPCKLBW X3, X1, X2    \
	VPUNPCKHBW X3, X1, X3    \
	VMOVDQA    X8, X0        \
	VMOVDQA    X9, X1

// PUT writes 8 rows from columns whose pairs are in X8 to X11, at base and four rows below it.
#define PUT(base, below) \
	VPUNPCKLWD X9, X8, X12   \
	VPUNPCKHWD X9, X8, X13   \
	VPUNPCKLWD X11, X10, X14 \
	VPUNPCKHWD X11, X10, X15 \
	VPUNPCKLDQ X14, X12, X8  \
	VPUNPCKHDQ X14, X12, X9  \
	VPUNPCKLDQ X15, X13, X10 \
	VPUNPCKHDQ X15, X13, X11 \
	STORE(X8, (base), (base)(DX*1)) \
	STORE(X9, (base)(DX*2), (base)(CX*1)) \
	STORE(X10, (below), (below)(DX*1)) \
	STORE(X11, (below)(DX*2), (below)(CX*1))

// func columnsAVX2(first, second *byte, stride int, f *filter, inner bool)
//
// The edge is between the fourth and the fifth sample from first and second on, over eight rows each.
TEXT ·columnsAVX2(SB), NOSPLIT, $0-33
	ARGUMENTS
	EIGHT
	COLUMNS
	CMPB inner+32(FP), $0
	JNE  within
	EDGE
	MASKS
	SIX
	JMP  write

within:
	MASKS
	FOUR

write:
	VPUNPCKLBW X1, X0, X8
	VPUNPCKLBW X3, X2, X9
	VPUNPCKLBW X5, X4, X10
	VPUNPCKLBW X7, X6, X11
	LEAQ       (DI)(DX*4), R8
	PUT(DI, R8)
	VPUNPCKHBW X1, X0, X8
	VPUNPCKHBW X3, X2, X9
	VPUNPCKHBW X5, X4, X10
	VPUNPCKHBW X7, X6, X11
	LEAQ       (SI)(DX*4), R9
	PUT(SI, R9)
	RET
