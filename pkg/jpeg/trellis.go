package jpeg

import (
	"math"
	mathbits "math/bits"
)

// This file chooses the values of coefficients by what they cost: the bits of their codes, and the error, by how much
// it shows. The dynamic programming over runs of zeros is that of mozjpeg: a coefficient takes the rounded value, or
// the largest one of fewer bits, or 0. All numbers are integers, or square roots, which IEEE 754 defines to the last
// bit, so that every processor makes the same choice.

// Costs are in bits, times 1<<costBits. Weights of errors, in bits, have lambdaBits bits of fraction.
const (
	costBits   = 10
	lambdaBits = 8
	unknown    = math.MaxInt64 // the cost of what was not reached
)

// How much an error of one step² weighs: usualLambda bits on the average of a picture, more in a smooth block and less
// in a busy one, which hides it, within limits. A block's weight is its variance plus smoothVariance, to the power of
// −3/4. The numbers are the best of those that were tried over photographs, as bench/quality measures, without harm
// to screenshots.
const (
	usualLambda    = 12 << lambdaBits
	leastLambda    = 1 << lambdaBits
	mostLambda     = 64 << lambdaBits
	smoothVariance = 50
)

// halves divide the coefficients that forward yields so that halves of them are left.
var halves = func() *divisors {
	d := new(divisors)
	for i := range d.half {
		d.half[i], d.reciprocal[i], d.scale[i] = 2, 1<<15, 1<<15 // by 4, of coefficients times 8
	}
	return d
}()

// chooser chooses the values of coefficients of luma, or of colour.
type chooser struct {
	step   [64]int32      // of quantization, in halves, in zigzag order
	weight [64]int64      // 1<<32 / step²
	dc     [dcSizes]int64 // cost of the size of a DC difference
	ac     [256]int64     // cost of a symbol, and of the bits that follow it
	mean   int64          // weight of blocks
	states [][dcTries]dcState
}

// newChooser returns a chooser for a quantization table in natural order. Symbols cost what the best code would give
// them that come up as often as counts say.
func newChooser(quant *[64]uint8, dc, ac *[256]uint32) *chooser {
	t := new(chooser)
	for k, natural := range zigzag {
		t.step[k] = 2 * int32(quant[natural])
		t.weight[k] = (1 << 32) / (int64(t.step[k]) * int64(t.step[k]))
	}
	lengthsOf(t.dc[:], dc)
	lengthsOf(t.ac[:], ac)
	return t
}

// lengthsOf sets the costs of symbols and of the bits that follow them. A symbol that did not come up costs as much as
// the longest code.
func lengthsOf(costs []int64, counts *[256]uint32) {
	codes := codesOf(optimalSpec(counts), false)
	for s := range costs {
		length := codes[s].length
		if length == 0 {
			length = 16 + uint32(s&15)
		}
		costs[s] = int64(length) << costBits
	}
}

// weightOf returns how much errors weigh in a block of raw coefficients, in halves.
func weightOf(raw *[64]int16) int64 {
	energy := int64(smoothVariance << 8) // the variance of the samples, times 1<<8
	for _, v := range raw[1:] {
		energy += int64(v) * int64(v)
	}
	second := root(energy << 16) // its square root, with 8 bits of fraction
	fourth := root(second << 12) // the root of that, with 10
	return (1 << 54) / (second * fourth)
}

// root returns the square root of an integer below 1<<52, rounded down.
func root(n int64) int64 { return int64(math.Sqrt(float64(n))) }

// lambdaOf returns how many bits an error of a step² costs in a block.
func (t *chooser) lambdaOf(raw *[64]int16) int64 {
	return min(max(usualLambda*weightOf(raw)/t.mean, leastLambda), mostLambda)
}

// loss returns the cost of an error, in halves, of the k-th coefficient.
func (t *chooser) loss(k int, err int32, lambda int64) int64 {
	steps := int64(err) * int64(err) * t.weight[k] >> 16 // with 16 bits of fraction
	return steps * lambda >> (16 + lambdaBits - costBits)
}

// candidate is an AC coefficient that would not be rounded to zero.
type candidate struct {
	k, natural int   // where it is
	size       int32 // its magnitude, in halves
	zero       int64 // cost of the error if it becomes zero
	zeros      int64 // the sum of these up to this one
	best       int64 // cost of the coefficients up to this one, if it does not become zero
	from       int   // the candidate before it that does not become zero then
	value      int32 // the magnitude that it takes then
}

// tooMuch is more than any coefficient costs that does not become zero.
const tooMuch = 64 << costBits

// block chooses the AC coefficients of a block, and returns which are not zero, in natural order.
func (t *chooser) block(out, raw *[64]int16, rawNonzero uint64, lambda int64) (nonzero uint64) {
	var list [64]candidate
	n := 1 // the first one stands for the DC coefficient
	for left := zigzagged(rawNonzero &^ 1); left != 0; left &= left - 1 {
		k := mathbits.TrailingZeros64(left)
		natural := int(zigzag[k])
		size := int32(raw[natural])
		size = max(size, -size)
		if 2*size < t.step[k] {
			continue
		}
		c := &list[n]
		c.k, c.natural, c.size, c.zero = k, natural, size, t.loss(k, size, lambda)
		c.zeros = list[n-1].zeros + c.zero
		t.reach(list[:n+1], lambda)
		n++
	}
	last, least := 0, int64(unknown)
	for i := range list[:n] {
		cost := list[i].best + list[n-1].zeros - list[i].zeros
		if list[i].k < 63 {
			cost += t.ac[0]
		}
		if cost < least {
			last, least = i, cost
		}
	}
	clear(out[1:])
	for i := last; i > 0; i = list[i].from {
		c := &list[i]
		v := c.value
		if raw[c.natural] < 0 {
			v = -v
		}
		out[c.natural] = int16(v)
		nonzero |= 1 << c.natural
	}
	return nonzero
}

// reach finds the best way to the last candidate of list.
func (t *chooser) reach(list []candidate, lambda int64) {
	const tries = 3
	var values [tries]int32
	var bits [tries]uint
	var losses [tries]int64
	i := len(list) - 1
	c := &list[i]
	step := t.step[c.k]
	n := 0
	for v := min((c.size+step>>1)/step, 1<<10-1); v > 0 && n < tries; n++ {
		values[n], bits[n], losses[n] = v, uint(mathbits.Len32(uint32(v))), t.loss(c.k, c.size-v*step, lambda)
		v = 1<<(bits[n]-1) - 1 // the most that takes a bit less
	}
	c.best = unknown
	for j := i - 1; j >= 0; j-- {
		before := &list[j]
		run := c.k - before.k - 1
		cost := before.best + list[i-1].zeros - before.zeros + int64(run>>4)*t.ac[0xf0]
		symbols := t.ac[(run&15)<<4:]
		for v := range n {
			if total := cost + symbols[bits[v]&15] + losses[v]; total < c.best {
				c.best, c.from, c.value = total, j, values[v]
			}
		}
		if before.zero > tooMuch {
			return // it never becomes zero
		}
	}
}

// choose chooses all coefficients by the symbols that were counted before, and counts those that it leads to.
func (e *Encoder) choose(rows int, quant [2]*[64]uint8) {
	var choosers [2]*chooser
	for i := range min(len(e.components), 2) {
		choosers[i] = newChooser(quant[i], &e.counts[2*i], &e.counts[2*i+1])
		choosers[i].mean = e.meanWeight(rows, i)
	}
	e.restart()
	for my := range rows {
		for i := range e.components {
			c, t := &e.components[i], choosers[min(i, 1)]
			c.useRow(my)
			c.transformRaw(my)
			for at := range c.rawNonzero {
				raw := (*[64]int16)(c.raw[64*at:])
				c.lambdas[at] = t.lambdaOf(raw)
				c.nonzero[at] = t.block((*[64]int16)(c.blocks[64*at:]), raw, c.rawNonzero[at], c.lambdas[at])
			}
			t.chooseDC(c)
			c.blankPadding(my)
		}
		e.row()
		e.symbols = e.symbols[:0]
	}
}

// transformRaw transforms a row of MCUs and keeps the coefficients unrounded, in halves.
func (c *encoded) transformRaw(my int) {
	n := c.across * c.V
	c.raw, c.rawNonzero, c.lambdas = sized(c.raw, 64*n), sized(c.rawNonzero, n), sized(c.lambdas, n)
	c.transform(my, c.raw, c.rawNonzero, halves)
}

// meanWeight returns how much errors weigh in the blocks of luma, or of both components of colour, on the average.
func (e *Encoder) meanWeight(rows, first int) int64 {
	components := e.components[:1]
	if first > 0 {
		components = e.components[1:]
	}
	sum, n := int64(0), int64(0)
	for i := range components {
		c := &components[i]
		for my := range rows {
			c.transformRaw(my)
			for at := range c.rawNonzero {
				sum += weightOf((*[64]int16)(c.raw[64*at:]))
				n++
			}
		}
	}
	return max(sum/n, 1)
}

// A DC coefficient takes the rounded value, or one beside it. Differences have up to dcSizes−1 bits.
const (
	dcTries = 3
	dcSizes = 12
)

// dcState is a value of a DC coefficient: the cost of all up to it, and which value of the one before that takes.
type dcState struct {
	value int32
	from  int
	cost  int64
}

// chooseDC chooses the DC coefficients of a row of MCUs, in the order in which they are coded.
func (t *chooser) chooseDC(c *encoded) {
	t.states = sized(t.states, c.perRow*c.H*c.V)
	for i := range t.states {
		at := c.coded(i)
		dc := int32(c.raw[64*at])
		middle := (max(dc, -dc) + t.step[0]>>1) / t.step[0]
		if dc < 0 {
			middle = -middle
		}
		for s := range dcTries {
			state := &t.states[i][s]
			*state = dcState{value: middle + int32(s) - dcTries/2, cost: unknown}
			loss := t.loss(0, dc-state.value*t.step[0], c.lambdas[at])
			if i == 0 {
				state.cost = loss + t.costOfDC(int(state.value)-c.last)
				continue
			}
			for from := range dcTries {
				before := &t.states[i-1][from]
				if cost := before.cost + loss + t.costOfDC(int(state.value-before.value)); cost < state.cost {
					state.cost, state.from = cost, from
				}
			}
		}
	}
	best := 0
	for s, state := range t.states[len(t.states)-1] {
		if state.cost < t.states[len(t.states)-1][best].cost {
			best = s
		}
	}
	for i := len(t.states) - 1; i >= 0; i-- {
		at, state := c.coded(i), &t.states[i][best]
		c.blocks[64*at] = int16(state.value)
		if state.value != 0 {
			c.nonzero[at] |= 1
		}
		best = state.from
	}
}

// costOfDC returns the cost of the code of a difference of DC coefficients.
func (t *chooser) costOfDC(difference int) int64 {
	size, _ := magnitude(difference)
	if size >= dcSizes {
		return 1 << 40 // there is no code for it; never is it needed, as the rounded values have one
	}
	return t.dc[size]
}

// coded returns where the i-th block that is coded of a row of MCUs lies.
func (c *encoded) coded(i int) int {
	mcu, block := i/(c.H*c.V), i%(c.H*c.V)
	return block/c.H*c.across + mcu*c.H + block%c.H
}

// chosenLumaQuant is the quantization table of luma for values that are chosen, in natural order, for quality 50. It
// rises with the frequency, its distance from the DC coefficient to the power of 1.8, and less than that of annex K:
// what is not worth its bits becomes zero anyway. It is scaled so that a picture looks about as good as with the usual
// table at the same quality. The table of colour is the usual one.
var chosenLumaQuant = [64]uint8{
	8, 14, 16, 20, 24, 29, 35, 43,
	14, 15, 17, 20, 25, 30, 36, 43,
	16, 17, 19, 22, 26, 32, 38, 45,
	20, 20, 22, 25, 29, 34, 40, 47,
	24, 25, 26, 29, 33, 38, 44, 51,
	29, 30, 32, 34, 38, 43, 49, 56,
	35, 36, 38, 40, 44, 49, 55, 61,
	43, 43, 45, 47, 51, 56, 61, 68,
}
