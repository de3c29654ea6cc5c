// What assembly for blocks of 4x4 samples has in common.

// VECTOR defines 32 bytes of eight that are repeated, LANES of 16.
#define VECTOR(name, pair) \
	DATA name<>+0(SB)/8, $pair  \
	DATA name<>+8(SB)/8, $pair  \
	DATA name<>+16(SB)/8, $pair \
	DATA name<>+24(SB)/8, $pair \
	GLOBL name<>(SB), RODATA|NOPTR, $32

#define LANES(name, low, high) \
	DATA name<>+0(SB)/8, $low   \
	DATA name<>+8(SB)/8, $high  \
	DATA name<>+16(SB)/8, $low  \
	DATA name<>+24(SB)/8, $high \
	GLOBL name<>(SB), RODATA|NOPTR, $32

// The arithmetic is that of transform.go: a product with √2·sin(π/8) is the value plus its product with that minus 1,
// since factors have 15 bits and a sign.

VECTOR(cosine, 0x4e7b4e7b4e7b4e7b) // 20091
VECTOR(sine, 0x8a8c8a8c8a8c8a8c)   // 35468 - 65536
VECTOR(half, 0x0004000400040004)

// PASS transforms Y0 to Y3, of which each has a row of four blocks, to Y4 to Y7.
#define PASS \
	VPADDW  Y2, Y0, Y8            \
	VPSUBW  Y2, Y0, Y9            \
	VPMULHW sine<>(SB), Y1, Y10   \
	VPMULHW cosine<>(SB), Y3, Y11 \
	VPSUBW  Y3, Y1, Y12           \
	VPSUBW  Y11, Y10, Y10         \
	VPADDW  Y12, Y10, Y10         \
	VPMULHW cosine<>(SB), Y1, Y11 \
	VPMULHW sine<>(SB), Y3, Y12   \
	VPADDW  Y3, Y1, Y13           \
	VPADDW  Y12, Y11, Y11         \
	VPADDW  Y13, Y11, Y11         \
	VPADDW  Y11, Y8, Y4           \
	VPADDW  Y10, Y9, Y5           \
	VPSUBW  Y10, Y9, Y6           \
	VPSUBW  Y11, Y8, Y7

// TRANSPOSE turns rows of four blocks in Y4 to Y7 into columns in Y0 to Y3.
#define TRANSPOSE \
	VPUNPCKLWD  Y5, Y4, Y8   \
	VPUNPCKLWD  Y7, Y6, Y9   \
	VPUNPCKHWD  Y5, Y4, Y10  \
	VPUNPCKHWD  Y7, Y6, Y11  \
	VPUNPCKLDQ  Y9, Y8, Y0   \
	VPUNPCKLDQ  Y11, Y10, Y1 \
	VPUNPCKHDQ  Y9, Y8, Y2   \
	VPUNPCKHDQ  Y11, Y10, Y3 \
	VPUNPCKHQDQ Y1, Y0, Y8   \
	VPUNPCKLQDQ Y1, Y0, Y0   \
	VPUNPCKHQDQ Y3, Y2, Y9   \
	VPUNPCKLQDQ Y3, Y2, Y2   \
	VMOVDQA     Y8, Y1       \
	VMOVDQA     Y9, Y3

// PASS1 and TRANSPOSE1 do the same with one block, in the lower halves of X0 to X3.
#define PASS1 \
	VPADDW  X2, X0, X8            \
	VPSUBW  X2, X0, X9            \
	VPMULHW sine<>(SB), X1, X10   \
	VPMULHW cosine<>(SB), X3, X11 \
	VPSUBW  X3, X1, X12           \
	VPSUBW  X11, X10, X10         \
	VPADDW  X12, X10, X10         \
	VPMULHW cosine<>(SB), X1, X11 \
	VPMULHW sine<>(SB), X3, X12   \
	VPADDW  X3, X1, X13           \
	VPADDW  X12, X11, X11         \
	VPADDW  X13, X11, X11         \
	VPADDW  X11, X8, X4           \
	VPADDW  X10, X9, X5           \
	VPSUBW  X10, X9, X6           \
	VPSUBW  X11, X8, X7

#define TRANSPOSE1 \
	VPUNPCKLWD X5, X4, X8 \
	VPUNPCKLWD X7, X6, X9 \
	VPUNPCKLDQ X9, X8, X0 \
	VPUNPCKHDQ X9, X8, X2 \
	VPSRLDQ    $8, X0, X1 \
	VPSRLDQ    $8, X2, X3

// The edge of a block is put into one register, clockwise: the samples to the left from below, the first of them twice,
// the corner, and the eight above, the last of them twice. All other modes than DC and TM pick their samples among the
// rounded means of three neighbours and of two.
DATA edgeAbove<>+0(SB)/8, $0x0201008080808080
DATA edgeAbove<>+8(SB)/8, $0x8008080706050403
GLOBL edgeAbove<>(SB), RODATA|NOPTR, $16

// What DC adds up: the samples to the left, and four above.
DATA around<>+0(SB)/8, $0x0908070604030201
DATA around<>+8(SB)/8, $0x8080808080808080
GLOBL around<>(SB), RODATA|NOPTR, $16

// What TM adds, as words: what is above, and the corner; to the left of the first two rows, and of the others.
DATA overhead<>+0(SB)/8, $0x8009800880078006
DATA overhead<>+8(SB)/8, $0x8009800880078006
GLOBL overhead<>(SB), RODATA|NOPTR, $16
DATA corner<>+0(SB)/8, $0x8005800580058005
DATA corner<>+8(SB)/8, $0x8005800580058005
GLOBL corner<>(SB), RODATA|NOPTR, $16
DATA upperLeft<>+0(SB)/8, $0x8004800480048004
DATA upperLeft<>+8(SB)/8, $0x8003800380038003
GLOBL upperLeft<>(SB), RODATA|NOPTR, $16
DATA lowerLeft<>+0(SB)/8, $0x8002800280028002
DATA lowerLeft<>+8(SB)/8, $0x8001800180018001
GLOBL lowerLeft<>(SB), RODATA|NOPTR, $16
DATA ones<>+0(SB)/8, $0x0101010101010101
DATA ones<>+8(SB)/8, $0x0101010101010101
GLOBL ones<>(SB), RODATA|NOPTR, $16

// Which means each mode picks for its 16 samples: of three, and of two.
DATA picks<>+0(SB)/8, $0x0807060508070605 // vertical
DATA picks<>+8(SB)/8, $0x0807060508070605
DATA picks<>+16(SB)/8, $0x8080808080808080
DATA picks<>+24(SB)/8, $0x8080808080808080
DATA picks<>+32(SB)/8, $0x0202020203030303 // horizontal
DATA picks<>+40(SB)/8, $0x0000000001010101
DATA picks<>+48(SB)/8, $0x8080808080808080
DATA picks<>+56(SB)/8, $0x8080808080808080
DATA picks<>+64(SB)/8, $0x0605040307060504 // right down
DATA picks<>+72(SB)/8, $0x0403020105040302
DATA picks<>+80(SB)/8, $0x8080808080808080
DATA picks<>+88(SB)/8, $0x8080808080808080
DATA picks<>+96(SB)/8, $0x0706050480808080 // vertical right
DATA picks<>+104(SB)/8, $0x0605040280808003
DATA picks<>+112(SB)/8, $0x8080808008070605
DATA picks<>+120(SB)/8, $0x8080808007060580
DATA picks<>+128(SB)/8, $0x0a09080709080706 // left down
DATA picks<>+136(SB)/8, $0x0c0b0a090b0a0908
DATA picks<>+144(SB)/8, $0x8080808080808080
DATA picks<>+152(SB)/8, $0x8080808080808080
DATA picks<>+160(SB)/8, $0x0908070680808080 // vertical left
DATA picks<>+168(SB)/8, $0x0b0908070a808080
DATA picks<>+176(SB)/8, $0x8080808009080706
DATA picks<>+184(SB)/8, $0x8080808080090807
DATA picks<>+192(SB)/8, $0x0480038006050480 // horizontal down
DATA picks<>+200(SB)/8, $0x0280018003800280
DATA picks<>+208(SB)/8, $0x8004800380808004
DATA picks<>+216(SB)/8, $0x8002800180038002
DATA picks<>+224(SB)/8, $0x0080018001800280 // horizontal up
DATA picks<>+232(SB)/8, $0x8080808080800080
DATA picks<>+240(SB)/8, $0x8001800280028003
DATA picks<>+248(SB)/8, $0x0000000000008001
GLOBL picks<>(SB), RODATA|NOPTR, $256
