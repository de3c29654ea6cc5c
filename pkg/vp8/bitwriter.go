package vp8

import "math/bits"

// boolWriter codes bits arithmetically (RFC 6386, section 7.3).
//
// low holds the bits that have not been written: count of them above the eight that the next bits still change, and
// one more for a carry.
type boolWriter struct {
	out   []byte
	low   uint64
	span  uint32 // the size of the interval, 128 to 255 between two bits
	count int
}

// fullWriter is how many bits are kept back at most before bytes are written, so that low has room for seven more.
const fullWriter = 40

func newBoolWriter() *boolWriter { return &boolWriter{span: 255} }

// bit codes a bit whose probability of being 0 is p of 256.
func (w *boolWriter) bit(p uint8, bit bool) {
	split := 1 + (w.span-1)*uint32(p)>>8
	if bit {
		w.low += uint64(split)
		split = w.span - split
	}
	shift := bits.LeadingZeros8(uint8(split))
	w.span = split << (shift & 7)
	w.low <<= shift & 7
	if w.count += shift; w.count >= fullWriter {
		w.drain()
	}
}

// drain writes whole bytes and keeps one to eight bits back.
func (w *boolWriter) drain() {
	for w.count > 8 {
		w.writeByte()
	}
}

// writeByte writes the eight highest bits, and carries.
func (w *boolWriter) writeByte() {
	v := w.low >> (w.count & 63)
	w.low &= 1<<(w.count&63) - 1
	w.count -= 8
	if v > 255 {
		for i := len(w.out) - 1; i >= 0; i-- {
			if w.out[i]++; w.out[i] != 0 {
				break
			}
		}
	}
	w.out = append(w.out, byte(v))
}

// flag writes a bit that is as often 0 as 1.
func (w *boolWriter) flag(bit bool) { w.bit(128, bit) }

// number writes an unsigned number of n bits, the highest first.
func (w *boolWriter) number(v, n int) {
	for i := n - 1; i >= 0; i-- {
		w.flag(v>>i&1 == 1)
	}
}

// optional writes a signed number of n bits, which is left out if it is 0.
func (w *boolWriter) optional(v, n int) {
	w.flag(v != 0)
	if v != 0 {
		w.number(max(v, -v), n)
		w.flag(v < 0)
	}
}

// finish ends the stream and returns it. A reader takes zeros for what is beyond its end, so two bytes are enough for
// what is kept back; like libwebp it writes no more than one byte of zeros after them.
func (w *boolWriter) finish() []byte {
	w.drain()
	for range 17 - w.count {
		w.flag(false)
	}
	w.drain()
	w.count = 8
	w.writeByte()
	return w.out
}
