package vp8

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func randomBytes(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// What assembly does is what plain Go does.
func TestBlocksAreReadAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		var probs planeProbs
		for i := range probs {
			for j := range probs[i] {
				for k := range 11 {
					probs[i][j][k] = byte(r.Uint32())
					if r.IntN(2) == 0 { // so that large values are met
						probs[i][j][k] = byte(r.IntN(20))
					}
				}
			}
		}
		data := randomBytes(r, 4000)
		data[0] &= 127
		var a, b boolReader
		a.init(data)
		b.init(data)
		a.prepare()
		b.prepare()
		a.bit(100) // no block comes first
		b.bit(100)
		steps := [2]uint16{uint16(4 + r.IntN(100)), uint16(4 + r.IntN(100))}
		for block := range 10 {
			var x, y [16]int16
			n, context := r.IntN(2), uint8(r.IntN(3))
			p, q := plainBlock(&a, &probs, context, &steps, n, &x), readBlock(&b, &probs, context, &steps, n, &y)
			if x != y || p != q {
				t.Fatalf("block %d from %d:\n%v %v\n%v %v", block, n, x, p, y, q)
			}
			if a.bit(77) != b.bit(77) || 8*a.at-a.have != 8*b.at-b.have || a.span != b.span {
				t.Fatalf("block %d leaves %d bits and a span of %d, not %d and %d", block, 8*b.at-b.have, b.span,
					8*a.at-a.have, a.span)
			}
		}
	}
}

func TestModesAreReadAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 300 {
		data := randomBytes(r, 20000)
		data[0] &= 127
		var a, b boolReader
		a.init(data)
		b.init(data)
		a.prepare()
		b.prepare()
		var above, left, otherAbove, otherLeft [4]mode
		for n := range 10 {
			var x, y [16]mode
			plainSubModes(&a, &above, &left, &x)
			readSubModes(&b, &otherAbove, &otherLeft, &y)
			if x != y || above != otherAbove || left != otherLeft || a.span != b.span || 8*a.at-a.have != 8*b.at-b.have {
				t.Fatalf("macroblock %d:\n%v %v %v\n%v %v %v", n, x, above, left, y, otherAbove, otherLeft)
			}
		}
	}
}

func TestTransformsAreAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 3000 {
		const stride = 40
		pix := randomBytes(r, 10*stride)
		other := bytes.Clone(pix)
		var c, d [4][16]int16
		for i := range c {
			for j := range 1 + r.IntN(16) {
				c[i][j] = int16(r.IntN(2000) - 1000)
			}
		}
		d = c
		plainAddFour(pix, 3, 3+4*stride, stride, &c)
		addFour(other, 3, 3+4*stride, stride, &d)
		if !bytes.Equal(pix, other) || c != d {
			t.Fatal("four blocks differ")
		}
	}
}

func TestBlocksArePredictedAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 3000 {
		const stride = 64
		pix := randomBytes(r, 20*stride)
		other := bytes.Clone(pix)
		var modes [16]mode
		var c, d [16][16]int16
		for i := range c {
			modes[i] = mode(r.IntN(int(subModes)))
			for j := range 1 + r.IntN(16) {
				c[i][j] = int16(r.IntN(600) - 300)
			}
		}
		d = c
		coded := r.Uint32()
		plainBlocks(pix, stride+8, stride, &modes, &c, coded)
		predictBlocks(other, stride+8, stride, &modes, &d, coded)
		if !bytes.Equal(pix, other) || c != d {
			t.Fatalf("modes %v, coded %x: the blocks differ", modes, coded)
		}
	}
}

func TestEdgesAreSmoothedAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 3000 {
		const stride = 48
		pix := randomBytes(r, 24*stride)
		if base, spread := r.IntN(256), 1+r.IntN(60); r.IntN(8) > 0 {
			for i := range pix {
				pix[i] = clamp(base + r.IntN(spread) - spread/2 + int(pix[i]&1))
			}
		}
		other := bytes.Clone(pix)
		f := filter{limit: uint8(r.IntN(190)), interior: uint8(1 + r.IntN(63)), sharp: uint8(r.IntN(3))}
		for _, inner := range []bool{false, true} {
			plainColumns(pix, 5, 13*stride+9, stride, &f, inner)
			smoothColumns(other, 5, 13*stride+9, stride, &f, inner)
			if !bytes.Equal(pix, other) {
				t.Fatalf("columns differ, inner %v, %+v", inner, f)
			}
			plainRows(pix, 5*stride+3, 11*stride+20, stride, &f, inner)
			smoothRows(other, 5*stride+3, 11*stride+20, stride, &f, inner)
			if !bytes.Equal(pix, other) {
				t.Fatalf("rows differ, inner %v, %+v", inner, f)
			}
		}
	}
}
