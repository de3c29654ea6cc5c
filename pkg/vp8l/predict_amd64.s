//go:build !purego

#include "textflag.h"

// Each function adds a prediction to n coded pixels. dst is preceded by the pixel to the left; above by the one above
// to the left, and followed by the one above to the right and at least 12 bytes.
//
// A mean that is rounded down is the complement of VPAVGB of complements. Where it depends on the pixel to the left,
// X0 holds the complement of that: then it takes an instruction less from pixel to pixel.

#define ARGUMENTS \
	MOVQ dst+0(FP), DI    \
	MOVQ above+8(FP), SI  \
	MOVQ coded+16(FP), DX \
	MOVQ n+24(FP), CX

#define NEXT(loop) \
	ADDQ $4, DI \
	ADDQ $4, SI \
	ADDQ $4, DX \
	DECQ CX     \
	JNE  loop

// ONES sets all bits of X7.
#define ONES VPCMPEQB X7, X7, X7

// COMPLEMENT takes the complement of the pixel to the left.
#define COMPLEMENT \
	VMOVD -4(DI), X0   \
	VPXOR X7, X0, X0

// COMPLETE adds what is coded to the complement of X0, which becomes that of the pixel.
#define COMPLETE \
	VMOVD  (DX), X3    \
	VPSUBB X3, X0, X0  \
	VPXOR  X7, X0, X3  \
	VMOVD  X3, (DI)

// func leftAVX(dst, above, coded *uint32, n int)
TEXT ·leftAVX(SB), NOSPLIT, $0-32
	ARGUMENTS
	VBROADCASTSS -4(DI), X0
	SUBQ $4, CX
	JB   rest

four:
	VMOVDQU (DX), X1
	VPSLLDQ $4, X1, X2
	VPADDB  X2, X1, X1
	VPSLLDQ $8, X1, X2
	VPADDB  X2, X1, X1
	VPADDB  X1, X0, X0
	VMOVDQU X0, (DI)
	VPSHUFD $0xff, X0, X0
	ADDQ $16, DX
	ADDQ $16, DI
	SUBQ $4, CX
	JAE  four

rest:
	ADDQ $4, CX
	JEQ  done

one:
	VMOVD  (DX), X1
	VPADDB X1, X0, X0
	VMOVD  X0, (DI)
	NEXT(one)

done:
	RET

// VECTOR adds what PREDICT makes in Y1, or its lower part, of the row above: eight pixels at once, then one.
#define VECTOR(PREDICT, eight, rest, one, done) \
	ARGUMENTS                \
	VPCMPEQB Y7, Y7, Y7      \
	SUBQ     $8, CX          \
	JB       rest            \
eight: \
	PREDICT(Y1, Y2, Y7)      \
	VPADDB   (DX), Y1, Y1    \
	VMOVDQU  Y1, (DI)        \
	ADDQ     $32, DX         \
	ADDQ     $32, SI         \
	ADDQ     $32, DI         \
	SUBQ     $8, CX          \
	JAE      eight           \
rest: \
	ADDQ     $8, CX          \
	JEQ      done            \
one: \
	PREDICT(X1, X2, X7)      \
	VMOVD    (DX), X2        \
	VPADDB   X2, X1, X1      \
	VMOVD    X1, (DI)        \
	NEXT(one)                \
done: \
	VZEROUPPER               \
	RET

#define BLACK(a, b, ones) VPSLLD $24, ones, a
#define TOP(a, b, ones) VMOVDQU (SI), a
#define TOPRIGHT(a, b, ones) VMOVDQU 4(SI), a
#define TOPLEFT(a, b, ones) VMOVDQU -4(SI), a

// MEAN is that of the pixels above and above to the left or right.
#define MEAN(to, a, b, ones) \
	VPXOR  (SI), ones, a    \
	VPXOR  to(SI), ones, b  \
	VPAVGB b, a, a          \
	VPXOR  ones, a, a

#define MEANLEFT(a, b, ones) MEAN(-4, a, b, ones)
#define MEANRIGHT(a, b, ones) MEAN(4, a, b, ones)

// func blackAVX2(dst, above, coded *uint32, n int)
TEXT ·blackAVX2(SB), NOSPLIT, $0-32
	VECTOR(BLACK, eight, rest, one, done)

// func topAVX2(dst, above, coded *uint32, n int)
TEXT ·topAVX2(SB), NOSPLIT, $0-32
	VECTOR(TOP, eight, rest, one, done)

// func topRightAVX2(dst, above, coded *uint32, n int)
TEXT ·topRightAVX2(SB), NOSPLIT, $0-32
	VECTOR(TOPRIGHT, eight, rest, one, done)

// func topLeftAVX2(dst, above, coded *uint32, n int)
TEXT ·topLeftAVX2(SB), NOSPLIT, $0-32
	VECTOR(TOPLEFT, eight, rest, one, done)

// func meanTopLeftAVX2(dst, above, coded *uint32, n int)
TEXT ·meanTopLeftAVX2(SB), NOSPLIT, $0-32
	VECTOR(MEANLEFT, eight, rest, one, done)

// func meanTopRightAVX2(dst, above, coded *uint32, n int)
TEXT ·meanTopRightAVX2(SB), NOSPLIT, $0-32
	VECTOR(MEANRIGHT, eight, rest, one, done)

// func meanThreeAVX(dst, above, coded *uint32, n int)
TEXT ·meanThreeAVX(SB), NOSPLIT, $0-32
	ARGUMENTS
	ONES
	COMPLEMENT

next:
	VPXOR  4(SI), X7, X1
	VPXOR  (SI), X7, X2
	VPAVGB X1, X0, X0
	VPAVGB X2, X0, X0
	COMPLETE
	NEXT(next)
	RET

// func meanLeftTopLeftAVX(dst, above, coded *uint32, n int)
TEXT ·meanLeftTopLeftAVX(SB), NOSPLIT, $0-32
	ARGUMENTS
	ONES
	COMPLEMENT

next:
	VPXOR  -4(SI), X7, X1
	VPAVGB X1, X0, X0
	COMPLETE
	NEXT(next)
	RET

// func meanLeftTopAVX(dst, above, coded *uint32, n int)
TEXT ·meanLeftTopAVX(SB), NOSPLIT, $0-32
	ARGUMENTS
	ONES
	COMPLEMENT

next:
	VPXOR  (SI), X7, X1
	VPAVGB X1, X0, X0
	COMPLETE
	NEXT(next)
	RET

// func meanFourAVX(dst, above, coded *uint32, n int)
TEXT ·meanFourAVX(SB), NOSPLIT, $0-32
	ARGUMENTS
	ONES
	COMPLEMENT

next:
	VPXOR  -4(SI), X7, X1
	VPXOR  (SI), X7, X2
	VPXOR  4(SI), X7, X3
	VPAVGB X3, X2, X2
	VPAVGB X1, X0, X0
	VPAVGB X2, X0, X0
	COMPLETE
	NEXT(next)
	RET

// func nearerAVX(dst, above, coded *uint32, n int)
TEXT ·nearerAVX(SB), NOSPLIT, $0-32
	ARGUMENTS
	VMOVD -4(DI), X0
	VMOVD -4(SI), X2

next:
	VMOVD     (SI), X1
	VPSADBW   X2, X1, X3
	VPSADBW   X2, X0, X4
	VPCMPGTD  X3, X4, X5
	VMOVD     (DX), X6
	VPBLENDVB X5, X0, X1, X0
	VPADDB    X6, X0, X0
	VMOVD     X0, (DI)
	VMOVDQA   X1, X2
	NEXT(next)
	RET

// func fullAVX(dst, above, coded *uint32, n int)
TEXT ·fullAVX(SB), NOSPLIT, $0-32
	ARGUMENTS
	VPMOVZXBW -4(DI), X0
	VPMOVZXBW -4(SI), X2

next:
	VPMOVZXBW (SI), X1
	VMOVD     (DX), X6
	VPSUBW    X2, X1, X3
	VPADDW    X3, X0, X0
	VPACKUSWB X0, X0, X0
	VPADDB    X6, X0, X0
	VMOVD     X0, (DI)
	VPMOVZXBW X0, X0
	VMOVDQA   X1, X2
	NEXT(next)
	RET

// func halfAVX(dst, above, coded *uint32, n int)
TEXT ·halfAVX(SB), NOSPLIT, $0-32
	ARGUMENTS
	VPMOVZXBW -4(DI), X0
	VPMOVZXBW -4(SI), X2

next:
	VPMOVZXBW (SI), X1
	VMOVD     (DX), X6
	VPADDW    X1, X0, X0
	VPSRLW    $1, X0, X0
	VPSUBW    X2, X0, X3
	VPSRLW    $15, X3, X4
	VPADDW    X4, X3, X3
	VPSRAW    $1, X3, X3
	VPADDW    X3, X0, X0
	VPACKUSWB X0, X0, X0
	VPADDB    X6, X0, X0
	VMOVD     X0, (DI)
	VPMOVZXBW X0, X0
	VMOVDQA   X1, X2
	NEXT(next)
	RET
