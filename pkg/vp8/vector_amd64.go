//go:build !purego

package vp8

import "golang.org/x/sys/cpu"

// vectors tells whether the processor has what the assembly needs. LZCNT has no name in package cpu; a processor
// without it takes it for another instruction.
var vectors = cpu.X86.HasAVX2 && cpu.X86.HasBMI1 && cpu.X86.HasBMI2 && countsZeros()

// countsZeros reports whether the processor has LZCNT.
func countsZeros() bool

// readBlock reads the coefficients of a block from position n on, multiplied by the quantizer's steps, and reports
// whether there are any.
func readBlock(b *boolReader, probs *planeProbs, context uint8, steps *[2]uint16, n int, out *[16]int16) bool {
	if !vectors {
		return plainBlock(b, probs, context, steps, n, out)
	}
	return blockBMI2(b, probs, int(context), n, steps, out)
}

//go:noescape
func blockBMI2(b *boolReader, probs *planeProbs, context, n int, steps *[2]uint16, out *[16]int16) bool

// readSubModes reads the modes of all 4×4 blocks of a macroblock. above and left are those of the neighbours, and
// become those of the lowest and the rightmost blocks.
func readSubModes(b *boolReader, above, left *[4]mode, out *[16]mode) {
	if !vectors {
		plainSubModes(b, above, left, out)
		return
	}
	subModesBMI2(b, above, left, out, &subModeProbs)
}

//go:noescape
func subModesBMI2(b *boolReader, above, left *[4]uint8, out *[16]uint8, probs *[10][10][9]uint8)

// predictBlocks predicts the 4×4 blocks of a macroblock in turn. To those whose bit is set in coded it adds what their
// coefficients say, and clears these.
func predictBlocks(pix []byte, at, stride int, modes *[16]mode, blocks *[16][16]int16, coded uint32) {
	if !vectors {
		plainBlocks(pix, at, stride, modes, blocks, coded)
		return
	}
	_, _ = pix[at-stride-1], pix[at+15*stride+15]
	blocksAVX2(&pix[at], stride, modes, blocks, coded)
}

//go:noescape
func blocksAVX2(dst *byte, stride int, modes *[16]uint8, blocks *[16][16]int16, coded uint32)

// addFour transforms four blocks and clears them. The first two are added to 8×4 samples from at on, the others to as
// many from second on.
func addFour(pix []byte, at, second, stride int, blocks *[4][16]int16) {
	if !vectors {
		plainAddFour(pix, at, second, stride, blocks)
		return
	}
	_ = pix[max(at, second)+3*stride+7]
	addFourAVX2(&pix[at], &pix[second], stride, blocks)
}

//go:noescape
func addFourAVX2(first, second *byte, stride int, blocks *[4][16]int16)

// smoothColumns smooths the edge left of eight rows from first and eight from second on.
func smoothColumns(pix []byte, first, second, stride int, f *filter, inner bool) {
	if !vectors {
		plainColumns(pix, first, second, stride, f, inner)
		return
	}
	_ = pix[max(first, second)+7*stride+3]
	columnsAVX2(&pix[first-4], &pix[second-4], stride, f, inner)
}

//go:noescape
func columnsAVX2(first, second *byte, stride int, f *filter, inner bool)

// smoothRows smooths the edge above eight columns from first and eight from second on.
func smoothRows(pix []byte, first, second, stride int, f *filter, inner bool) {
	if !vectors {
		plainRows(pix, first, second, stride, f, inner)
		return
	}
	_, _ = pix[min(first, second)-4*stride], pix[max(first, second)+3*stride+7]
	rowsAVX2(&pix[first], &pix[second], stride, f, inner)
}

//go:noescape
func rowsAVX2(first, second *byte, stride int, f *filter, inner bool)
