//go:build !purego

#include "textflag.h"

// func columnsAVX2(dst *int16, src *byte, stride, n int, weights *int16, pairs int)
//
// Thirty-two columns at a time: the samples of two rows are interleaved, as bytes and then with zeros to words, so that
// one multiply-add takes both with their two weights. Unpacking and packing work within the halves of a vector, so four
// columns of each half stay together until the last exchange.
TEXT ·columnsAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ stride+16(FP), DX
	MOVQ n+24(FP), CX
	MOVQ weights+32(FP), R8
	MOVQ pairs+40(FP), R9
	MOVL $128, AX              // half of what the shift drops
	MOVQ AX, X7
	VPBROADCASTD X7, Y7
	VPXOR Y8, Y8, Y8

columns:
	VMOVDQA Y7, Y0             // columns  0– 3 and 16–19
	VMOVDQA Y7, Y1             // columns  4– 7 and 20–23
	VMOVDQA Y7, Y2             // columns  8–11 and 24–27
	VMOVDQA Y7, Y3             // columns 12–15 and 28–31
	MOVQ SI, R10
	MOVQ R8, R11
	MOVQ R9, R12

pair:
	VMOVDQU (R10), Y4
	VMOVDQU (R10)(DX*1), Y5
	VPBROADCASTD (R11), Y6
	VPUNPCKLBW Y5, Y4, Y9
	VPUNPCKHBW Y5, Y4, Y10
	VPUNPCKLBW Y8, Y9, Y11
	VPUNPCKHBW Y8, Y9, Y12
	VPUNPCKLBW Y8, Y10, Y13
	VPUNPCKHBW Y8, Y10, Y14
	VPMADDWD Y6, Y11, Y11
	VPMADDWD Y6, Y12, Y12
	VPMADDWD Y6, Y13, Y13
	VPMADDWD Y6, Y14, Y14
	VPADDD Y11, Y0, Y0
	VPADDD Y12, Y1, Y1
	VPADDD Y13, Y2, Y2
	VPADDD Y14, Y3, Y3
	LEAQ (R10)(DX*2), R10
	ADDQ $4, R11
	DECQ R12
	JNZ  pair

	VPSRAD $8, Y0, Y0
	VPSRAD $8, Y1, Y1
	VPSRAD $8, Y2, Y2
	VPSRAD $8, Y3, Y3
	VPACKSSDW Y1, Y0, Y0       // columns 0– 7 and 16–23
	VPACKSSDW Y3, Y2, Y2       // columns 8–15 and 24–31
	VPERM2I128 $0x20, Y2, Y0, Y4
	VPERM2I128 $0x31, Y2, Y0, Y5
	VMOVDQU Y4, (DI)
	VMOVDQU Y5, 32(DI)
	ADDQ $64, DI
	ADDQ $32, SI
	SUBQ $32, CX
	JNZ  columns
	VZEROUPPER
	RET

// func rowAVX2(dst *byte, src *int16, starts *int32, n int, weights *int16, blocks int)
//
// Four pixels at a time: each sums its taps in a vector of its own, and two rounds of horizontal additions bring the four
// sums beside each other.
TEXT ·rowAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ starts+16(FP), DX
	MOVQ n+24(FP), CX
	MOVQ weights+32(FP), R8
	MOVQ blocks+40(FP), R9
	MOVQ R9, R15
	SHLQ $5, R15               // bytes of one pixel's weights
	MOVL $524288, AX           // half of what the shift drops
	MOVQ AX, X7
	VPBROADCASTD X7, X7

pixels:
	MOVLQSX (DX), R10
	MOVLQSX 4(DX), R11
	MOVLQSX 8(DX), R12
	MOVLQSX 12(DX), R13
	LEAQ (SI)(R10*2), R10
	LEAQ (SI)(R11*2), R11
	LEAQ (SI)(R12*2), R12
	LEAQ (SI)(R13*2), R13
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	MOVQ R9, BX
	XORQ AX, AX

block:
	LEAQ (R8)(AX*1), R14
	VMOVDQU (R10)(AX*1), Y4
	VPMADDWD (R14), Y4, Y4
	VPADDD Y4, Y0, Y0
	ADDQ R15, R14
	VMOVDQU (R11)(AX*1), Y5
	VPMADDWD (R14), Y5, Y5
	VPADDD Y5, Y1, Y1
	ADDQ R15, R14
	VMOVDQU (R12)(AX*1), Y4
	VPMADDWD (R14), Y4, Y4
	VPADDD Y4, Y2, Y2
	ADDQ R15, R14
	VMOVDQU (R13)(AX*1), Y5
	VPMADDWD (R14), Y5, Y5
	VPADDD Y5, Y3, Y3
	ADDQ $32, AX
	DECQ BX
	JNZ  block

	VPHADDD Y1, Y0, Y0
	VPHADDD Y3, Y2, Y2
	VPHADDD Y2, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPADDD X1, X0, X0
	VPADDD X7, X0, X0
	VPSRAD $20, X0, X0
	VPACKSSDW X0, X0, X0
	VPACKUSWB X0, X0, X0
	VMOVD X0, (DI)
	LEAQ (R8)(R15*4), R8
	ADDQ $16, DX
	ADDQ $4, DI
	SUBQ $4, CX
	JNZ  pixels
	VZEROUPPER
	RET

// func sumsAVX2(sums *uint16, row *byte, n int)
TEXT ·sumsAVX2(SB), NOSPLIT, $0-24
	MOVQ sums+0(FP), DI
	MOVQ row+8(FP), SI
	MOVQ n+16(FP), CX

sixteen:
	VPMOVZXBW (SI), Y0
	VPADDW (DI), Y0, Y0
	VMOVDQU Y0, (DI)
	ADDQ $16, SI
	ADDQ $32, DI
	SUBQ $16, CX
	JNZ  sixteen
	VZEROUPPER
	RET
