package jpeg

import (
	"math"
	"math/rand/v2"
	"testing"
)

// blocksOf are pairs of blocks side by side that make the transform do all that it can.
func blocksOf(r *rand.Rand, n int) []byte {
	src := make([]byte, 8*24)
	for i := range src {
		x, y := i%24, i/24
		switch n % 6 {
		case 0:
			src[i] = byte(r.IntN(256))
		case 1:
			src[i] = byte(255 * r.IntN(2))
		case 2:
			src[i] = byte(n / 6 % 2 * 255)
		case 3:
			src[i] = byte(128 + 100*math.Sin(float64(x*(n%11))/7)*math.Cos(float64(y*(n%7))/5))
		case 4:
			src[i] = byte(255 * ((x + y) % 2))
		case 5:
			src[i] = byte(255 * (x / 4 % 2) * (1 - y/4%2))
		}
	}
	return src
}

func TestForward(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 4000 {
		src := blocksOf(r, n)
		var quant [64]uint8
		for i := range quant {
			quant[i] = uint8(1 + r.IntN(255)*(n%3)/2)
		}
		d := newDivisors(&quant)
		var got, want [128]int16
		var gotMask, wantMask [2]uint64
		forward(&got, &gotMask, src, 24, d)
		plainForward2(&want, &wantMask, src, 24, d)
		if got != want || gotMask != wantMask {
			t.Fatalf("case %d: vectors and plain code differ:\n%v %x\n%v %x", n, got, gotMask, want, wantMask)
		}
		for block := range 2 {
			exact := exactForward(src[8*block:], 24)
			for i, c := range exact {
				q := float64(quant[i])
				if off := math.Abs(float64(got[64*block+i]) - c/q); off > 0.5+0.3/q {
					t.Fatalf("case %d, coefficient %d: %d of %f/%f", n, i, got[64*block+i], c, q)
				}
				if (got[64*block+i] != 0) != (gotMask[block]>>i&1 == 1) {
					t.Fatalf("case %d: mask %x of %v", n, gotMask[block], got[64*block:][:64])
				}
			}
		}
	}
}

// exactForward is the transform by its definition.
func exactForward(src []byte, stride int) (out [64]float64) {
	scale := func(u int) float64 {
		if u == 0 {
			return math.Sqrt(0.125)
		}
		return 0.5
	}
	for u := range 8 {
		for v := range 8 {
			for y := range 8 {
				for x := range 8 {
					out[8*u+v] += (float64(src[y*stride+x]) - 128) * scale(u) * scale(v) *
						math.Cos(float64((2*y+1)*u)*math.Pi/16) * math.Cos(float64((2*x+1)*v)*math.Pi/16)
				}
			}
		}
	}
	return out
}

// Divisors divide exactly, for every divisor and every magnitude that a transform yields.
func TestDivisors(t *testing.T) {
	for q := 1; q < 256; q++ {
		d := newDivisors(filled(uint8(q)))
		for n := range uint32(1 << 14) {
			sum := n + uint32(d.half[0])
			if got := sum * uint32(d.reciprocal[0]) >> 16 * uint32(d.scale[0]) >> 16; got != sum/uint32(8*q) {
				t.Fatalf("%d by %d: %d", n, 8*q, got)
			}
		}
	}
}

func BenchmarkForward(b *testing.B) {
	src := blocksOf(rand.New(rand.NewPCG(1, 2)), 3)
	quant := [64]uint8{}
	for i := range quant {
		quant[i] = uint8(3 + i)
	}
	d := newDivisors(&quant)
	var out [128]int16
	var nonzero [2]uint64
	for b.Loop() {
		forward(&out, &nonzero, src, 24, d)
	}
}

func filled(q uint8) *[64]uint8 {
	t := new([64]uint8)
	for i := range t {
		t[i] = q
	}
	return t
}
