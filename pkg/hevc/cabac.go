package hevc

import (
	"encoding/binary"
	"math/bits"
)

// cabac decodes the bins of a part of a slice, which are coded arithmetically (9.3.4.3).
//
// value holds ivlOffset in nine bits below the highest, and behind it the bits that come next. A bin shifts out at most
// eight bits; have says how many are there beyond the nine, and is never negative between two bins.
type cabac struct {
	value uint64
	span  uint64 // ivlCurrRange, 256 to 510 between two bins
	have  int
	at    int // the byte of data that is loaded next

	data []byte // with padding of zeros
	size int    // of data without the padding
	bad  bool   // something was decoded that no encoder writes

	states [contexts]uint8 // pStateIdx<<1 | valMps
	rices  [4]uint8        // StatCoeff
}

// padding is what follows the data of a slice, so that eight bytes can always be loaded.
const padding = 16

// offsetShift is where ivlOffset is in cabac.value.
const offsetShift = 54

// start begins to decode at a byte (9.3.2.5).
func (c *cabac) start(at int) {
	c.at, c.value, c.span, c.have = at, 0, 510, -9
	c.value, c.at, c.have = refill(c.data, c.value, c.at, c.have)
	if c.value>>offsetShift >= c.span { // no encoder begins so, and the offset must be below the range
		c.bad, c.value = true, 0
	}
}

// refill loads as many whole bytes as there is room for.
func refill(data []byte, value uint64, at, have int) (uint64, int, int) {
	if at > len(data)-8 {
		at = len(data) - 8 // nothing but padding; beyond() has noticed
	}
	value |= binary.BigEndian.Uint64(data[at:]) >> (uint(10+have) & 63)
	n := (54 - have) >> 3
	return value, at + n, have + 8*n
}

// beyond reports whether more bits were consumed than there are.
func (c *cabac) beyond() bool { return 8*c.at-c.have > 8*c.size }

// nextByte returns where data begin that follow the last bin, which ended a part.
func (c *cabac) nextByte() int { return (8*c.at - c.have + 7) >> 3 }

// bin decodes a bin of a context.
func (c *cabac) bin(context int) int {
	state := c.states[context&(contexts-1)]
	lps := uint64(lowRanges[(int(state)<<2|int(c.span>>6&3))&511])
	span := c.span - lps
	scaled := span << offsetShift
	_, below := bits.Sub64(c.value, scaled, 0)
	mask := below - 1 // all ones for the less probable symbol
	c.value -= scaled & mask
	span += (lps - span) & mask
	c.states[context&(contexts-1)] = nextStates[state|uint8(mask&128)]
	shift := bits.LeadingZeros64(span) - (63 - 8)
	c.span = span << (uint(shift) & 63)
	c.value <<= uint(shift) & 63
	if c.have -= shift; c.have < 0 {
		c.value, c.at, c.have = refill(c.data, c.value, c.at, c.have)
	}
	return int((uint64(state) ^ mask) & 1)
}

// group decodes the bins n to 1 of a group of coefficients, each of the context base and its offset, as bin would. The
// decoder's state stays in registers.
func (c *cabac) group(base int, offsets *[16]uint8, n int) (set uint32) {
	value, span, at, have := c.value, c.span, c.at, c.have
	for ; n > 0; n-- {
		state := &c.states[(base+int(offsets[n&15]))&(contexts-1)]
		s := *state
		lps := uint64(lowRanges[(int(s)<<2|int(span>>6&3))&511])
		span -= lps
		scaled := span << offsetShift
		_, below := bits.Sub64(value, scaled, 0)
		mask := below - 1
		value -= scaled & mask
		span += (lps - span) & mask
		*state = nextStates[s|uint8(mask&128)]
		shift := uint(bits.LeadingZeros64(span)-(63-8)) & 63
		span <<= shift
		value <<= shift
		if have -= int(shift); have < 0 {
			value, at, have = refill(c.data, value, at, have)
		}
		set |= uint32((uint64(s)^mask)&1) << (n & 15)
	}
	c.value, c.span, c.at, c.have = value, span, at, have
	return set
}

// flag decodes a bin of a context that is a flag.
func (c *cabac) flag(context int) bool { return c.bin(context) != 0 }

// bypass decodes a bin that is as often 0 as 1.
func (c *cabac) bypass() int {
	c.value <<= 1
	if c.have--; c.have < 0 {
		c.value, c.at, c.have = refill(c.data, c.value, c.at, c.have)
	}
	scaled := c.span << offsetShift
	_, below := bits.Sub64(c.value, scaled, 0)
	c.value -= scaled & (below - 1)
	return int(below ^ 1)
}

// number decodes up to 16 bypass bins, the highest first. The offset behind them is what a division leaves.
func (c *cabac) number(n int) int {
	if n == 0 {
		return 0
	}
	if c.have < n {
		c.value, c.at, c.have = refill(c.data, c.value, c.at, c.have)
	}
	shift := uint(offsetShift-n) & 63
	q := uint64(uint32(c.value>>shift) / uint32(c.span))
	c.value -= (q * c.span) << shift
	c.value <<= uint(n) & 63
	c.have -= n
	return int(q)
}

// terminate decodes a bin that ends a part, or precedes PCM samples.
func (c *cabac) terminate() bool {
	c.span -= 2
	scaled := c.span << offsetShift
	if c.value >= scaled {
		return true
	}
	if c.span < 256 {
		c.span <<= 1
		c.value <<= 1
		if c.have--; c.have < 0 {
			c.value, c.at, c.have = refill(c.data, c.value, c.at, c.have)
		}
	}
	return false
}

// reset sets all contexts to where a slice of a quantizer begins (9.3.2.2).
func (c *cabac) reset(qp int) {
	qp = max(0, min(51, qp))
	for i, v := range initValues {
		slope, offset := int(v>>4)*5-45, int(v&15)<<3-16
		pre := max(1, min(126, (slope*qp)>>4+offset))
		if pre <= 63 {
			c.states[i] = uint8(63-pre) << 1
		} else {
			c.states[i] = uint8(pre-64)<<1 | 1
		}
	}
	c.rices = [4]uint8{}
}
