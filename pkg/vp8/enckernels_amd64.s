//go:build !purego

#include "textflag.h"
#include "blocks_amd64.h"
#include "encblocks_amd64.h"

// The arithmetic is that of enckernels.go. Rows of samples are 32 bytes apart: encStride.

// func forwardAVX2(src, ref *byte, out *[16]int16)
TEXT ·forwardAVX2(SB), NOSPLIT, $0-24
	MOVQ    src+0(FP), SI
	MOVQ    ref+8(FP), DX
	MOVQ    out+16(FP), DI
	ROWS4(SI, X0, X2)
	ROWS4(DX, X1, X3)
	FORWARD
	VMOVDQU X4, (DI)
	VMOVDQU X5, 16(DI)
	VZEROUPPER
	RET

// func forwardPairAVX2(src, ref *byte, out *[32]int16)
TEXT ·forwardPairAVX2(SB), NOSPLIT, $0-24
	MOVQ         src+0(FP), SI
	MOVQ         ref+8(FP), DX
	MOVQ         out+16(FP), DI
	ROWS8(SI, Y0, Y2)
	ROWS8(DX, Y1, Y3)
	VMOVDQU      byBlock<>(SB), Y2
	VPERMD       Y0, Y2, Y0
	VPERMD       Y1, Y2, Y1
	FORWARD
	VMOVDQU      X4, (DI)
	VMOVDQU      X5, 16(DI)
	VEXTRACTI128 $1, Y4, 32(DI)
	VEXTRACTI128 $1, Y5, 48(DI)
	VZEROUPPER
	RET

// COLUMN gathers the first coefficients of four blocks that are four apart.
#define COLUMN(at, to) \
	VMOVD   at(SI), to             \
	VPINSRW $1, at+128(SI), to, to \
	VPINSRW $2, at+256(SI), to, to \
	VPINSRW $3, at+384(SI), to, to

// WHT transforms X0 to X3 to X4 to X7.
#define WHT \
	VPADDW X2, X0, X8  \
	VPSUBW X2, X0, X9  \
	VPADDW X3, X1, X10 \
	VPSUBW X3, X1, X11 \
	VPADDW X10, X8, X4 \
	VPADDW X11, X9, X5 \
	VPSUBW X11, X9, X6 \
	VPSUBW X10, X8, X7

// func forwardWHTAVX2(in *int16, out *[16]int16)
TEXT ·forwardWHTAVX2(SB), NOSPLIT, $0-16
	MOVQ        in+0(FP), SI
	MOVQ        out+8(FP), DI
	COLUMN(0, X0)
	COLUMN(32, X1)
	COLUMN(64, X2)
	VPXOR       X3, X3, X3
	VPINSRW     $0, 96(SI), X3, X3  // there may be nothing behind the last one
	VPINSRW     $1, 224(SI), X3, X3
	VPINSRW     $2, 352(SI), X3, X3
	VPINSRW     $3, 480(SI), X3, X3
	WHT
	VPUNPCKLWD  X5, X4, X0
	VPUNPCKLWD  X7, X6, X1
	VPUNPCKHDQ  X1, X0, X2
	VPUNPCKLDQ  X1, X0, X0
	VPSHUFD     $0x4e, X0, X1
	VPSHUFD     $0x4e, X2, X3
	WHT
	VPUNPCKLQDQ X5, X4, X4
	VPUNPCKLQDQ X7, X6, X6
	VPSRAW      $1, X4, X4
	VPSRAW      $1, X6, X6
	VMOVDQU     X4, (DI)
	VMOVDQU     X6, 16(DI)
	RET
