package vp8l

import "encoding/binary"

// bitReader reads a stream from the lowest bit of each byte on.
//
// The lowest have bits of window come next. The bits above them are those that follow or zeros, so loading them again
// changes nothing. Behind the stream there are zeros, and have becomes negative. Assembly knows the fields.
type bitReader struct {
	data   []byte
	at     int // the byte of data that is loaded next
	window uint64
	have   int
}

// fill makes sure that 56 bits are in the window, or all that are left.
func (b *bitReader) fill() {
	if b.at+8 <= len(b.data) {
		b.window |= binary.LittleEndian.Uint64(b.data[b.at:]) << (b.have & 63)
		b.at += (63 - b.have) >> 3
		b.have |= 56
		return
	}
	for b.have <= 56 && b.at < len(b.data) {
		b.window |= uint64(b.data[b.at]) << (b.have & 63)
		b.at++
		b.have += 8
	}
}

// skip goes on by n bits of the window.
func (b *bitReader) skip(n uint32) {
	b.window >>= n & 63
	b.have -= int(n)
}

// number reads a number of n bits, at most 32.
func (b *bitReader) number(n int) int {
	b.fill()
	v := b.window & (1<<n - 1)
	b.skip(uint32(n))
	return int(v)
}

func (b *bitReader) flag() bool { return b.number(1) == 1 }

// beyond reports whether more bits were read than the stream has.
func (b *bitReader) beyond() bool { return b.have < 0 }
