//go:build !purego

#include "textflag.h"
#include "blocks_amd64.h"
#include "encblocks_amd64.h"

VECTOR(widest, 0x001f001f001f001f)

// BINS transforms two blocks and keeps the bins of their coefficients.
#define BINS(to) \
	ROWS8(SI, Y0, Y2)              \
	ROWS8(DX, Y1, Y3)              \
	VMOVDQU   byBlock<>(SB), Y2    \
	VPERMD    Y0, Y2, Y0           \
	VPERMD    Y1, Y2, Y1           \
	FORWARD                        \
	VPABSW    Y4, Y4               \
	VPABSW    Y5, Y5               \
	VPSRLW    $3, Y4, Y4           \
	VPSRLW    $3, Y5, Y5           \
	VPMINUW   widest<>(SB), Y4, Y4 \
	VPMINUW   widest<>(SB), Y5, Y5 \
	VPACKUSWB Y5, Y4, Y4           \
	VMOVDQU   Y4, to(DI)

// func spreadAVX2(src, ref *byte, rows int) (most, last int)
TEXT ·spreadAVX2(SB), NOSPLIT, $256-40
	MOVQ     src+0(FP), SI
	MOVQ     ref+8(FP), DX
	MOVQ     rows+16(FP), CX
	LEAQ     bins-256(SP), DI
	MOVQ     CX, AX
	SHLQ     $6, AX
	VPCMPEQB Y0, Y0, Y0       // no bin
	VMOVDQU  Y0, 128(DI)
	VMOVDQU  Y0, 160(DI)
	VMOVDQU  Y0, 192(DI)
	VMOVDQU  Y0, 224(DI)

rows:
	BINS(0)
	ADDQ $8, SI
	ADDQ $8, DX
	BINS(32)
	ADDQ $120, SI
	ADDQ $120, DX
	ADDQ $64, DI
	DECQ CX
	JNE  rows

	LEAQ    bins-256(SP), DI
	VMOVDQU (DI), Y0
	VMOVDQU 32(DI), Y1
	VMOVDQU 64(DI), Y2
	VMOVDQU 96(DI), Y3
	VMOVDQU 128(DI), Y4
	VMOVDQU 160(DI), Y5
	VMOVDQU 192(DI), Y6
	VMOVDQU 224(DI), Y7
	VPXOR   Y8, Y8, Y8
	VPXOR   Y15, Y15, Y15
	VMOVDQU sums<>(SB), Y9
	XORL    BX, BX           // the largest count
	MOVL    $1, R8           // the last bin with any

bin:
	VPCMPEQB     Y8, Y0, Y10
	VPCMPEQB     Y8, Y1, Y11
	VPCMPEQB     Y8, Y2, Y12
	VPCMPEQB     Y8, Y3, Y13
	VPADDB       Y11, Y10, Y10
	VPADDB       Y13, Y12, Y12
	VPCMPEQB     Y8, Y4, Y11
	VPCMPEQB     Y8, Y5, Y13
	VPADDB       Y12, Y10, Y10
	VPADDB       Y13, Y11, Y11
	VPCMPEQB     Y8, Y6, Y12
	VPCMPEQB     Y8, Y7, Y13
	VPADDB       Y11, Y10, Y10
	VPADDB       Y13, Y12, Y12
	VPADDB       Y12, Y10, Y10
	VPSUBB       Y10, Y15, Y10
	VPSADBW      Y15, Y10, Y10
	VEXTRACTI128 $1, Y10, X11
	VPADDQ       X11, X10, X10
	VPSRLDQ      $8, X10, X11
	VPADDQ       X11, X10, X10
	VMOVQ        X10, R9
	VPADDB       Y9, Y8, Y8
	TESTQ        R9, R9
	CMOVQNE      CX, R8
	CMPQ         R9, BX
	CMOVQHI      R9, BX
	INCQ         CX
	SUBQ         R9, AX
	JNE          bin

	MOVQ BX, most+24(FP)
	MOVQ R8, last+32(FP)
	VZEROUPPER
	RET
