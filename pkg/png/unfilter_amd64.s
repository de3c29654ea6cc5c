//go:build !purego

#include "textflag.h"

// func upAVX2(dst, src, prev *byte, n int) int
TEXT ·upAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ prev+16(FP), DX
	MOVQ n+24(FP), CX
	XORL AX, AX
	SUBQ $32, CX

loop:
	CMPQ    AX, CX
	JG      done
	VMOVDQU (SI)(AX*1), Y0
	VPADDB  (DX)(AX*1), Y0, Y0
	VMOVDQU Y0, (DI)(AX*1)
	ADDQ    $32, AX
	JMP     loop

done:
	MOVQ AX, ret+32(FP)
	VZEROUPPER
	RET

// func subAVX(dst, src *byte, n, pixel int) int
TEXT ·subAVX(SB), NOSPLIT, $0-40
	MOVQ  dst+0(FP), DI
	MOVQ  src+8(FP), SI
	MOVQ  n+16(FP), CX
	MOVQ  pixel+24(FP), BX
	XORL  AX, AX
	SUBQ  $8, CX
	VPXOR X0, X0, X0 // the pixel to the left

loop:
	CMPQ   AX, CX
	JG     done
	VMOVQ  (SI)(AX*1), X1
	VPADDB X1, X0, X0
	VMOVQ  X0, (DI)(AX*1)
	ADDQ   BX, AX
	JMP    loop

done:
	MOVQ AX, ret+32(FP)
	RET

// func averageAVX(dst, src, prev *byte, n, pixel int) int
TEXT ·averageAVX(SB), NOSPLIT, $0-48
	MOVQ     dst+0(FP), DI
	MOVQ     src+8(FP), SI
	MOVQ     prev+16(FP), DX
	MOVQ     n+24(FP), CX
	MOVQ     pixel+32(FP), BX
	XORL     AX, AX
	SUBQ     $8, CX
	VPXOR    X0, X0, X0    // the pixel to the left
	VPCMPEQB X5, X5, X5
	VPABSB   X5, X5        // ones, a byte each

loop:
	CMPQ   AX, CX
	JG     done
	VMOVQ  (DX)(AX*1), X1
	VMOVQ  (SI)(AX*1), X2
	VPXOR  X0, X1, X3
	VPAND  X5, X3, X3      // what VPAVGB rounds up
	VPAVGB X0, X1, X1
	VPSUBB X3, X2, X2
	VPADDB X1, X2, X0
	VMOVQ  X0, (DI)(AX*1)
	ADDQ   BX, AX
	JMP    loop

done:
	MOVQ AX, ret+40(FP)
	RET

// func paethAVX(dst, src, prev *byte, n, pixel int) int
TEXT ·paethAVX(SB), NOSPLIT, $0-48
	MOVQ  dst+0(FP), DI
	MOVQ  src+8(FP), SI
	MOVQ  prev+16(FP), DX
	MOVQ  n+24(FP), CX
	MOVQ  pixel+32(FP), BX
	XORL  AX, AX
	SUBQ  $8, CX
	VPXOR X0, X0, X0 // left, 16 bits a sample
	VPXOR X2, X2, X2 // above left, 16 bits
	VPXOR X15, X15, X15

loop:
	CMPQ      AX, CX
	JG        done
	VPMOVZXBW (DX)(AX*1), X1 // above
	VMOVQ     (SI)(AX*1), X3
	VPSUBW    X2, X1, X4     // above − corner: how far the prediction is from left
	VPSUBW    X2, X0, X5     // left − corner: how far from above
	VPADDW    X4, X5, X6     // and from corner
	VPABSW    X4, X4
	VPABSW    X5, X5
	VPABSW    X6, X6
	VPMINSW   X4, X5, X7
	VPMINSW   X6, X7, X7     // the least
	VPCMPEQW  X7, X5, X5
	VPCMPEQW  X7, X4, X4
	VPBLENDVB X5, X1, X2, X8 // above, or else corner
	VPBLENDVB X4, X0, X8, X8 // left, or else these
	VPACKUSWB X15, X8, X8
	VPADDB    X3, X8, X8
	VMOVQ     X8, (DI)(AX*1)
	VPMOVZXBW X8, X0
	VMOVDQA   X1, X2
	ADDQ      BX, AX
	JMP       loop

done:
	MOVQ AX, ret+40(FP)
	RET
