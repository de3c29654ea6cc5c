//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The loops of blocks.go and eighths.go, with the reader's state in registers throughout. They stop in front of a
// block whose look-ups do not end it; names and tables are those of the Go code.
//
// The transforms of idct_amd64.s, called from here, leave CX and R9 to R15 alone.
#define ENTROPY R13 // the window is its first field
#define UNIT R15
#define ACC R9
#define N R11       // of which only the low six bits count
#define POS R12
#define LAST R10
#define CODES CX
#define K DX
#define DIFF R8
#define ENTRY AX

// REFILL is bits.refilled. It uses BX.
#define REFILL \
	MOVWLZX POS, BX                   \
	MOVQ    entropy_window(ENTROPY)(BX*1), BX \
	BSWAPQ  BX                        \
	SHRXQ   N, BX, BX                 \
	ORQ     BX, ACC                   \
	ANDL    $63, N                    \
	MOVL    $63, BX                   \
	SUBL    N, BX                     \
	SHRL    $3, BX                    \
	ADDL    BX, POS                   \
	ORL     $56, N

// LOOKUP gets an entry of a table, by the next bits, and drops those that it consumes. It uses BX.
#define LOOKUP(bits, move, table, size) \
	MOVQ  ACC, BX                       \
	SHRQ  $(64-bits), BX                \
	move  table(CODES)(BX*size), ENTRY  \
	SHLXQ ENTRY, ACC, ACC               \
	SUBL  ENTRY, N

// SKIP passes over what a look-up in the widest skip table swallows, and compares K with the end of the block.
#define SKIP \
	LOOKUP(const_skipBits, MOVWLZX, (codes_skips+2<<const_skipBits), 2) \
	SHRL $8, ENTRY                                                     \
	ADDL ENTRY, K                                                      \
	CMPL K, $64

// VALUE stores a coefficient: ENTRY has its position, less base, and value at two bits.
#define VALUE(position, base, value, extend) \
	MOVQ    ENTRY, BX                            \
	SHRQ    $position, BX                        \
	ADDL    base, BX                             \
	MOVBLZX BX, BX                               \
	MOVBLZX (entropy_sink+sink_place)(ENTROPY)(BX*1), BX \
	MOVQ    ENTRY, DI                            \
	SHRQ    $value, DI                           \
	extend  DI, DI                               \
	MOVW    DI, (entropy_sink+sink_block)(ENTROPY)(BX*2)

// STATE loads the reader, and SAVE stores it.
#define STATE \
	MOVQ (entropy_r+bits_acc)(ENTROPY), ACC \
	MOVQ (entropy_r+bits_n)(ENTROPY), N     \
	MOVQ (entropy_r+bits_pos)(ENTROPY), POS

#define SAVE \
	MOVQ ACC, (entropy_r+bits_acc)(ENTROPY) \
	MOVQ N, (entropy_r+bits_n)(ENTROPY)     \
	MOVQ POS, (entropy_r+bits_pos)(ENTROPY)

// CONSUMED compares the bits consumed with where a MCU may begin. It uses BX and SI.
#define CONSUMED \
	MOVL N, BX       \
	ANDL $63, BX     \
	LEAQ (POS*8), SI \
	SUBQ BX, SI      \
	CMPQ SI, entropy_end(ENTROPY)

// CLAMP limits a register to 0..255. It uses BX.
#define CLAMP(reg) \
	XORL    BX, BX  \
	CMPL    reg, BX \
	CMOVLLT BX, reg \
	MOVL    $255, BX \
	CMPL    reg, BX \
	CMOVLGT BX, reg

// func blocksBMI2(e *entropy, units *unit, count, from, mcus int, scale Scale) (done, at int)
TEXT ·blocksBMI2(SB), NOSPLIT, $64-64
	MOVQ e+0(FP), ENTROPY
	STATE
	MOVQ (entropy_sink+sink_last)(ENTROPY), LAST
	MOVQ count+16(FP), BX
	IMULQ $unit__size, BX
	ADDQ units+8(FP), BX
	MOVQ BX, end-32(SP)
	MOVQ $0, done+48(FP)
	MOVQ from+24(FP), UNIT
	TESTQ UNIT, UNIT
	JEQ  mcu
	IMULQ $unit__size, UNIT
	ADDQ units+8(FP), UNIT
	JMP  block

mcu:
	MOVQ units+8(FP), UNIT
	MOVQ done+48(FP), BX
	CMPQ BX, mcus+32(FP)
	JGE  finish
	CONSUMED
	JGT  finish

block:
	MOVQ ACC, acc-8(SP)
	MOVQ N, n-16(SP)
	MOVQ POS, pos-24(SP)
	MOVQ unit_codes(UNIT), CODES
	REFILL
	LOOKUP(const_firstBits, MOVQ, codes_open, 8)
	MOVQ ENTRY, DIFF
	SARQ $48, DIFF
	XORL SI, SI
	VALUE(24, SI, 40, MOVBLSX)
	VALUE(16, SI, 32, MOVBLSX)
	MOVL ENTRY, K
	SHRL $8, K
	MOVBLZX K, K
	CMPL K, $64
	JAE  ended
	CMPL K, LAST
	JA   skips

values:
	LOOKUP(const_valueBits, MOVQ, codes_value, 8)
	TESTL $const_valueFollows, ENTRY
	JNE  follows

store:
	VALUE(24, K, 48, MOVWLZX)
	VALUE(16, K, 32, MOVWLZX)
	SHRL $8, ENTRY
	MOVBLZX ENTRY, ENTRY
	ADDL ENTRY, K
	CMPL K, LAST
	JA   past
	MOVL N, BX
	ANDL $63, BX
	CMPL BX, $const_valueBits
	JAE  values
	REFILL
	JMP  values

past:
	CMPL K, $64
	JAE  ended

skips:
	REFILL
	SKIP
	JAE  ended
	SKIP
	JAE  ended
	SKIP
	JAE  ended
	SKIP
	JB   skips

ended:
	LEAL -const_endOfBlock(K), BX
	CMPL BX, $64
	JB   ends
	CMPL K, $64
	JNE  unusual

ends:
	MOVQ unit_component(UNIT), BX
	ANDL $3, BX
	ADDL entropy_pred(ENTROPY)(BX*4), DIFF
	MOVL DIFF, entropy_pred(ENTROPY)(BX*4)
	MOVQ unit_at(UNIT), DI
	MOVQ unit_step(UNIT), BX
	ADDQ DI, BX
	MOVQ BX, unit_at(UNIT)
	ADDQ unit_pix(UNIT), DI
	MOVQ unit_stride(UNIT), SI
	MOVQ unit_quant(UNIT), BX
	CMPQ scale+40(FP), $const_Quarter
	JEQ  quarter
	CMPL K, $(const_endOfBlock+1)
	JEQ  flat
	LEAQ (entropy_sink+sink_block)(ENTROPY), AX
	MOVW DIFF, (AX)
	MOVQ DI, dst-64(SP)
	MOVQ SI, stride-56(SP)
	MOVQ AX, block-48(SP)
	MOVQ BX, quant-40(SP)
	MOVQ scale+40(FP), AX
	CMPQ AX, $const_Full
	JEQ  full
	CMPQ AX, $const_Half
	JEQ  half
	CMPQ AX, $const_ThreeQuarters
	JEQ  threeQuarters
	CMPQ AX, $const_FiveEighths
	JEQ  fiveEighths
	CMPQ AX, $const_SevenEighths
	JEQ  sevenEighths
	CALL ·threeEighthsAVX2(SB)
	JMP  next

sevenEighths:
	CALL ·sevenEighthsAVX2(SB)
	JMP  next

fiveEighths:
	CALL ·fiveEighthsAVX2(SB)
	JMP  next

threeQuarters:
	CALL ·threeQuartersAVX2(SB)
	JMP  next

half:
	CALL ·halfAVX2(SB)
	JMP  next

full:
	CALL ·fullAVX2(SB)

next:
	ADDQ $unit__size, UNIT
	CMPQ UNIT, end-32(SP)
	JB   block
	INCQ done+48(FP)
	JMP  mcu

flat:
	MOVWLSX DIFF, AX
	IMULL   unit_dcQuant(UNIT), AX
	ADDL    $(4+128<<3), AX
	SARL    $3, AX
	CLAMP(AX)
	MOVQ    $0x0101010101010101, BX
	IMULQ   BX, AX
	MOVQ    scale+40(FP), BX // of rows
	CMPQ    BX, $const_Half
	JBE     flatSmall

flatRow:
	MOVQ AX, (DI)
	ADDQ SI, DI
	DECQ BX
	JNE  flatRow
	JMP  next

flatSmall:
	MOVL AX, (DI)
	ADDQ SI, DI
	DECQ BX
	JNE  flatSmall
	JMP  next

quarter:
	// As in idct.go: a in K, b in AX, c in R8 and d in CX.
	MOVWLSX DIFF, K
	MOVWLSX (BX), AX
	IMULL   AX, K
	ADDL    $(4+128<<3), K
	MOVWLSX (entropy_sink+sink_block+2)(ENTROPY), AX
	MOVWLSX 2(BX), CX
	IMULL   CX, AX
	MOVWLSX (entropy_sink+sink_block+4)(ENTROPY), R8
	MOVWLSX 4(BX), CX
	IMULL   CX, R8
	MOVWLSX (entropy_sink+sink_block+6)(ENTROPY), CX
	MOVWLSX 6(BX), BX
	IMULL   BX, CX
	MOVQ    $0, (entropy_sink+sink_block)(ENTROPY)
	LEAL    (K)(R8*1), BX // top
	SUBL    R8, K         // bottom
	LEAL    (AX)(CX*1), R8 // left
	SUBL    CX, AX        // right
	MOVL    BX, CX
	ADDL    R8, BX
	SUBL    R8, CX
	LEAL    (K)(AX*1), R8
	SUBL    AX, K
	SARL    $3, BX
	SARL    $3, CX
	SARL    $3, R8
	SARL    $3, K
	MOVL    BX, AX
	ORL     CX, AX
	ORL     R8, AX
	ORL     K, AX
	CMPL    AX, $255
	JA      clamped

samples:
	SHLL $8, CX
	ORL  BX, CX
	SHLL $8, K
	ORL  R8, K
	MOVW CX, (DI)
	MOVW K, (DI)(SI*1)
	JMP  next

clamped:
	MOVL BX, AX
	CLAMP(AX)
	CLAMP(CX)
	CLAMP(R8)
	CLAMP(K)
	MOVL AX, BX
	JMP  samples

follows: // completed of blocks.go
	REFILL
	MOVQ  ENTRY, SI
	SHRQ  $32, SI
	ANDL  $15, SI
	MOVL  SI, BX
	NEGL  BX
	SHRXQ BX, ACC, DI
	MOVL  $-1, BX
	SHLXL SI, BX, BX
	INCL  BX
	TESTQ ACC, ACC
	JMI   positive
	ADDL  BX, DI

positive:
	SHLXQ SI, ACC, ACC
	SUBL  SI, N
	REFILL
	MOVL  ENTRY, ENTRY
	MOVWLZX DI, DI
	SHLQ  $32, DI
	ORQ   DI, ENTRY
	JMP   store

unusual:
	MOVQ acc-8(SP), ACC
	MOVQ n-16(SP), N
	MOVQ pos-24(SP), POS

finish:
	SAVE
	SUBQ units+8(FP), UNIT
	MOVQ UNIT, AX
	XORL DX, DX
	MOVL $unit__size, CX
	DIVL CX
	MOVQ AX, at+56(FP)
	VZEROUPPER
	RET
