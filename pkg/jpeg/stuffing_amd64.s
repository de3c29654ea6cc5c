//go:build !purego

#include "textflag.h"

// ONES sets Y15 to all ones, the byte FF throughout.
#define ONES VPCMPEQB Y15, Y15, Y15

// func markerAVX2(src *byte, size int) int
TEXT ·markerAVX2(SB), NOSPLIT, $0-24
	MOVQ src+0(FP), SI
	MOVQ size+8(FP), CX
	SUBQ $33, CX // the last place to load from, and a byte behind
	XORL AX, AX
	ONES
	VPXOR Y14, Y14, Y14

search:
	CMPQ      AX, CX
	JG        none
	VPCMPEQB  (SI)(AX*1), Y15, Y0
	VPCMPEQB  1(SI)(AX*1), Y14, Y1
	VPANDN    Y0, Y1, Y0 // FF, and what follows is not 0
	VPMOVMSKB Y0, BX
	TESTL     BX, BX
	JNE       found
	ADDQ      $32, AX
	JMP       search

found:
	BSFL BX, BX
	ADDQ BX, AX

none:
	MOVQ AX, ret+16(FP)
	VZEROUPPER
	RET

// func unstuffAVX2(dst *byte, room int, src *byte, size int) (written, read int)
TEXT ·unstuffAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ room+8(FP), DX
	MOVQ src+16(FP), SI
	MOVQ size+24(FP), CX
	LEAQ -32(DI)(DX*1), DX // the last place to store at
	LEAQ -33(SI)(CX*1), CX // the last place to load from, and a byte behind
	ONES

copy:
	CMPQ DI, DX
	JA   stop
	CMPQ SI, CX
	JA   stop
	VMOVDQU   (SI), Y0
	VPCMPEQB  Y0, Y15, Y1
	VPMOVMSKB Y1, BX
	VMOVDQU   Y0, (DI)
	TESTL     BX, BX
	JNE       escape
	ADDQ      $32, SI
	ADDQ      $32, DI
	JMP       copy

escape:
	BSFL BX, BX
	ADDQ BX, SI
	ADDQ BX, DI
	CMPB 1(SI), $0
	JNE  stop
	ADDQ $2, SI
	INCQ DI
	JMP  copy

stop:
	SUBQ dst+0(FP), DI
	SUBQ src+16(FP), SI
	MOVQ DI, written+32(FP)
	MOVQ SI, read+40(FP)
	VZEROUPPER
	RET
