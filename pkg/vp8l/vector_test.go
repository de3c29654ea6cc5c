package vp8l

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

func randomPixels(r *rand.Rand, n int) []uint32 {
	p := make([]uint32, n, n+padding)
	for i := range p {
		if p[i] = r.Uint32(); r.IntN(4) == 0 { // so that extremes are met
			p[i] = []uint32{0, 0xffffffff, 0xff00ff00, 0x01fe7f80}[r.IntN(4)]
		}
	}
	return p
}

// What assembly does is what plain Go does.
func TestPredictionsAreAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for mode := range len(modes) {
		for range 200 {
			w := 2 + r.IntN(40)
			from := 1 + r.IntN(w-1)
			to := from + r.IntN(w-from+1)
			above, coded, a := randomPixels(r, w+1), randomPixels(r, w), randomPixels(r, w+1)
			b := slices.Clone(a)
			plainPredicted(mode, a, above, coded, from, to)
			addPredicted(mode, b, above, coded, from, to)
			if !slices.Equal(a, b) {
				t.Fatalf("mode %d, pixels %d to %d of %d:\n%08x\n%08x", mode, from, to, w, a, b)
			}
		}
	}
}

func TestTransformsAreAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		n := 1 + r.IntN(40)
		src, factors := randomPixels(r, n), r.Uint32()
		a, b := make([]uint32, n), make([]uint32, n)
		plainCrossColors(a, src, factors)
		addCrossColors(b, src, factors)
		if !slices.Equal(a, b) {
			t.Fatalf("colours by %08x:\n%08x\n%08x", factors, a, b)
		}
		plainGreen(a, src)
		addGreen(b, src)
		if !slices.Equal(a, b) {
			t.Fatalf("green:\n%08x\n%08x", a, b)
		}
		x, y := make([]byte, 4*n), make([]byte, 4*n)
		plainSamples(x, src)
		samples(y, src)
		if !bytes.Equal(x, y) {
			t.Fatalf("samples:\n%x\n%x", x, y)
		}
	}
}

func TestLiteralsAreAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		w, h := 1+r.IntN(90), 1+r.IntN(60)
		random := &writer{Rand: r, copy: []int{0, 20}[r.IntN(2)]}
		colors := random.cache()
		random.pixels(w, h, colors, 1, anyRed, 256, func(int, int) int { return 0 })
		stream := random.end()
		open := func() *pixels {
			m, err := readImage(&bitReader{data: stream}, w, h, false)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		a, b := open(), open()
		x, y := make([]uint32, w*h), make([]uint32, w*h)
		for at := 0; at < len(x); {
			n, p := a.plainLiterals(a.groups[0], x[at:])
			m, q := b.literals(b.groups[0], y[at:])
			if n != m || p != q || !slices.Equal(x, y) || !slices.Equal(a.cache, b.cache) {
				t.Fatalf("%d pixels and symbol %d, not %d and %d", m, q, n, p)
			}
			if 8*a.bits.at-a.bits.have != 8*b.bits.at-b.bits.have {
				t.Fatalf("%d bits were read, not %d", 8*b.bits.at-b.bits.have, 8*a.bits.at-a.bits.have)
			}
			if at += n; p == 0 {
				break
			}
			length := a.bits.extended(p - literals)
			b.bits.extended(p - literals)
			a.bits.fill()
			a.bits.extended(a.groups[0].codes[distance].next(a.bits))
			b.bits.fill()
			b.bits.extended(b.groups[0].codes[distance].next(b.bits))
			at += length
		}
	}
}
