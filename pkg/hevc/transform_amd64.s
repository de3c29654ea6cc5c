//go:build !purego

#include "textflag.h"

// The order of words of a row whose second half was computed from its end: the words of the upper lane are reversed.
DATA half<>+0(SB)/8, $0x0706050403020100
DATA half<>+8(SB)/8, $0x0f0e0d0c0b0a0908
DATA half<>+16(SB)/8, $0x09080b0a0d0c0f0e
DATA half<>+24(SB)/8, $0x0100030205040706
GLOBL half<>(SB), RODATA|NOPTR, $32

DATA reversed<>+0(SB)/8, $0x09080b0a0d0c0f0e
DATA reversed<>+8(SB)/8, $0x0100030205040706
DATA reversed<>+16(SB)/8, $0x09080b0a0d0c0f0e
DATA reversed<>+24(SB)/8, $0x0100030205040706
GLOBL reversed<>(SB), RODATA|NOPTR, $32

// The same for a row of eight words, the upper four of which are reversed.
DATA quarter<>+0(SB)/8, $0x0706050403020100
DATA quarter<>+8(SB)/8, $0x09080b0a0d0c0f0e
GLOBL quarter<>(SB), RODATA|NOPTR, $16

DATA sixtyfour<>+0(SB)/4, $64
GLOBL sixtyfour<>(SB), RODATA|NOPTR, $4

// ARGUMENTS loads those of the functions for rows. Y15 rounds, Y14 is the largest sample, Y13 zero, X12 the shift.
#define ARGUMENTS \
	MOVQ p+0(FP), SI             \
	MOVQ dst+8(FP), DI           \
	MOVQ stride+16(FP), R8       \
	ADDQ R8, R8                  \
	MOVQ quads+32(FP), R10       \
	MOVQ shift+40(FP), CX        \
	MOVQ CX, X12                 \
	MOVL $1, AX                  \
	SHLQ CX, AX                  \
	SHRQ $1, AX                  \
	MOVQ AX, X15                 \
	VPBROADCASTD X15, Y15        \
	MOVQ most+48(FP), AX         \
	MOVQ AX, X14                 \
	VPBROADCASTW X14, Y14        \
	VPXOR Y13, Y13, Y13

// func columnsAVX2(p, out *int16, table *uint32, n, groups, quads int)
//
// Eight columns at a time. Of each four rows the even ones and the odd ones are interleaved in the frame; then each pair
// of output rows, one from the top and one from the bottom, is the sum and the difference of what even and odd rows make.
TEXT ·columnsAVX2(SB), NOSPLIT, $512-48
	MOVQ p+0(FP), SI
	MOVQ out+8(FP), DI
	MOVQ n+24(FP), R8
	MOVQ groups+32(FP), R9
	MOVQ quads+40(FP), R10
	LEAQ (R8*2), R11             // bytes of a row
	VPBROADCASTD sixtyfour<>(SB), Y15

group:
	MOVQ SI, AX
	LEAQ buffer-512(SP), BX
	MOVQ R10, CX

gather:
	VMOVDQU (AX), X0
	VMOVDQU (AX)(R11*1), X1
	LEAQ (AX)(R11*2), AX
	VMOVDQU (AX), X2
	VMOVDQU (AX)(R11*1), X3
	LEAQ (AX)(R11*2), AX
	VPUNPCKLWD X2, X0, X4
	VPUNPCKHWD X2, X0, X5
	VINSERTI128 $1, X5, Y4, Y4
	VMOVDQU Y4, (BX)
	VPUNPCKLWD X3, X1, X6
	VPUNPCKHWD X3, X1, X7
	VINSERTI128 $1, X7, Y6, Y6
	VMOVDQU Y6, 32(BX)
	ADDQ $64, BX
	DECQ CX
	JNZ  gather

	MOVQ table+16(FP), DX
	MOVQ DI, R12                 // the row from the top
	MOVQ R8, R13
	DECQ R13
	IMULQ R11, R13
	ADDQ DI, R13                 // the row from the bottom

row:
	LEAQ buffer-512(SP), BX
	MOVQ DX, AX
	MOVQ R10, CX
	VMOVDQA Y15, Y0
	VPXOR Y1, Y1, Y1

sum:
	VPBROADCASTD (AX), Y2
	VPBROADCASTD 4(AX), Y3
	VPMADDWD (BX), Y2, Y2
	VPMADDWD 32(BX), Y3, Y3
	VPADDD Y2, Y0, Y0
	VPADDD Y3, Y1, Y1
	ADDQ $8, AX
	ADDQ $64, BX
	DECQ CX
	JNZ  sum

	VPADDD Y1, Y0, Y2
	VPSUBD Y1, Y0, Y3
	VPSRAD $7, Y2, Y2
	VPSRAD $7, Y3, Y3
	VPACKSSDW Y3, Y2, Y2
	VPERMQ $0xd8, Y2, Y2
	VPSHUFLW $0xd8, Y2, Y2       // even columns before odd ones, of each four
	VPSHUFHW $0xd8, Y2, Y2
	VMOVDQU X2, (R12)
	VEXTRACTI128 $1, Y2, (R13)
	LEAQ (DX)(R8*2), DX
	ADDQ R11, R12
	SUBQ R11, R13
	CMPQ R12, R13
	JB   row

	ADDQ $16, SI
	ADDQ $16, DI
	DECQ R9
	JNZ  group
	VZEROUPPER
	RET

// func rows32AVX2(p *int16, dst *uint16, stride int, table *uint32, quads, shift, most int)
TEXT ·rows32AVX2(SB), NOSPLIT, $0-56
	ARGUMENTS
	VMOVDQU reversed<>(SB), Y11
	MOVQ $32, R9

row:
	MOVQ table+24(FP), DX
	MOVQ SI, AX
	MOVQ R10, CX
	VMOVDQA Y15, Y0
	VMOVDQA Y15, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3

sum:
	VPBROADCASTD (AX), Y4
	VPBROADCASTD 4(AX), Y5
	VPMADDWD (DX), Y4, Y6
	VPMADDWD 32(DX), Y4, Y7
	VPMADDWD 64(DX), Y5, Y8
	VPMADDWD 96(DX), Y5, Y9
	VPADDD Y6, Y0, Y0
	VPADDD Y7, Y1, Y1
	VPADDD Y8, Y2, Y2
	VPADDD Y9, Y3, Y3
	ADDQ $8, AX
	ADDQ $128, DX
	DECQ CX
	JNZ  sum

	VPADDD Y2, Y0, Y4
	VPADDD Y3, Y1, Y5
	VPSUBD Y2, Y0, Y6
	VPSUBD Y3, Y1, Y7
	VPSRAD X12, Y4, Y4
	VPSRAD X12, Y5, Y5
	VPSRAD X12, Y6, Y6
	VPSRAD X12, Y7, Y7
	VPACKSSDW Y5, Y4, Y4
	VPACKSSDW Y7, Y6, Y6
	VPERMQ $0xd8, Y4, Y4
	VPERMQ $0x8d, Y6, Y6         // in order, and the lanes changed
	VPSHUFB Y11, Y6, Y6
	VPADDSW (DI), Y4, Y4
	VPADDSW 32(DI), Y6, Y6
	VPMAXSW Y13, Y4, Y4
	VPMAXSW Y13, Y6, Y6
	VPMINSW Y14, Y4, Y4
	VPMINSW Y14, Y6, Y6
	VMOVDQU Y4, (DI)
	VMOVDQU Y6, 32(DI)
	ADDQ $64, SI
	ADDQ R8, DI
	DECQ R9
	JNZ  row
	VZEROUPPER
	RET

// func rows16AVX2(p *int16, dst *uint16, stride int, table *uint32, quads, shift, most int)
TEXT ·rows16AVX2(SB), NOSPLIT, $0-56
	ARGUMENTS
	VMOVDQU half<>(SB), Y11
	MOVQ $16, R9

row:
	MOVQ table+24(FP), DX
	MOVQ SI, AX
	MOVQ R10, CX
	VMOVDQA Y15, Y0
	VPXOR Y2, Y2, Y2

sum:
	VPBROADCASTD (AX), Y4
	VPBROADCASTD 4(AX), Y5
	VPMADDWD (DX), Y4, Y6
	VPMADDWD 32(DX), Y5, Y8
	VPADDD Y6, Y0, Y0
	VPADDD Y8, Y2, Y2
	ADDQ $8, AX
	ADDQ $64, DX
	DECQ CX
	JNZ  sum

	VPADDD Y2, Y0, Y4
	VPSUBD Y2, Y0, Y6
	VPSRAD X12, Y4, Y4
	VPSRAD X12, Y6, Y6
	VPACKSSDW Y6, Y4, Y4
	VPERMQ $0xd8, Y4, Y4
	VPSHUFB Y11, Y4, Y4
	VPADDSW (DI), Y4, Y4
	VPMAXSW Y13, Y4, Y4
	VPMINSW Y14, Y4, Y4
	VMOVDQU Y4, (DI)
	ADDQ $32, SI
	ADDQ R8, DI
	DECQ R9
	JNZ  row
	VZEROUPPER
	RET

// func rows8AVX2(p *int16, dst *uint16, stride int, table *uint32, quads, shift, most int)
TEXT ·rows8AVX2(SB), NOSPLIT, $0-56
	ARGUMENTS
	VMOVDQU quarter<>(SB), X11
	MOVQ $8, R9

row:
	MOVQ table+24(FP), DX
	MOVQ SI, AX
	MOVQ R10, CX
	VMOVDQA X15, X0
	VPXOR X2, X2, X2

sum:
	VPBROADCASTD (AX), X4
	VPBROADCASTD 4(AX), X5
	VPMADDWD (DX), X4, X6
	VPMADDWD 16(DX), X5, X8
	VPADDD X6, X0, X0
	VPADDD X8, X2, X2
	ADDQ $8, AX
	ADDQ $32, DX
	DECQ CX
	JNZ  sum

	VPADDD X2, X0, X4
	VPSUBD X2, X0, X6
	VPSRAD X12, X4, X4
	VPSRAD X12, X6, X6
	VPACKSSDW X6, X4, X4
	VPSHUFB X11, X4, X4
	VPADDSW (DI), X4, X4
	VPMAXSW X13, X4, X4
	VPMINSW X14, X4, X4
	VMOVDQU X4, (DI)
	ADDQ $16, SI
	ADDQ R8, DI
	DECQ R9
	JNZ  row
	VZEROUPPER
	RET
