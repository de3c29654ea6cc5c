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

// SUM adds the absolute values of the signed bytes of v to the sums in s. It spoils Y15; Y14 is zero.
#define SUM(v, s) \
	VPABSB  v, Y15       \
	VPSADBW Y14, Y15, Y15 \
	VPADDQ  Y15, s, s

// TOTAL adds the four sums in Y (of which X is the lower half) to memory.
#define TOTAL(Y, X, at) \
	VEXTRACTI128 $1, Y, X15 \
	VPADDQ       X15, X, X  \
	VPSHUFD      $0x4e, X, X15 \
	VPADDQ       X15, X, X  \
	VMOVQ        X, AX      \
	ADDQ         AX, at

// func filterAVX2(args *filterArgs)
TEXT ·filterAVX2(SB), NOSPLIT, $0-8
	MOVQ  args+0(FP), BX
	MOVQ  8(BX), R8        // sub
	MOVQ  16(BX), R9       // up
	MOVQ  24(BX), R10      // average
	MOVQ  32(BX), R11      // paeth
	MOVQ  40(BX), SI       // row
	MOVQ  48(BX), DI       // left
	MOVQ  56(BX), DX       // above
	MOVQ  64(BX), R12      // corner
	MOVQ  72(BX), CX
	XORL  R13, R13
	VPXOR Y14, Y14, Y14
	VPXOR Y9, Y9, Y9       // sums
	VPXOR Y10, Y10, Y10
	VPXOR Y11, Y11, Y11
	VPXOR Y12, Y12, Y12
	VPXOR Y13, Y13, Y13

loop:
	VMOVDQU (SI)(R13*1), Y0  // the row
	VMOVDQU (DI)(R13*1), Y1  // left
	VMOVDQU (DX)(R13*1), Y2  // above
	VMOVDQU (R12)(R13*1), Y3 // corner
	SUM(Y0, Y9)

	VPSUBB  Y1, Y0, Y4
	VMOVDQU Y4, (R8)(R13*1)
	SUM(Y4, Y10)

	VPSUBB  Y2, Y0, Y4
	VMOVDQU Y4, (R9)(R13*1)
	SUM(Y4, Y11)

	// The average, rounded down: rounded up, less one where the sum is odd.
	VPAVGB   Y1, Y2, Y4
	VPXOR    Y1, Y2, Y5
	VPCMPEQB Y6, Y6, Y6
	VPABSB   Y6, Y6
	VPAND    Y6, Y5, Y5
	VPSUBB   Y5, Y4, Y4
	VPSUBB   Y4, Y0, Y4
	VMOVDQU  Y4, (R10)(R13*1)
	SUM(Y4, Y12)

	// How far the prediction is from left: |above − corner|; from above: |left − corner|. From corner it is the sum of
	// both where they point the same way, which is never the least but for ties, and otherwise their difference.
	VPSUBUSB Y3, Y2, Y4
	VPSUBUSB Y2, Y3, Y5
	VPSUBUSB Y3, Y1, Y6
	VPSUBUSB Y1, Y3, Y7
	VPOR     Y4, Y5, Y8      // |above − corner|
	VPOR     Y6, Y7, Y15     // |left − corner|
	VPCMPEQB Y14, Y4, Y4     // above ≤ corner
	VPCMPEQB Y14, Y6, Y6     // left ≤ corner
	VPXOR    Y4, Y6, Y4      // they point in different ways, or one is nothing
	VPMAXUB  Y8, Y15, Y5
	VPMINUB  Y8, Y15, Y6
	VPSUBB   Y6, Y5, Y7      // the difference
	VPADDUSB Y8, Y15, Y5     // the sum
	VPBLENDVB Y4, Y7, Y5, Y5 // from corner
	VPMINUB  Y15, Y5, Y7     // the lesser of those from above and from corner
	VPMINUB  Y7, Y8, Y6
	VPCMPEQB Y6, Y8, Y6      // left is nearest
	VPCMPEQB Y7, Y15, Y7     // above is nearer than corner
	VPBLENDVB Y7, Y2, Y3, Y7
	VPBLENDVB Y6, Y1, Y7, Y7
	VPSUBB   Y7, Y0, Y4
	VMOVDQU  Y4, (R11)(R13*1)
	SUM(Y4, Y13)

	ADDQ $32, R13
	CMPQ R13, CX
	JLT  loop

	MOVQ (BX), BX
	TOTAL(Y9, X9, 0(BX))
	TOTAL(Y10, X10, 8(BX))
	TOTAL(Y11, X11, 16(BX))
	TOTAL(Y12, X12, 24(BX))
	TOTAL(Y13, X13, 32(BX))
	VZEROUPPER
	RET
