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

// The edge of a block is put into one register, clockwise: the samples to the left from below, the first of them twice,
// the corner, and the eight above, the last of them twice. All other modes than DC and TM pick their samples among the
// rounded means of three neighbours and of two.
DATA edgeAbove<>+0(SB)/8, $0x0201008080808080
DATA edgeAbove<>+8(SB)/8, $0x8008080706050403
GLOBL edgeAbove<>(SB), RODATA|NOPTR, $16

// What DC adds up: the samples to the left, and four above.
DATA around<>+0(SB)/8, $0x0908070604030201
DATA around<>+8(SB)/8, $0x8080808080808080
GLOBL around<>(SB), RODATA|NOPTR, $16

// What TM adds, as words: what is above, and the corner; to the left of the first two rows, and of the others.
DATA overhead<>+0(SB)/8, $0x8009800880078006
DATA overhead<>+8(SB)/8, $0x8009800880078006
GLOBL overhead<>(SB), RODATA|NOPTR, $16
DATA corner<>+0(SB)/8, $0x8005800580058005
DATA corner<>+8(SB)/8, $0x8005800580058005
GLOBL corner<>(SB), RODATA|NOPTR, $16
DATA upperLeft<>+0(SB)/8, $0x8004800480048004
DATA upperLeft<>+8(SB)/8, $0x8003800380038003
GLOBL upperLeft<>(SB), RODATA|NOPTR, $16
DATA lowerLeft<>+0(SB)/8, $0x8002800280028002
DATA lowerLeft<>+8(SB)/8, $0x8001800180018001
GLOBL lowerLeft<>(SB), RODATA|NOPTR, $16
DATA ones<>+0(SB)/8, $0x0101010101010101
DATA ones<>+8(SB)/8, $0x0101010101010101
GLOBL ones<>(SB), RODATA|NOPTR, $16

// Which means each mode picks for its 16 samples: of three, and of two.
DATA picks<>+0(SB)/8, $0x0807060508070605 // vertical
DATA picks<>+8(SB)/8, $0x0807060508070605
DATA picks<>+16(SB)/8, $0x8080808080808080
DATA picks<>+24(SB)/8, $0x8080808080808080
DATA picks<>+32(SB)/8, $0x0202020203030303 // horizontal
DATA picks<>+40(SB)/8, $0x0000000001010101
DATA picks<>+48(SB)/8, $0x8080808080808080
DATA picks<>+56(SB)/8, $0x8080808080808080
DATA picks<>+64(SB)/8, $0x0605040307060504 // right down
DATA picks<>+72(SB)/8, $0x0403020105040302
DATA picks<>+80(SB)/8, $0x8080808080808080
DATA picks<>+88(SB)/8, $0x8080808080808080
DATA picks<>+96(SB)/8, $0x0706050480808080 // vertical right
DATA picks<>+104(SB)/8, $0x0605040280808003
DATA picks<>+112(SB)/8, $0x8080808008070605
DATA picks<>+120(SB)/8, $0x8080808007060580
DATA picks<>+128(SB)/8, $0x0a09080709080706 // left down
DATA picks<>+136(SB)/8, $0x0c0b0a090b0a0908
DATA picks<>+144(SB)/8, $0x8080808080808080
DATA picks<>+152(SB)/8, $0x8080808080808080
DATA picks<>+160(SB)/8, $0x0908070680808080 // vertical left
DATA picks<>+168(SB)/8, $0x0b0908070a808080
DATA picks<>+176(SB)/8, $0x8080808009080706
DATA picks<>+184(SB)/8, $0x8080808080090807
DATA picks<>+192(SB)/8, $0x0480038006050480 // horizontal down
DATA picks<>+200(SB)/8, $0x0280018003800280
DATA picks<>+208(SB)/8, $0x8004800380808004
DATA picks<>+216(SB)/8, $0x8002800180038002
DATA picks<>+224(SB)/8, $0x0080018001800280 // horizontal up
DATA picks<>+232(SB)/8, $0x8080808080800080
DATA picks<>+240(SB)/8, $0x8001800280028003
DATA picks<>+248(SB)/8, $0x0000000000008001
GLOBL picks<>(SB), RODATA|NOPTR, $256

// func blocksAVX2(dst *byte, stride int, modes *[16]uint8, blocks *[16][16]int16, coded uint32)
TEXT ·blocksAVX2(SB), NOSPLIT, $0-36
	MOVQ dst+0(FP), DI
	MOVQ stride+8(FP), DX
	MOVQ modes+16(FP), SI
	MOVQ blocks+24(FP), AX
	MOVL coded+32(FP), R8
	LEAQ (DX)(DX*2), CX
	MOVL $16, R9
	LEAQ picks<>(SB), R11

block:
	MOVQ    DI, R10
	SUBQ    DX, R10
	VMOVDQU -1(R10), X14
	VPSHUFB edgeAbove<>(SB), X14, X14
	VPINSRB $4, -1(DI), X14, X14
	VPINSRB $3, -1(DI)(DX*1), X14, X14
	VPINSRB $2, -1(DI)(DX*2), X14, X14
	VPINSRB $1, -1(DI)(CX*1), X14, X14
	VPINSRB $0, -1(DI)(CX*1), X14, X14
	MOVBLZX (SI), BX
	SUBL    $2, BX
	JB      special
	SHLL    $5, BX
	VPSRLDQ $1, X14, X1
	VPSRLDQ $2, X14, X2
	VPAVGB  X2, X14, X3
	VPXOR   X2, X14, X4
	VPAND   ones<>(SB), X4, X4
	VPSUBB  X4, X3, X3
	VPAVGB  X1, X3, X3
	VPAVGB  X1, X14, X4
	VPSHUFB (R11)(BX*1), X3, X3
	VPSHUFB 16(R11)(BX*1), X4, X4
	VPOR    X4, X3, X14

predicted:
	SHRL $1, R8
	JCC  store

	VMOVQ      (AX), X0
	VMOVQ      8(AX), X1
	VMOVQ      16(AX), X2
	VMOVQ      24(AX), X3
	VPXOR      X15, X15, X15
	VMOVDQU    X15, (AX)
	VMOVDQU    X15, 16(AX)
	PASS1
	TRANSPOSE1
	VPADDW     half<>(SB), X0, X0
	PASS1
	VPSRAW     $3, X4, X4
	VPSRAW     $3, X5, X5
	VPSRAW     $3, X6, X6
	VPSRAW     $3, X7, X7
	VPUNPCKLWD X5, X4, X8
	VPUNPCKLWD X7, X6, X9
	VPUNPCKLDQ X9, X8, X0
	VPUNPCKHDQ X9, X8, X2
	VPUNPCKLBW X15, X14, X4
	VPUNPCKHBW X15, X14, X5
	VPADDW     X0, X4, X4
	VPADDW     X2, X5, X5
	VPACKUSWB  X5, X4, X14

store:
	VMOVD   X14, (DI)
	VPEXTRD $1, X14, (DI)(DX*1)
	VPEXTRD $2, X14, (DI)(DX*2)
	VPEXTRD $3, X14, (DI)(CX*1)
	ADDQ    $32, AX
	ADDQ    $4, DI
	INCQ    SI
	DECL    R9
	TESTL   $3, R9
	JNE     block
	LEAQ    -16(DI)(DX*4), DI
	TESTL   R9, R9
	JNE     block
	RET

special:
	CMPL BX, $-2
	JNE  tm
	VPSHUFB      around<>(SB), X14, X14
	VPXOR        X15, X15, X15
	VPSADBW      X15, X14, X14
	VPADDW       half<>(SB), X14, X14
	VPSRLW       $3, X14, X14
	VPBROADCASTB X14, X14
	JMP          predicted

tm:
	VPSHUFB   overhead<>(SB), X14, X0
	VPSHUFB   corner<>(SB), X14, X1
	VPSHUFB   upperLeft<>(SB), X14, X2
	VPSHUFB   lowerLeft<>(SB), X14, X3
	VPSUBW    X1, X0, X0
	VPADDW    X2, X0, X2
	VPADDW    X3, X0, X3
	VPACKUSWB X3, X2, X14
	JMP       predicted
