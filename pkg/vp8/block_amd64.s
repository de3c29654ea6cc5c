//go:build !purego

#include "textflag.h"

// A block's coefficients are read with the reader's fields in registers:
//
//	R8  value      R9  span      R10 have      R11 the byte that is loaded next
//	R12 the probabilities of the current position and context
//	R13 the position, 0 to 16    SI all probabilities    DI the coefficients
//	BX  the value of a coefficient                       AX, CX, DX scratch

DATA places<>+0(SB)/8, $0x0603020508040100
DATA places<>+8(SB)/8, $0x0f0e0b070a0d0c09
GLOBL places<>(SB), RODATA|NOPTR, $16

// What categories of large values have for their bits, ended by 0: 3 in the low bytes of the first 16, and so on.
DATA categories<>+0(SB)/8, $0x00000000008c94ad
DATA categories<>+8(SB)/8, $0
DATA categories<>+16(SB)/8, $0x00000000878c9bb0
DATA categories<>+24(SB)/8, $0
DATA categories<>+32(SB)/8, $0x00000082868d9db4
DATA categories<>+40(SB)/8, $0
DATA categories<>+48(SB)/8, $0x8c99b1c4e6f3fefe
DATA categories<>+56(SB)/8, $0x0000000000818285
GLOBL categories<>(SB), RODATA|NOPTR, $64

// FILL makes sure that at least 56 bits are there, enough for seven decisions.
#define FILL \
	MOVQ   (R11), AX     \
	BSWAPQ AX            \
	SHRXQ  R10, AX, AX   \
	ORQ    AX, R8        \
	MOVL   $63, CX       \
	SUBL   R10, CX       \
	SHRL   $3, CX        \
	ADDQ   CX, R11       \
	LEAQ   (R10)(CX*8), R10

// SPLIT divides the interval by the probability in AX: CX is the lower part, DX the same on top of 64 bits, and the flags
// compare the value with it.
#define SPLIT \
	MOVL  R9, CX    \
	IMULL AX, CX    \
	NEGL  AX        \
	LEAL  256(CX)(AX*1), CX \
	SHRL  $8, CX    \
	MOVQ  CX, DX    \
	SHLQ  $56, DX   \
	CMPQ  R8, DX

#define DECIDE(offset) \
	MOVBLZX offset(R12), AX \
	SPLIT

#define NORMALIZE \
	LZCNTL R9, CX     \
	SUBL   $24, CX    \
	SHLXQ  CX, R8, R8 \
	SHLXL  CX, R9, R9 \
	SUBQ   CX, R10

// ZERO and ONE take the lower or the upper part.
#define ZERO \
	MOVL CX, R9 \
	NORMALIZE

#define ONE \
	SUBQ DX, R8 \
	SUBL CX, R9 \
	NORMALIZE

// APPEND decides a bit without a jump and appends it to BX.
#define APPEND \
	SPLIT               \
	MOVL    R9, AX      \
	SUBL    CX, AX      \
	MOVL    CX, R9      \
	MOVQ    R8, CX      \
	SUBQ    DX, CX      \
	CMOVQCC CX, R8      \
	CMOVLCC AX, R9      \
	CMC                 \
	ADCL    BX, BX      \
	NORMALIZE

// func blockBMI2(b *boolReader, probs *planeProbs, context, n int, steps *[2]uint16, out *[16]int16) bool
TEXT ·blockBMI2(SB), NOSPLIT, $0-49
	MOVQ b+0(FP), BX
	MOVQ (BX), R8
	MOVQ 8(BX), R9
	MOVQ 16(BX), R10
	MOVQ 24(BX), R11
	ADDQ 32(BX), R11
	MOVQ probs+8(FP), SI
	MOVQ context+16(FP), R12
	MOVQ n+24(FP), R13
	MOVQ out+40(FP), DI
	FILL
	SHLQ $4, R12
	LEAQ (R13)(R13*2), AX
	SHLQ $4, AX
	ADDQ AX, R12
	ADDQ SI, R12
	DECIDE(0)
	JAE  any
	ZERO
	MOVB $0, ret+48(FP)
	JMP  save

any:
	ONE

next:
	DECIDE(1)
	JAE  value
	ZERO
	INCQ R13
	CMPQ R13, $16
	JEQ  done
	LEAQ (R13)(R13*2), R12
	SHLQ $4, R12
	ADDQ SI, R12
	FILL
	JMP  next

value:
	ONE
	DECIDE(2)
	JAE  large
	ZERO
	MOVL $1, BX
	LEAQ (R13)(R13*2), R12
	SHLQ $4, R12
	LEAQ 64(SI)(R12*1), R12 // of the next position after a 1

sign:
	FILL

	// The interval is halved, which takes exactly one bit.
	LEAL    1(R9), CX
	SHRL    $1, CX
	MOVQ    CX, DX
	SHLQ    $56, DX
	SUBL    CX, R9
	MOVQ    R8, AX
	SUBQ    DX, AX
	CMOVQCC AX, R8
	CMOVLCS CX, R9
	SBBL    AX, AX
	NOTL    AX
	XORL    AX, BX
	SUBL    AX, BX
	ADDQ    R8, R8
	ADDL    R9, R9
	DECQ    R10

	MOVQ    steps+32(FP), AX
	XORL    CX, CX
	CMPQ    R13, $1
	SBBQ    CX, CX
	MOVWLZX 2(AX)(CX*2), AX
	IMULL   AX, BX
	LEAQ    places<>(SB), CX
	MOVBLZX (CX)(R13*1), CX
	MOVW    BX, (DI)(CX*2)
	INCQ    R13
	CMPQ    R13, $16
	JEQ     done
	DECIDE(0)
	JAE     any
	ZERO

done:
	MOVB $1, ret+48(FP)

save:
	MOVQ b+0(FP), BX
	MOVQ R8, (BX)
	MOVQ R9, 8(BX)
	MOVQ R10, 16(BX)
	SUBQ 32(BX), R11
	MOVQ R11, 24(BX)
	RET

large:
	ONE
	FILL
	DECIDE(3)
	JAE  five
	ZERO
	DECIDE(4)
	JAE  three
	ZERO
	MOVL $2, BX
	JMP  after

three:
	ONE
	XORL    BX, BX
	MOVBLZX 5(R12), AX
	APPEND
	ADDL    $3, BX
	JMP     after

five:
	ONE
	DECIDE(6)
	JAE  eleven
	ZERO
	DECIDE(7)
	JAE  seven
	ZERO
	XORL BX, BX
	MOVL $159, AX
	APPEND
	ADDL $5, BX
	JMP  after

seven:
	ONE
	XORL BX, BX
	MOVL $165, AX
	APPEND
	MOVL $145, AX
	APPEND
	ADDL $7, BX
	JMP  after

eleven:
	ONE
	XORL    BX, BX
	MOVBLZX 8(R12), AX
	APPEND
	MOVBLZX 9(R12)(BX*1), AX
	APPEND
	MOVQ    BX, CX
	MOVL    $8, AX
	SHLXL   CX, AX, AX
	ADDL    $3, AX
	MOVQ    AX, X0
	LEAQ    categories<>(SB), R12
	SHLQ    $4, CX
	ADDQ    CX, R12
	XORL    BX, BX

more:
	FILL
	MOVBLZX (R12), AX
	INCQ    R12
	TESTL   AX, AX
	JEQ     added
	APPEND
	JMP     more

added:
	MOVQ X0, AX
	ADDL AX, BX

after:
	LEAQ (R13)(R13*2), R12
	SHLQ $4, R12
	LEAQ 80(SI)(R12*1), R12 // of the next position after a larger value
	JMP  sign

// func countsZeros() bool
TEXT ·countsZeros(SB), NOSPLIT, $0-1
	MOVL   $1, AX
	LZCNTL AX, CX
	CMPL   CX, $31
	SETEQ  ret+0(FP)
	RET

// func subModesBMI2(b *boolReader, above, left *[4]uint8, out *[16]uint8, probs *[10][10][9]uint8)
//
// R13 counts the blocks, BX is the mode of the block to the left, SI the probabilities, DI the modes.
TEXT ·subModesBMI2(SB), NOSPLIT, $0-40
	MOVQ b+0(FP), BX
	MOVQ (BX), R8
	MOVQ 8(BX), R9
	MOVQ 16(BX), R10
	MOVQ 24(BX), R11
	ADDQ 32(BX), R11
	MOVQ out+24(FP), DI
	MOVQ probs+32(FP), SI
	XORL R13, R13

row:
	MOVQ    left+16(FP), AX
	MOVL    R13, CX
	SHRL    $2, CX
	MOVBLZX (AX)(CX*1), BX

block:
	MOVQ    above+8(FP), AX
	MOVL    R13, CX
	ANDL    $3, CX
	MOVBLZX (AX)(CX*1), AX
	LEAQ    (AX)(AX*4), AX
	LEAQ    (BX)(AX*2), AX
	LEAQ    (AX)(AX*8), AX
	LEAQ    (SI)(AX*1), R12 // probs[above][left]
	FILL
	DECIDE(0)
	JAE     notDC
	ZERO
	XORL    BX, BX
	JMP     found

notDC:
	ONE
	DECIDE(1)
	JAE  notTM
	ZERO
	MOVL $1, BX
	JMP  found

notTM:
	ONE
	DECIDE(2)
	JAE  notVertical
	ZERO
	MOVL $2, BX
	JMP  found

notVertical:
	ONE
	DECIDE(3)
	JAE  down
	ZERO
	DECIDE(4)
	JAE  right
	ZERO
	MOVL $3, BX
	JMP  found

right:
	ONE
	MOVL    $4, BX // 4 or 5
	MOVBLZX 5(R12), AX
	JMP     last

down:
	ONE
	DECIDE(6)
	JAE  notLeftDown
	ZERO
	MOVL $6, BX
	JMP  found

notLeftDown:
	ONE
	DECIDE(7)
	JAE  horizontal
	ZERO
	MOVL $7, BX
	JMP  found

horizontal:
	ONE
	MOVL    $8, BX // 8 or 9
	MOVBLZX 8(R12), AX

last:
	SHRL $1, BX
	APPEND

found:
	MOVB BX, (DI)(R13*1)
	MOVQ above+8(FP), AX
	MOVL R13, CX
	ANDL $3, CX
	MOVB BX, (AX)(CX*1)
	INCL R13
	TESTL $3, R13
	JNE  block
	MOVQ left+16(FP), AX
	MOVL R13, CX
	SHRL $2, CX
	MOVB BX, -1(AX)(CX*1)
	CMPL R13, $16
	JNE  row

	MOVQ b+0(FP), BX
	MOVQ R8, (BX)
	MOVQ R9, 8(BX)
	MOVQ R10, 16(BX)
	SUBQ 32(BX), R11
	MOVQ R11, 24(BX)
	RET
