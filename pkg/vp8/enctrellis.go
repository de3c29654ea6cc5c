package vp8

import "math"

// Trellis quantization chooses the levels of a block together, by what they lose and what they cost, in place of
// rounding each (libwebp's TrellisQuantizeBlock). Of each coefficient two levels are tried: rounded down, and one more.

// trellisWeights are how much the error of each coefficient counts.
var trellisWeights = [16]int64{30, 27, 19, 11, 27, 24, 17, 10, 19, 17, 12, 8, 11, 10, 8, 6}

// trellisState is the best way to a level of a coefficient.
type trellisState struct {
	score int64
	costs *levelCosts // of the next level
}

// trellisStep is a level, and which of the two before it is on the best way.
type trellisStep struct {
	level  int16
	before int8
}

const noWay = math.MaxInt64 / 4 // a score that nothing can make better

// trellisQuantize quantizes a block of a plane from position first on, as quantizeBlock does.
func (e *encoder) trellisQuantize(in, out *[16]int16, m *quantMatrix, plane, first int, context uint8,
	lambda int) bool {
	c, weight := &e.costs[plane], int64(lambda)
	last := lastToTry(in, m, first)
	var steps [16][2]trellisStep
	begin := int64(0)
	if context == 0 {
		begin = int64(c.more[bands[first]][0])
	}
	now := [2]trellisState{
		{begin * weight, &c.levels[bands[first]][context]}, {begin * weight, &c.levels[bands[first]][context]},
	}
	best := int64(c.end[bands[first]][context]) * weight // of no levels
	end, endStep := -1, trellisStep{}
	endWay := 0
	for n := first; n <= last; n++ {
		j := zigzag[n]
		size := uint32(max(int32(in[j]), -int32(in[j]))) + uint32(m.sharpen[j])
		low := min(int(size*uint32(m.iq[j])>>quantFix), maxLevel)
		high := min(int((size*uint32(m.iq[j])+1<<(quantFix-1))>>quantFix), maxLevel)
		before := now
		for way := range 2 {
			level := low + way
			next := min(level, 2)
			now[way] = trellisState{noWay, &c.levels[bands[n+1]&7][next]}
			if level > high {
				continue
			}
			lost := int64(size) - int64(level)*int64(m.q[j])
			distortion := trellisWeights[j] * (lost*lost - int64(size)*int64(size))
			step := trellisStep{level: int16(level)}
			for from, state := range before {
				if score := state.score + int64(state.costs.of(level))*weight; score < now[way].score {
					now[way].score, step.before = score, int8(from)
				}
			}
			now[way].score += 256 * distortion
			if in[j] < 0 {
				step.level = -step.level
			}
			steps[n][way] = step
			if level == 0 {
				continue
			}
			score := now[way].score
			if n < 15 {
				score += int64(c.end[bands[n+1]][next]) * weight
			}
			if score < best {
				best, end, endStep, endWay = score, n, step, way
			}
		}
	}
	clear(in[first:]) // the first position is the same in both orders
	clear(out[first:])
	if end < 0 {
		return false
	}
	steps[end][endWay] = endStep
	any := int16(0)
	for n, way := end, endWay; n >= first; n-- {
		step := steps[n][way]
		out[n] = step.level
		in[zigzag[n]] = step.level * int16(m.q[zigzag[n]])
		any |= step.level
		way = int(step.before)
	}
	return any != 0
}

// lastToTry returns the position up to which coefficients are worth a level: one behind the last that is more than half
// of a step.
func lastToTry(in *[16]int16, m *quantMatrix, first int) int {
	least := int32(m.q[1]) * int32(m.q[1]) / 4
	last := 15
	for last >= first {
		v := int32(in[zigzag[last]])
		if v*v > least {
			break
		}
		last--
	}
	return min(last+1, 15)
}

// trellisBlock codes a block by a mode whose prediction e.trials has, and puts the result there.
func (e *encoder) trellisBlock(s *encodedSegment, block int, m mode, context uint8) {
	t, src := &e.trials, e.src[lumaOffsets[block]:]
	var ref, built [4 * encStride]byte
	for y := range 4 {
		copy(ref[y*encStride:], t.predicted[m][4*y:][:4])
	}
	var c [16]int16
	forwardTransform(src, ref[:], &c)
	e.trellisQuantize(&c, &t.levels[m], &s.luma, planeLuma, 0, context, s.lambdaTrellisBlock)
	inverseTransformAdd(ref[:], &c, built[:])
	t.errors[m] = blockErrors{
		int32(sse4x4(src, built[:])), int32(spectralDistortion4x4(src, built[:], &spectralWeights)),
	}
	for y := range 4 {
		copy(t.built[m][4*y:], built[y*encStride:][:4])
	}
	t.coded[m] = 0
	for n, v := range t.levels[m] {
		if v != 0 {
			t.coded[m] |= 1 << n
		}
	}
}

// trellisWhole quantizes the blocks of luma as a whole, but for their first coefficients. It returns which have levels.
func (e *encoder) trellisWhole(s *encodedSegment, levels []int16) (coded uint32) {
	above, left := e.above[e.x].luma, e.left.luma
	for i := range 16 {
		x, y := i&3, i>>2
		block := blockOf(levels, i)
		block[0] = 0
		any := one(e.trellisQuantize(blockOf(e.coefs[:], i), block, &s.luma, planeAfterSecond, 1, above[x]+left[y],
			s.lambdaTrellisWhole))
		above[x], left[y] = uint8(any), uint8(any)
		coded |= uint32(any) << i
	}
	return coded
}

// refine quantizes luma by a trellis, in the modes that were chosen without it.
func (e *encoder) refine(s *encodedSegment) {
	c := e.luma
	if c.whole {
		e.reconstructWhole(s, c, c.mode, true)
		e.out, e.spare = e.spare, e.out
		return
	}
	above, left := e.above[e.x].luma, e.left.luma
	c.coded = 0
	e.startBlocks()
	for i, m := range c.modes {
		x, y := i&3, i>>2
		tryBlock(e.src[lumaOffsets[i]:], &e.edge, &s.luma, &spectralWeights, &e.trials)
		e.trellisBlock(s, i, m, above[x]+left[y])
		e.take(c, i, m)
		above[x] = uint8(c.coded >> i & 1)
		left[y] = above[x]
		e.nextBlock(i)
	}
	e.out, e.spare = e.spare, e.out
}
