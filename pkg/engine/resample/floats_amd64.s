//go:build !purego

#include "textflag.h"

// Products are rounded before they are added (VMULPS and VADDPS, no VFMADD), so that plain code gives the same bits on
// every machine.

// func filterAVX2(dst, src *float32, starts *int32, n int, weights *float32, blocks int)
//
// Four outputs at a time. Each has a vector of eight sums: the first block of eight taps adds a product to each, then
// the next. Two rounds of horizontal additions make, in each half of a vector, one sum of each output's four; the sum
// of the halves is the four outputs beside each other.
TEXT ·filterAVX2(SB), NOSPLIT, $0-48
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ starts+16(FP), DX
	MOVQ n+24(FP), CX
	MOVQ weights+32(FP), R8
	MOVQ blocks+40(FP), R9
	SHLQ $5, R9                // bytes of one output's weights

outputs:
	MOVLQSX (DX), R10          // where each output's samples begin
	MOVLQSX 4(DX), R11
	MOVLQSX 8(DX), R12
	MOVLQSX 12(DX), R13
	LEAQ (SI)(R10*4), R10
	LEAQ (SI)(R11*4), R11
	LEAQ (SI)(R12*4), R12
	LEAQ (SI)(R13*4), R13
	LEAQ (R8)(R9*1), R14       // the weights of the second output, of the third and of the fourth
	LEAQ (R14)(R9*1), R15
	LEAQ (R15)(R9*1), BX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	XORQ AX, AX                // bytes of taps that are done

block:
	VMOVUPS (R10)(AX*1), Y4
	VMOVUPS (R11)(AX*1), Y5
	VMOVUPS (R12)(AX*1), Y6
	VMOVUPS (R13)(AX*1), Y7
	VMULPS (R8)(AX*1), Y4, Y4
	VMULPS (R14)(AX*1), Y5, Y5
	VMULPS (R15)(AX*1), Y6, Y6
	VMULPS (BX)(AX*1), Y7, Y7
	VADDPS Y4, Y0, Y0
	VADDPS Y5, Y1, Y1
	VADDPS Y6, Y2, Y2
	VADDPS Y7, Y3, Y3
	ADDQ $32, AX
	CMPQ AX, R9
	JNE  block

	VHADDPS Y1, Y0, Y0         // 0+1 and 2+3 of the first output, then of the second, in each half
	VHADDPS Y3, Y2, Y2
	VHADDPS Y2, Y0, Y0         // all four of each output, in each half
	VEXTRACTF128 $1, Y0, X1
	VADDPS X1, X0, X0
	VMOVUPS X0, (DI)
	LEAQ (BX)(R9*1), R8
	ADDQ $16, DX
	ADDQ $16, DI
	SUBQ $4, CX
	JNZ  outputs
	VZEROUPPER
	RET

// func addAVX2(dst, src *float32, n int, weight float32)
TEXT ·addAVX2(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	VBROADCASTSS weight+24(FP), Y0
	XORQ AX, AX

eight:
	VMULPS (SI)(AX*4), Y0, Y1
	VADDPS (DI)(AX*4), Y1, Y1
	VMOVUPS Y1, (DI)(AX*4)
	ADDQ $8, AX
	CMPQ AX, CX
	JNE  eight
	VZEROUPPER
	RET
