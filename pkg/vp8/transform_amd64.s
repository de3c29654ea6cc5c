//go:build !purego

#include "textflag.h"
#include "blocks_amd64.h"

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

// Blocks of an encoder are in rows that are 32 bytes apart: encStride.

// func inverseAddPairAVX2(ref *byte, in *[32]int16, dst *byte)
TEXT ·inverseAddPairAVX2(SB), NOSPLIT, $0-24
	MOVQ ref+0(FP), SI
	MOVQ in+8(FP), AX
	MOVQ dst+16(FP), DI

	VMOVDQU     (AX), X4
	VMOVDQU     16(AX), X5
	VMOVDQU     32(AX), X6
	VMOVDQU     48(AX), X7
	VPUNPCKLQDQ X6, X4, X0
	VPUNPCKHQDQ X6, X4, X1
	VPUNPCKLQDQ X7, X5, X2
	VPUNPCKHQDQ X7, X5, X3
	PASS
	TRANSPOSE
	VPADDW      half<>(SB), Y0, Y0
	PASS
	VPSRAW      $3, X4, X4
	VPSRAW      $3, X5, X5
	VPSRAW      $3, X6, X6
	VPSRAW      $3, X7, X7
	TRANSPOSE
	VPMOVZXBW   (SI), X4
	VPMOVZXBW   32(SI), X5
	VPMOVZXBW   64(SI), X6
	VPMOVZXBW   96(SI), X7
	VPADDW      X4, X0, X0
	VPADDW      X5, X1, X1
	VPADDW      X6, X2, X2
	VPADDW      X7, X3, X3
	VPACKUSWB   X1, X0, X0
	VPACKUSWB   X3, X2, X2
	VMOVQ       X0, (DI)
	VMOVHPS     X0, 32(DI)
	VMOVQ       X2, 64(DI)
	VMOVHPS     X2, 96(DI)
	VZEROUPPER
	RET

// func inverseAddAVX2(ref *byte, in *[16]int16, dst *byte)
TEXT ·inverseAddAVX2(SB), NOSPLIT, $0-24
	MOVQ ref+0(FP), SI
	MOVQ in+8(FP), AX
	MOVQ dst+16(FP), DI

	VMOVQ        (AX), X0
	VMOVQ        8(AX), X1
	VMOVQ        16(AX), X2
	VMOVQ        24(AX), X3
	PASS1
	TRANSPOSE1
	VPADDW       half<>(SB), X0, X0
	PASS1
	VPSRAW       $3, X4, X4
	VPSRAW       $3, X5, X5
	VPSRAW       $3, X6, X6
	VPSRAW       $3, X7, X7
	VPUNPCKLWD   X5, X4, X8
	VPUNPCKLWD   X7, X6, X9
	VPUNPCKLDQ   X9, X8, X0
	VPUNPCKHDQ   X9, X8, X2
	VMOVD        (SI), X4
	VPBROADCASTD 32(SI), X5
	VMOVD        64(SI), X6
	VPBROADCASTD 96(SI), X7
	VPBLENDD     $2, X5, X4, X4
	VPBLENDD     $2, X7, X6, X6
	VPMOVZXBW    X4, X4
	VPMOVZXBW    X6, X6
	VPADDW       X4, X0, X0
	VPADDW       X6, X2, X2
	VPACKUSWB    X2, X0, X0
	VMOVD        X0, (DI)
	VPEXTRD      $1, X0, 32(DI)
	VPEXTRD      $2, X0, 64(DI)
	VPEXTRD      $3, X0, 96(DI)
	RET

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
