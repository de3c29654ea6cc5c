package vp8

import (
	"math"
	"math/bits"
)

// startBlocks collects what lies around the macroblock, for the prediction of its first block.
//
// e.around goes from the lowest sample to the left over the corner to what is above, and on to the next macroblock.
// Samples of reconstructed blocks replace those that are needed no more, so that the 13 samples around each block are
// always next to each other.
func (e *encoder) startBlocks() {
	left, top := &e.border.left[0], e.border.top[0]
	for i, v := range left {
		e.around[15-i] = v
	}
	e.around[16] = e.border.corner[0]
	copy(e.around[17:33], top)
	if e.x < e.across-1 {
		copy(e.around[33:], top[16:20])
	} else { // the decoder repeats the last one
		e.around[33], e.around[34], e.around[35], e.around[36] = top[15], top[15], top[15], top[15]
	}
	e.setEdge(0)
}

// Places in e.edge, which tryBlock describes.
const (
	edgeLowest = 1  // of the samples to the left
	edgeLast   = 13 // of those above
)

// aroundAt is where the samples above a block are in e.around.
func aroundAt(block int) int { return 17 + 4*(block&3) - block&^3 }

func (e *encoder) setEdge(block int) {
	at := aroundAt(block)
	copy(e.edge[edgeLowest:], e.around[at-5:at+8])
	e.edge[0], e.edge[edgeLast+1] = e.edge[edgeLowest], e.edge[edgeLast]
}

// nextBlock puts the reconstruction of a block, in e.spare, around the next.
func (e *encoder) nextBlock(block int) {
	if block == 15 {
		return
	}
	pix, around := e.spare[lumaOffsets[block]:], e.around[aroundAt(block)-4:]
	copy(around[:4], pix[3*encStride:])
	if block&3 < 3 {
		around[4], around[5], around[6] = pix[2*encStride+3], pix[encStride+3], pix[3]
	} else { // the first block of the next row; what is beyond the macroblock stays
		copy(around[4:8], around[8:12])
	}
	e.setEdge(block + 1)
}

// chooseBlock finds the best mode for a block, and reconstructs it in e.spare. Costs are those of modes, context is how
// many neighbours have levels.
func (e *encoder) chooseBlock(s *encodedSegment, c *choice, block int, costs *[subModes]uint16,
	context uint8) (best cost) {
	t := &e.trials
	tryBlock(e.src[lumaOffsets[block]:], &e.edge, &s.luma, &spectralWeights, t)
	if e.opt.Effort >= trellisAll {
		for m := range subModes {
			e.trellisBlock(s, block, m, context)
		}
	}
	bestScore := int64(math.MaxInt64)
	for m := range subModes {
		tried := cost{
			header: int64(costs[m]), distortion: int64(t.errors[m].squared),
			spectral: weigh(s.lambdaSpectral, int(t.errors[m].spectral)),
		}
		if m > modeDC && bits.OnesCount16(t.coded[m]&^1) <= flatBlock {
			tried.rate = flatPenalty
		}
		if tried.score(s.lambdaBlock) >= bestScore {
			continue // the levels do not cost less than nothing
		}
		tried.rate += int64(e.costs[planeLuma].residual(&t.levels[m], 0, bits.Len16(t.coded[m])-1, context))
		if score := tried.score(s.lambdaBlock); score < bestScore {
			best, bestScore = tried, score
			c.modes[block] = m
		}
	}
	e.take(c, block, c.modes[block])
	return best
}

// take makes what e.trials has of a mode that of a block, and copies the reconstruction to e.spare.
func (e *encoder) take(c *choice, block int, m mode) {
	t := &e.trials
	if t.coded[m] != 0 {
		c.coded |= 1 << block
	}
	*blockOf(c.levels[:], block) = t.levels[m]
	to := e.spare[lumaOffsets[block]:]
	for y := range 4 {
		copy(to[y*encStride:][:4], t.built[m][4*y:])
	}
}
