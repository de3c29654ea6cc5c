//go:build !purego

#include "textflag.h"

// The weights of 32 bytes in b: 32 for the first, 1 for the last.
DATA weights<>+0(SB)/8, $0x191a1b1c1d1e1f20
DATA weights<>+8(SB)/8, $0x1112131415161718
DATA weights<>+16(SB)/8, $0x090a0b0c0d0e0f10
DATA weights<>+24(SB)/8, $0x0102030405060708
GLOBL weights<>(SB), RODATA|NOPTR, $32

// func adlerAVX2(a, b uint32, p *byte, size int) (a2, b2 uint32)
TEXT ·adlerAVX2(SB), NOSPLIT, $0-32
	MOVL a+0(FP), AX
	MOVL b+4(FP), BX
	MOVQ p+8(FP), SI
	MOVQ size+16(FP), CX

	// b grows by a for each byte.
	MOVL  AX, DX
	IMULL CX, DX
	ADDL  DX, BX

	VMOVDQU  weights<>(SB), Y7
	VPCMPEQW Y6, Y6, Y6
	VPSRLW   $15, Y6, Y6  // ones of 16 bits
	VPXOR    Y5, Y5, Y5   // zero
	VPXOR    Y0, Y0, Y0   // the sum of bytes so far, 64-bit lanes
	VPXOR    Y1, Y1, Y1   // weighted sums, 32-bit lanes
	VPXOR    Y2, Y2, Y2   // the sum of Y0 before each 32 bytes

loop:
	VMOVDQU    (SI), Y3
	VPADDD     Y0, Y2, Y2
	VPSADBW    Y5, Y3, Y4
	VPADDD     Y4, Y0, Y0
	VPMADDUBSW Y7, Y3, Y3
	VPMADDWD   Y6, Y3, Y3
	VPADDD     Y3, Y1, Y1
	ADDQ       $32, SI
	SUBQ       $32, CX
	JNE        loop

	VPSLLD $5, Y2, Y2 // 32 bytes each
	VPADDD Y2, Y1, Y1

	VEXTRACTI128 $1, Y0, X3
	VPADDD       X3, X0, X0
	VPSHUFD      $0x4e, X0, X3
	VPADDD       X3, X0, X0
	VMOVD        X0, DX
	ADDL         DX, AX
	VEXTRACTI128 $1, Y1, X3
	VPADDD       X3, X1, X1
	VPSHUFD      $0x4e, X1, X3
	VPADDD       X3, X1, X1
	VPSHUFD      $0xb1, X1, X3
	VPADDD       X3, X1, X1
	VMOVD        X1, DX
	ADDL         DX, BX
	VZEROUPPER
	MOVL         AX, a2+24(FP)
	MOVL         BX, b2+28(FP)
	RET
