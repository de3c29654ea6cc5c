package vp8

import (
	"encoding/binary"
	"math/rand/v2"
)

// bytes ends the stream so that bytes that follow cannot change it: they are read as more bits.
func (w *boolWriter) bytes() []byte {
	w.number(0, 32)
	return append(w.finish(), 0)
}

// form is what the header of a random frame says.
type form struct {
	width, height int
	segmented     bool
	absolute      bool
	simple        bool
	level         int
	sharpness     int
	deltas        bool
	partitions    int // as a power of two
	quantizer     int
	emptyProb     int // 0: macroblocks do not say whether they are empty
}

func randomForm(r *rand.Rand) form {
	return form{
		width: 1 + r.IntN(100), height: 1 + r.IntN(100), segmented: r.IntN(2) == 0, absolute: r.IntN(2) == 0,
		simple: r.IntN(3) == 0, level: r.IntN(2) * r.IntN(64), sharpness: r.IntN(8), deltas: r.IntN(2) == 0,
		partitions: r.IntN(4), quantizer: r.IntN(20), emptyProb: r.IntN(2) * (1 + r.IntN(255)),
	}
}

// frame returns a key frame of random macroblocks: after its header, which is coded, the partitions are random bytes,
// which are as good a stream as any.
func (f form) frame(r *rand.Rand) []byte {
	w := newBoolWriter()
	w.number(0, 2)
	w.flag(f.segmented)
	if f.segmented {
		w.flag(true)
		w.flag(true)
		w.flag(f.absolute)
		for range segments {
			w.optional(r.IntN(20), 7)
		}
		for range segments {
			w.optional(r.IntN(40)-10*one(!f.absolute), 6)
		}
		for range segments - 1 {
			w.flag(true)
			w.number(r.IntN(256), 8)
		}
	}
	w.flag(f.simple)
	w.number(f.level, 6)
	w.number(f.sharpness, 3)
	w.flag(f.deltas)
	if f.deltas {
		w.flag(true)
		for range 8 {
			w.optional(r.IntN(20)-10, 6)
		}
	}
	w.number(f.partitions, 2)
	w.number(f.quantizer, 7)
	for range 5 {
		w.optional(r.IntN(11)-5, 4)
	}
	w.flag(true)
	rare := r.IntN(4) == 0
	for i := range updateProbs {
		for j := range updateProbs[i] {
			for k := range updateProbs[i][j] {
				for _, p := range updateProbs[i][j][k] {
					update := rare && r.IntN(100) == 0
					w.bit(p, update)
					if update {
						w.number(r.IntN(256), 8)
					}
				}
			}
		}
	}
	w.flag(f.emptyProb > 0)
	if f.emptyProb > 0 {
		w.number(f.emptyProb, 8)
	}
	blocks := (f.width + 15) / 16 * ((f.height + 15) / 16)
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		b[0] &= 127 // no coder begins with 255
		return b
	}
	first := append(w.bytes(), random(30*blocks+20)...)
	head := uint32(1<<4 | len(first)<<5)
	out := []byte{byte(head), byte(head >> 8), byte(head >> 16), 0x9d, 0x01, 0x2a}
	out = binary.LittleEndian.AppendUint16(out, uint16(f.width))
	out = binary.LittleEndian.AppendUint16(out, uint16(f.height))
	out = append(out, first...)
	parts := make([][]byte, 1<<f.partitions)
	for i := range parts {
		parts[i] = random(800*blocks + r.IntN(50))
		if i < len(parts)-1 {
			n := len(parts[i])
			out = append(out, byte(n), byte(n>>8), byte(n>>16))
		}
	}
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}
