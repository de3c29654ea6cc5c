// What assembly for blocks of an encoder has in common. The arithmetic is that of enckernels.go.

LANES(ends, 0x0605070402010300, 0x0e0d0f0c0a090b08) // samples 0, 3, 1 and 2 of each row
VECTOR(sums, 0x0101010101010101) // of two bytes
VECTOR(differences, 0xff01ff01ff01ff01)
VECTOR(eightSum, 0x0008000800080008)
VECTOR(eightDifference, 0xfff80008fff80008)
VECTOR(turnOdd, 0x08a914e808a914e8) // 5352 and 2217, for (a3, a2)
VECTOR(turnLast, 0xeb1808a9eb1808a9) // 2217 and -5352
VECTOR(round1812, 0x0000071400000714)
VECTOR(round937, 0x000003a9000003a9)
VECTOR(round12000, 0x00012ee000012ee0) // and 1 for what is not 0
VECTOR(round51000, 0x0000c7380000c738)
VECTOR(seven, 0x0007000700070007)

DATA byBlock<>+0(SB)/8, $0x0000000200000000
DATA byBlock<>+8(SB)/8, $0x0000000600000004
DATA byBlock<>+16(SB)/8, $0x0000000300000001
DATA byBlock<>+24(SB)/8, $0x0000000700000005
GLOBL byBlock<>(SB), RODATA|NOPTR, $32

// The Hadamard transform of a row has the sum and the difference of (0 + 1) and (2 + 3), and those of (0 - 1) and
// (2 - 3).
LANES(swap, 0x0504070601000302, 0x0d0c0f0e09080b0a) // the words of each pair
VECTOR(sumFirst, 0xffff0001ffff0001)
VECTOR(sumLast, 0x0001ffff0001ffff)
VECTOR(sumsDifferences, 0xff01ff0101010101)
VECTOR(sumFirstLast, 0x0001ffffffff0001)

// TURN completes the forward transform of a block in each lane. Y6 has the sums of the samples of each row that are as
// far from its middle, Y0 the differences. Rows 0 and 1 become Y4, rows 2 and 3 Y5.
#define TURN \
	VMOVDQU     turnOdd<>(SB), Y8             \
	VMOVDQU     turnLast<>(SB), Y9            \
	VPMADDWD    eightSum<>(SB), Y6, Y1        \
	VPMADDWD    eightDifference<>(SB), Y6, Y2 \
	VPMADDWD    Y8, Y0, Y3                    \
	VPMADDWD    Y9, Y0, Y4                    \
	VPADDD      round1812<>(SB), Y3, Y3       \
	VPADDD      round937<>(SB), Y4, Y4        \
	VPSRAD      $9, Y3, Y3                    \
	VPSRAD      $9, Y4, Y4                    \
	VPACKSSDW   Y2, Y1, Y1                    \
	VPACKSSDW   Y4, Y3, Y3                    \
	VPUNPCKLWD  Y3, Y1, Y0                    \
	VPUNPCKHWD  Y3, Y1, Y2                    \
	VPUNPCKLDQ  Y2, Y0, Y1                    \
	VPUNPCKHDQ  Y2, Y0, Y2                    \
	VPSHUFD     $0x4e, Y2, Y2                 \
	VPADDW      Y2, Y1, Y3                    \
	VPSUBW      Y2, Y1, Y0                    \
	VPSHUFD     $0x4e, Y0, Y1                 \
	VPSHUFD     $0x4e, Y3, Y2                 \
	VPUNPCKLWD  Y1, Y0, Y1                    \
	VPMADDWD    Y8, Y1, Y4                    \
	VPMADDWD    Y9, Y1, Y5                    \
	VPXOR       Y6, Y6, Y6                    \
	VPCMPEQW    Y6, Y0, Y0                    \
	VPADDW      seven<>(SB), Y3, Y3           \
	VPADDD      round12000<>(SB), Y4, Y4      \
	VPADDD      round51000<>(SB), Y5, Y5      \
	VPSRAD      $16, Y4, Y4                   \
	VPSRAD      $16, Y5, Y5                   \
	VPACKSSDW   Y5, Y4, Y5                    \
	VPADDW      Y0, Y5, Y4                    \
	VPADDW      Y2, Y3, Y0                    \
	VPSUBW      Y2, Y3, Y1                    \
	VPSRAW      $4, Y0, Y0                    \
	VPSRAW      $4, Y1, Y1                    \
	VPUNPCKLQDQ Y4, Y0, Y4                    \
	VPBLENDD    $0xcc, Y5, Y1, Y5

// ROWS4 gathers four rows of 4 samples.
#define ROWS4(from, to, tmp) \
	VMOVD        (from), to      \
	VPBROADCASTD 32(from), tmp   \
	VPBLENDD     $2, tmp, to, to \
	VPBROADCASTD 64(from), tmp   \
	VPBLENDD     $4, tmp, to, to \
	VPBROADCASTD 96(from), tmp   \
	VPBLENDD     $8, tmp, to, to

// ROWS8 gathers four rows of 8 samples.
#define ROWS8(from, to, tmp) \
	VPBROADCASTQ (from), to        \
	VPBROADCASTQ 32(from), tmp     \
	VPBLENDD     $12, tmp, to, to  \
	VPBROADCASTQ 64(from), tmp     \
	VPBLENDD     $48, tmp, to, to  \
	VPBROADCASTQ 96(from), tmp     \
	VPBLENDD     $192, tmp, to, to

// FORWARD transforms the difference of the samples in Y0 and Y1, a block in each lane, to rows 0 and 1 in Y4 and rows
// 2 and 3 in Y5.
#define FORWARD \
	VMOVDQU    ends<>(SB), Y2        \
	VMOVDQU    sums<>(SB), Y3        \
	VMOVDQU    differences<>(SB), Y4 \
	VPSHUFB    Y2, Y0, Y0            \
	VPSHUFB    Y2, Y1, Y1            \
	VPMADDUBSW Y3, Y0, Y6            \
	VPMADDUBSW Y3, Y1, Y7            \
	VPMADDUBSW Y4, Y0, Y0            \
	VPMADDUBSW Y4, Y1, Y1            \
	VPSUBW     Y7, Y6, Y6            \
	VPSUBW     Y1, Y0, Y0            \
	TURN
