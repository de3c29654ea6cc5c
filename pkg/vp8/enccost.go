package vp8

import "math"

// What bits cost is counted in 1/256 of a bit.

// zeroCosts and oneCosts are what a 0 and a 1 cost that are coded with a probability.
var zeroCosts, oneCosts = bitCosts()

// bitCosts returns the costs of bits as the arithmetic coder has them: the mean over the sizes of its interval. Small
// ones are more frequent.
func bitCosts() (zero, one [256]uint16) {
	var log [256]float64 // each logarithm once: every process that has this package computes the costs as it starts
	for v := 1; v < len(log); v++ {
		log[v] = math.Log2(float64(v))
	}
	for p := range zero {
		var zeros, ones, weights float64
		for span := 128; span < 256; span++ {
			split := 1 + (span-1)*p>>8
			weight := 1 / float64(span)
			zeros += (log[span] - log[split]) * weight
			ones += (log[span] - log[span-split]) * weight
			weights += weight
		}
		zero[p], one[p] = uint16(256*zeros/weights+0.5), uint16(256*ones/weights+0.5)
	}
	return zero, one
}

func bitCost(bit bool, p uint8) int {
	if bit {
		return int(oneCosts[p])
	}
	return int(zeroCosts[p])
}

// lastLevel is the level from which on the cost of a level depends on probabilities no more.
const lastLevel = 67

// levelTail is what the sign of a level and the bits cost that have fixed probabilities (RFC 6386, section 13.2).
var levelTail = func() (costs [maxLevel + 1]uint16) {
	for v := 1; v < len(costs); v++ {
		cost := bitCost(false, 128)
		switch {
		case v < 5:
		case v < 7:
			cost += bitCost(v == 6, 159)
		case v < 11:
			cost += bitCost(v >= 9, 165) + bitCost(v&1 == 0, 145)
		default:
			category := categoryOf(v)
			rest, probs := v-3-8<<category, &categories[category]
			n := categoryBits[category]
			for i := range n {
				cost += bitCost(rest>>(n-1-i)&1 == 1, probs[i])
			}
		}
		costs[v] = uint16(cost)
	}
	return costs
}()

// categoryBits is how many bits follow the categories of levels from 11 on.
var categoryBits = [4]int{3, 4, 5, 11}

// categoryOf returns the category of a level from 11 on: one of the four that have tables of probabilities.
func categoryOf(v int) int {
	switch {
	case v < 3+8<<1:
		return 0
	case v < 3+8<<2:
		return 1
	case v < 3+8<<3:
		return 2
	}
	return 3
}

// levelCosts is what a level costs after a context: the bits that say how large it is, and its sign. Levels beyond
// lastLevel have another tail.
type levelCosts [lastLevel + 1]uint16

func (t *levelCosts) of(level int) int {
	if level <= lastLevel {
		return int(t[level])
	}
	return int(t[lastLevel]) - int(levelTail[lastLevel]) + int(levelTail[min(level, maxLevel)])
}

// planeCosts are the costs in one of the planes of coefficients, by band and context.
type planeCosts struct {
	levels [8][3]levelCosts
	end    [8][3]uint16 // that nothing follows
	more   [8][3]uint16 // that something does
}

// set computes the costs from probabilities. In the contexts after a level, those of a level include the bit that says
// that one follows; after a 0 there is none.
func (c *planeCosts) set(probs *[8][3][11]uint8) {
	for band := range probs {
		for context := range probs[band] {
			p := &probs[band][context]
			c.end[band][context], c.more[band][context] = zeroCosts[p[0]], oneCosts[p[0]]
			first := 0
			if context > 0 {
				first = bitCost(true, p[0])
			}
			c.levels[band][context].set(p, first)
		}
	}
}

func (t *levelCosts) set(p *[11]uint8, first int) {
	t[0] = uint16(first + bitCost(false, p[1]))
	any := first + bitCost(true, p[1])
	t[1] = uint16(any + bitCost(false, p[2]) + int(levelTail[1]))
	any += bitCost(true, p[2])
	small, large := any+bitCost(false, p[3]), any+bitCost(true, p[3])
	three := small + bitCost(true, p[4])
	t[2] = uint16(small + bitCost(false, p[4]) + int(levelTail[2]))
	t[3] = uint16(three + bitCost(false, p[5]) + int(levelTail[3]))
	t[4] = uint16(three + bitCost(true, p[5]) + int(levelTail[4]))
	middle, far := large+bitCost(false, p[6]), large+bitCost(true, p[6])
	low, high := far+bitCost(false, p[8]), far+bitCost(true, p[8])
	for _, class := range [...]struct{ from, to, cost int }{
		{5, 6, middle + bitCost(false, p[7])}, {7, 10, middle + bitCost(true, p[7])},
		{11, 18, low + bitCost(false, p[9])}, {19, 34, low + bitCost(true, p[9])},
		{35, 66, high + bitCost(false, p[10])}, {67, 67, high + bitCost(true, p[10])},
	} {
		for v := class.from; v <= class.to; v++ {
			t[v] = uint16(class.cost + int(levelTail[v]))
		}
	}
}

// lastOf returns the position of the last level of a block that is not 0, or -1 if the block has none.
func lastOf(levels *[16]int16, any bool) int {
	if !any {
		return -1
	}
	last := 15
	for last > 0 && levels[last] == 0 {
		last--
	}
	return last
}

// residual returns what the levels of a block cost from position first to the last that is not 0, in the order of the
// stream.
func (c *planeCosts) residual(levels *[16]int16, first, last int, context uint8) (cost int) {
	if last < 0 {
		return int(c.end[bands[first]][context])
	}
	if context == 0 {
		cost = int(c.more[bands[first]][0])
	}
	for n := first; ; n++ {
		level := int(levels[n])
		level = max(level, -level)
		cost += c.levels[bands[n]&7][context].of(level)
		context = uint8(min(level, 2))
		if n == last {
			break
		}
	}
	if last < 15 {
		cost += int(c.end[bands[last+1]][context])
	}
	return cost
}
