//go:build !purego

#include "textflag.h"

// func narrowAVX2(out *byte, row *uint16, n, shift int)
//
// n is a multiple of 32.
TEXT ·narrowAVX2(SB), NOSPLIT, $0-32
	MOVQ out+0(FP), DI
	MOVQ row+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ shift+24(FP), AX
	MOVQ AX, X3

next:
	VMOVDQU (SI), Y0
	VMOVDQU 32(SI), Y1
	VPSRLW  X3, Y0, Y0
	VPSRLW  X3, Y1, Y1
	VPACKUSWB Y1, Y0, Y0
	VPERMQ  $0xd8, Y0, Y0
	VMOVDQU Y0, (DI)
	ADDQ    $64, SI
	ADDQ    $32, DI
	SUBQ    $32, CX
	JNZ     next
	VZEROUPPER
	RET
