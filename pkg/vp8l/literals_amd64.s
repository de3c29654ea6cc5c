//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// What literalsBMI2 holds in registers: SI is the address of the next byte to load, R8 the last such that 16 can be
// loaded, BX the window, CX how many of its bits are there, DI where the next pixel goes. R9, R10 and R11 are the tables
// of green, red and blue; R12, R13 and R14 how many bits index each.

// FILL makes sure that 56 bits are in the window.
#define FILL \
	MOVQ  (SI), AX    \
	SHLXQ CX, AX, AX  \
	ORQ   AX, BX      \
	MOVL  $63, AX     \
	SUBL  CX, AX      \
	SHRL  $3, AX      \
	ADDQ  AX, SI      \
	ORL   $56, CX

// LOOK loads the entry of the next word.
#define LOOK(table, index) \
	BZHIQ index, BX, AX      \
	MOVL  (table)(AX*4), AX

// SKIP takes the bits that an entry uses up out of the window.
#define SKIP \
	SHRXQ AX, BX, BX \
	SUBB  AX, CX

// FOLLOW replaces a link by the entry that it leads to.
#define FOLLOW(table) \
	SKIP                      \
	MOVL  AX, R15             \
	SHRL  $8, R15             \
	SHRL  $16, AX             \
	ANDL  $0x7fff, AX         \
	BZHIQ R15, BX, R15        \
	ADDL  AX, R15             \
	MOVL  (table)(R15*4), AX

// STORE stores the pixel in DX, there and in the cache where there is one.
#define STORE(nocache) \
	MOVL  DX, (DI)               \
	ADDQ  $4, DI                 \
	CMPQ  cache+32(FP), $0       \
	JEQ   nocache                \
	IMUL3L $0x1e35a7bd, DX, R15  \
	MOVL  shift-16(SP), AX       \
	SHRXL AX, R15, R15           \
	MOVQ  cache+32(FP), AX       \
	MOVL  DX, (AX)(R15*4)

// func literalsBMI2(b *bitReader, codes *group, dst *uint32, n int, cache *uint32, shift uint) (done int, symbol uint32)
TEXT ·literalsBMI2(SB), NOSPLIT, $32-60
	MOVQ b+0(FP), AX
	MOVQ bitReader_data(AX), SI
	MOVQ bitReader_data+8(AX), R8
	LEAQ -16(SI)(R8*1), R8
	ADDQ bitReader_at(AX), SI
	MOVQ bitReader_window(AX), BX
	MOVQ bitReader_have(AX), CX
	MOVQ codes+8(FP), AX
	MOVQ (group_codes+code__size*const_green+code_table)(AX), R9
	MOVQ (group_codes+code__size*const_red+code_table)(AX), R10
	MOVQ (group_codes+code__size*const_blue+code_table)(AX), R11
	MOVQ (group_codes+code__size*const_green+code_index)(AX), R12
	MOVQ (group_codes+code__size*const_red+code_index)(AX), R13
	MOVQ (group_codes+code__size*const_blue+code_index)(AX), R14
	MOVL group_constant(AX), DX
	MOVL DX, constant-24(SP)
	MOVQ shift+40(FP), DX
	MOVL DX, shift-16(SP)
	MOVQ dst+16(FP), DI
	MOVQ n+24(FP), DX
	LEAQ (DI)(DX*4), DX
	MOVQ DX, end-8(SP)
	CMPB group_trivial(AX), $1
	JEQ  trivial
	MOVBLZX group_opaque(AX), DX
	MOVL DX, opaque-32(SP)

next:
	CMPQ DI, end-8(SP)
	JAE  none
	CMPQ SI, R8
	JHI  none
	FILL
	LOOK(R9, R12)
	CMPL AX, $const_literalsEnd
	JAE  other

sample:
	SKIP
	MOVL AX, DX
	ANDL $0xff00, DX
	LOOK(R10, R13)
	TESTL AX, AX
	JMI  redLink

redSample:
	SKIP
	ANDL $0xff00, AX
	SHLL $8, AX
	ORL  AX, DX
	LOOK(R11, R14)
	TESTL AX, AX
	JMI  blueLink

blueSample:
	SKIP
	SHRL $8, AX
	ORL  AX, DX
	CMPL opaque-32(SP), $1
	JNE  transparent
	ORL  constant-24(SP), DX

store:
	STORE(next)
	JMP  next

other:
	TESTL AX, AX
	JPL  unlike
	FOLLOW(R9)
	CMPL AX, $const_literalsEnd
	JB   sample

unlike:
	SKIP
	SHRL $8, AX
	SUBL $const_cacheSymbols, AX
	JB   copied
	MOVQ cache+32(FP), R15
	MOVL (R15)(AX*4), DX
	JMP  store

redLink:
	FOLLOW(R10)
	JMP redSample

blueLink:
	FOLLOW(R11)
	JMP blueSample

transparent:
	FILL
	MOVQ codes+8(FP), R15
	MOVQ (group_codes+code__size*const_alpha+code_index)(R15), AX
	MOVQ (group_codes+code__size*const_alpha+code_table)(R15), R15
	BZHIQ AX, BX, AX
	MOVL (R15)(AX*4), AX
	TESTL AX, AX
	JMI  alphaLink

alphaSample:
	SKIP
	ANDL $0xff00, AX
	SHLL $16, AX
	ORL  AX, DX
	JMP  store

alphaLink:
	SKIP
	MOVL AX, R15
	SHRL $8, R15
	BZHIQ R15, BX, R15
	SHRL $16, AX
	ANDL $0x7fff, AX
	ADDL AX, R15
	MOVQ codes+8(FP), AX
	MOVQ (group_codes+code__size*const_alpha+code_table)(AX), AX
	MOVL (AX)(R15*4), AX
	JMP  alphaSample

trivial:
	MOVL constant-24(SP), R10

trivialFill:
	CMPQ DI, end-8(SP)
	JAE  none
	CMPQ SI, R8
	JHI  none
	FILL

trivialNext:
	LOOK(R9, R12)
	CMPL AX, $const_literalsEnd
	JAE  trivialOther

trivialSample:
	SKIP
	ANDL $0xff00, AX
	MOVL R10, DX
	ORL  AX, DX

trivialStore:
	STORE(trivialStored)

trivialStored:
	CMPQ CX, $const_maxLength
	JB   trivialFill
	CMPQ DI, end-8(SP)
	JB   trivialNext
	JMP  none

trivialOther:
	TESTL AX, AX
	JPL  trivialUnlike
	FOLLOW(R9)
	CMPL AX, $const_literalsEnd
	JB   trivialSample

trivialUnlike:
	SKIP
	SHRL $8, AX
	SUBL $const_cacheSymbols, AX
	JB   copied
	MOVQ cache+32(FP), R15
	MOVL (R15)(AX*4), DX
	JMP  trivialStore

copied:
	ADDL $const_cacheSymbols, AX
	JMP  done

none:
	XORL AX, AX

done:
	MOVL AX, symbol+56(FP)
	SUBQ dst+16(FP), DI
	SHRQ $2, DI
	MOVQ DI, done+48(FP)
	MOVQ b+0(FP), AX
	SUBQ bitReader_data(AX), SI
	MOVQ SI, bitReader_at(AX)
	MOVQ BX, bitReader_window(AX)
	MOVQ CX, bitReader_have(AX)
	RET
