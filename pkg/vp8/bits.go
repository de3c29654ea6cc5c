package vp8

import (
	"encoding/binary"
	"math/bits"
)

// boolReader decodes the bits of a partition, which are coded arithmetically (RFC 6386, section 7).
//
// value holds the bits that come next, the first of them on top. A bit is decided by the upper eight of them, and takes
// up at most seven. fill makes sure that at least 56 are there: enough for seven bits, which are read without looking
// again. Assembly knows the offsets of the first five fields.
type boolReader struct {
	value uint64
	span  uint64 // the size of the interval, 128 to 255 between two bits
	have  int    // how many bits of value were loaded
	at    int    // the byte of data that is loaded next

	data   []byte
	size   int  // of the partition in data; what lies behind it are zeros
	padded bool // data is a copy, with paddedBytes of zeros behind
}

// mostPerMacroblock is more than the bytes that a macroblock can take up: 25 blocks of 16 coefficients of at most 18
// bits that take up seven bits each.
const mostPerMacroblock = 25*16*18*7/8 + 8

func (b *boolReader) init(data []byte) {
	*b = boolReader{span: 255, data: data, size: len(data)}
}

// prepare makes sure that a macroblock can be read without leaving data. It reports whether the partition is read
// beyond its end.
func (b *boolReader) prepare() (beyond bool) {
	if b.at+mostPerMacroblock <= len(b.data) {
		return false
	}
	if !b.padded {
		rest := b.data[b.at:]
		b.data = append(make([]byte, 0, len(rest)+2*mostPerMacroblock), rest...)
		b.data = b.data[:cap(b.data)]
		b.at, b.size, b.padded = 0, len(rest), true
		return false
	}
	if 8*b.at-b.have > 8*b.size {
		return true
	}
	return false
}

// beyond reports whether more bits were read than the partition has.
func (b *boolReader) beyond() bool { return 8*b.at-b.have > 8*b.size }

func (b *boolReader) fill() {
	if b.have >= 56 {
		return
	}
	b.value |= binary.BigEndian.Uint64(b.data[b.at:]) >> (b.have & 63)
	n := (63 - b.have) >> 3
	b.at += n
	b.have += 8 * n
}

// take decides a bit whose probability of being 0 is p of 256. At least eight bits must have been filled in.
func (b *boolReader) take(p uint8) bool {
	split := 1 + ((b.span-1)*uint64(p))>>8
	large := split << 56
	bit := b.value >= large
	if bit {
		b.value -= large
		b.span -= split
	} else {
		b.span = split
	}
	shift := bits.LeadingZeros8(uint8(b.span))
	b.value <<= shift & 7
	b.span <<= shift & 7
	b.have -= shift
	return bit
}

// bit fills and decides a bit.
func (b *boolReader) bit(p uint8) bool {
	b.fill()
	return b.take(p)
}

// flag reads a bit that is as often 0 as 1.
func (b *boolReader) flag() bool { return b.bit(128) }

// number reads an unsigned number of n bits, the highest first.
func (b *boolReader) number(n int) int {
	v := 0
	for range n {
		v *= 2
		if b.flag() {
			v++
		}
	}
	return v
}

// signed reads a number of n bits and its sign.
func (b *boolReader) signed(n int) int {
	v := b.number(n)
	if b.flag() {
		return -v
	}
	return v
}

// optional reads a signed number that may be left out, and is 0 then.
func (b *boolReader) optional(n int) int {
	if !b.flag() {
		return 0
	}
	return b.signed(n)
}
