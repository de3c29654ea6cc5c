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

// add transforms a block, adds it to 4×4 samples, and clears it.
func add(pix []byte, at, stride int, c *[16]int16) {
	if !vectors {
		plainAdd(pix, at, stride, c)
		return
	}
	_ = pix[at+3*stride+7]
	addOneAVX2(&pix[at], stride, c)
}

// addOneAVX2 reads 8 samples of each row.
//
//go:noescape
func addOneAVX2(dst *byte, stride int, block *[16]int16)

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
