//go:build !purego

#include "textflag.h"
#include "blocks_amd64.h"
#include "encblocks_amd64.h"

// From raster to zigzag order: first eight levels, of which one is from the lower half of the block, and the others.
LANES(stayFirst, 0x8080090803020100, 0x0d0c070605040b0a)
LANES(crossFirst, 0x0100808080808080, 0x8080808080808080)
LANES(stayLast, 0x05040b0a09080302, 0x0f0e0d0c07068080)
LANES(crossLast, 0x8080808080808080, 0x8080808080800f0e)
VECTOR(most, 0x07ff07ff07ff07ff)
VECTOR(addSubtract, 0xffffffff00010001)
VECTOR(shifts, 0x0000000500000000)

// The order in which HADAMARD1 leaves the rows of a transform: 0, 3, 1, 2.
LANES(sumWeights, 0x0000000600000000, 0x0000000400000002)
LANES(differenceWeights, 0x0000000700000001, 0x0000000500000003)

// The frame has what is the same for all modes, in both lanes: samples of the source as words, what its rows begin the
// forward transform with, its weighted spectrum, and the weights.
#define sourceFirst 0(SP)
#define sourceLast 32(SP)
#define sourceSums 64(SP)
#define sourceDifferences 96(SP)
#define sourceSpectrum 128(SP)
#define weightsOfSums 160(SP)
#define weightsOfDifferences 192(SP)

// HADAMARD1 transforms the columns of the pairs in x, a row in each 4 bytes.
#define HADAMARD1(x, tmp, sum) \
	VPSHUFD  $0x4e, x, tmp           \
	VPADDW   tmp, x, sum             \
	VPSUBW   x, tmp, tmp             \
	VPBLENDD $0xcc, tmp, sum, x      \
	VPSHUFD  $0xb1, x, tmp           \
	VPSIGNW  addSubtract<>(SB), x, x \
	VPADDW   tmp, x, x

// SPECTRUM adds up to Y7 the weighted spectrum of a block in each lane of Y0. Of each, four sums are left.
#define SPECTRUM \
	VPMADDUBSW sums<>(SB), Y0, Y1           \
	VPMADDUBSW differences<>(SB), Y0, Y2    \
	HADAMARD1(Y1, Y3, Y4)                   \
	HADAMARD1(Y2, Y5, Y6)                   \
	VPSHUFB    swap<>(SB), Y1, Y3           \
	VPSHUFB    swap<>(SB), Y2, Y5           \
	VPSIGNW    sumFirst<>(SB), Y1, Y1       \
	VPSIGNW    sumLast<>(SB), Y2, Y2        \
	VPADDW     Y3, Y1, Y1                   \
	VPADDW     Y5, Y2, Y2                   \
	VPABSW     Y1, Y1                       \
	VPABSW     Y2, Y2                       \
	VPMADDWD   weightsOfSums, Y1, Y1        \
	VPMADDWD   weightsOfDifferences, Y2, Y2 \
	VPADDD     Y2, Y1, Y7

// QUANTIZE quantizes half of a block in each lane, to levels and what the decoder makes of them.
#define QUANTIZE(coefs, at, bias, levels) \
	VBROADCASTI128 192+at(BX), Y8     \
	VBROADCASTI128 32+at(BX), Y9      \
	VBROADCASTI128 bias(BX), Y10      \
	VBROADCASTI128 16+bias(BX), Y11   \
	VPABSW         coefs, Y1          \
	VPSRAW         $15, coefs, Y2     \
	VPADDW         Y8, Y1, Y1         \
	VPMULLW        Y9, Y1, Y3         \
	VPMULHUW       Y9, Y1, Y1         \
	VPUNPCKLWD     Y1, Y3, Y6         \
	VPUNPCKHWD     Y1, Y3, Y3         \
	VPADDD         Y10, Y6, Y6        \
	VPADDD         Y11, Y3, Y3        \
	VPSRLD         $17, Y6, Y6        \
	VPSRLD         $17, Y3, Y3        \
	VPACKUSDW      Y3, Y6, Y6         \
	VPMINUW        most<>(SB), Y6, Y6 \
	VPXOR          Y2, Y6, Y6         \
	VPSUBW         Y2, Y6, levels     \
	VBROADCASTI128 at(BX), Y8         \
	VPMULLW        Y8, levels, coefs

// PICK predicts by a mode that picks its samples among rounded means.
#define PICK(mode) \
	VPSHUFB 32*mode-64(R8), X3, X5 \
	VPSHUFB 32*mode-48(R8), X4, X6 \
	VPOR    X6, X5, X5             \
	VMOVDQU X5, 16*mode(DI)

// func tryAVX2(src *byte, around *[16]byte, m *quantMatrix, w *[16]uint16, t *blockTrials)
TEXT ·tryAVX2(SB), NOSPLIT, $224-40
	MOVQ src+0(FP), SI
	MOVQ around+8(FP), DX
	MOVQ m+16(FP), BX
	MOVQ w+24(FP), CX
	MOVQ t+32(FP), DI

	// Predictions, as in blocksAVX2.
	LEAQ    picks<>(SB), R8
	VMOVDQU (DX), X14
	VPSRLDQ $1, X14, X1
	VPSRLDQ $2, X14, X2
	VPAVGB  X2, X14, X3
	VPXOR   X2, X14, X4
	VPAND   ones<>(SB), X4, X4
	VPSUBB  X4, X3, X3
	VPAVGB  X1, X3, X3
	VPAVGB  X1, X14, X4
	PICK(2)
	PICK(3)
	PICK(4)
	PICK(5)
	PICK(6)
	PICK(7)
	PICK(8)
	PICK(9)

	VPXOR        X15, X15, X15
	VPSHUFB      around<>(SB), X14, X0
	VPSADBW      X15, X0, X0
	VPADDW       half<>(SB), X0, X0
	VPSRLW       $3, X0, X0
	VPBROADCASTB X0, X0
	VMOVDQU      X0, (DI)
	VPSHUFB      overhead<>(SB), X14, X0
	VPSHUFB      corner<>(SB), X14, X1
	VPSHUFB      upperLeft<>(SB), X14, X2
	VPSHUFB      lowerLeft<>(SB), X14, X3
	VPSUBW       X1, X0, X0
	VPADDW       X2, X0, X2
	VPADDW       X3, X0, X3
	VPACKUSWB    X3, X2, X0
	VMOVDQU      X0, 16(DI)

	// The source.
	VMOVDQU     (CX), Y0
	VMOVDQU     sumWeights<>(SB), Y1
	VMOVDQU     differenceWeights<>(SB), Y2
	VPERMD      Y0, Y1, Y1
	VPERMD      Y0, Y2, Y2
	VMOVDQU     Y1, weightsOfSums
	VMOVDQU     Y2, weightsOfDifferences
	ROWS4(SI, X0, X2)
	VINSERTI128 $1, X0, Y0, Y0
	VPUNPCKLBW  Y15, Y0, Y1
	VPUNPCKHBW  Y15, Y0, Y2
	VMOVDQU     Y1, sourceFirst
	VMOVDQU     Y2, sourceLast
	VPSHUFB     ends<>(SB), Y0, Y1
	VPMADDUBSW  sums<>(SB), Y1, Y2
	VPMADDUBSW  differences<>(SB), Y1, Y3
	VMOVDQU     Y2, sourceSums
	VMOVDQU     Y3, sourceDifferences
	SPECTRUM
	VPHADDD     Y7, Y7, Y7
	VPHADDD     Y7, Y7, Y7
	VPSLLQ      $32, Y7, Y7
	VMOVDQU     Y7, sourceSpectrum

	LEAQ 320(DI), R8
	LEAQ 640(DI), R9
	LEAQ 720(DI), R10
	MOVL $5, CX

modes:
	VMOVDQU    (DI), Y15
	VPSHUFB    ends<>(SB), Y15, Y1
	VMOVDQU    sourceSums, Y6
	VMOVDQU    sourceDifferences, Y0
	VPMADDUBSW sums<>(SB), Y1, Y2
	VPMADDUBSW differences<>(SB), Y1, Y1
	VPSUBW     Y2, Y6, Y6
	VPSUBW     Y1, Y0, Y0
	TURN

	QUANTIZE(Y4, 0, 64, Y12)
	QUANTIZE(Y5, 16, 96, Y13)
	VPSHUFB      stayFirst<>(SB), Y12, Y0
	VPSHUFB      crossFirst<>(SB), Y13, Y1
	VPSHUFB      stayLast<>(SB), Y13, Y2
	VPSHUFB      crossLast<>(SB), Y12, Y3
	VPOR         Y1, Y0, Y0
	VPOR         Y3, Y2, Y2
	VPXOR        X14, X14, X14
	VMOVDQU      X0, (R8)
	VMOVDQU      X2, 16(R8)
	VEXTRACTI128 $1, Y0, 32(R8)
	VEXTRACTI128 $1, Y2, 48(R8)
	VPACKSSWB    Y2, Y0, Y0
	VPCMPEQB     Y14, Y0, Y0
	VPMOVMSKB    Y0, AX
	NOTL         AX
	MOVL         AX, (R10)

	VMOVDQA    Y4, Y0
	VPSRLDQ    $8, Y4, Y1
	VMOVDQA    Y5, Y2
	VPSRLDQ    $8, Y5, Y3
	PASS
	VPUNPCKLWD Y5, Y4, Y8
	VPUNPCKLWD Y7, Y6, Y9
	VPUNPCKLDQ Y9, Y8, Y0
	VPUNPCKHDQ Y9, Y8, Y2
	VPSRLDQ    $8, Y0, Y1
	VPSRLDQ    $8, Y2, Y3
	VPADDW     half<>(SB), Y0, Y0
	PASS
	VPSRAW     $3, Y4, Y4
	VPSRAW     $3, Y5, Y5
	VPSRAW     $3, Y6, Y6
	VPSRAW     $3, Y7, Y7
	VPUNPCKLWD Y5, Y4, Y8
	VPUNPCKLWD Y7, Y6, Y9
	VPUNPCKLDQ Y9, Y8, Y0
	VPUNPCKHDQ Y9, Y8, Y2
	VPUNPCKLBW Y14, Y15, Y4
	VPUNPCKHBW Y14, Y15, Y5
	VPADDW     Y0, Y4, Y4
	VPADDW     Y2, Y5, Y5
	VPACKUSWB  Y5, Y4, Y0
	VMOVDQU    Y0, 160(DI)

	VPUNPCKLBW   Y14, Y0, Y1
	VPUNPCKHBW   Y14, Y0, Y2
	VPSUBW       sourceFirst, Y1, Y1
	VPSUBW       sourceLast, Y2, Y2
	VPMADDWD     Y1, Y1, Y1
	VPMADDWD     Y2, Y2, Y2
	VPADDD       Y2, Y1, Y8
	SPECTRUM
	VPHADDD      Y7, Y8, Y8
	VPHADDD      Y8, Y8, Y8
	VPSUBD       sourceSpectrum, Y8, Y8
	VPABSD       Y8, Y8
	VPSRLVD      shifts<>(SB), Y8, Y8
	VMOVQ        X8, (R9)
	VEXTRACTI128 $1, Y8, X8
	VMOVQ        X8, 8(R9)

	ADDQ $32, DI
	ADDQ $64, R8
	ADDQ $16, R9
	ADDQ $4, R10
	DECL CX
	JNE  modes
	VZEROUPPER
	RET
