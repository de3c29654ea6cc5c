package jpeg

import (
	"math"
	"math/rand/v2"
	"testing"
)

// blockOf returns random values: how many, and how large, differs from block to block.
func blockOf(r *rand.Rand) (block [64]int16) {
	limit := []int{2, 50, 1024, math.MaxInt16}[r.IntN(4)]
	for range r.IntN(65) {
		block[r.IntN(64)] = int16(r.IntN(2*limit+1) - limit)
	}
	return block
}

func TestVectorTransformsEqualPlainOnes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, which := range []struct {
		name          string
		vector, plain transform
		scale         Scale
	}{
		{"3/8", threeEighths, plainly(ThreeEighths), ThreeEighths},
		{"4/8", half, plainHalf, Half},
		{"5/8", fiveEighths, plainly(FiveEighths), FiveEighths},
		{"6/8", threeQuarters, plainly(ThreeQuarters), ThreeQuarters},
		{"7/8", sevenEighths, plainly(SevenEighths), SevenEighths},
		{"8/8", full, plainFull, Full},
	} {
		side := int(which.scale)
		for i := range 200000 {
			block, quant := blockOf(r), blockOf(r)
			if i%2 == 0 {
				fill(quant[:], int16(r.IntN(256)))
			}
			original := block
			again := block
			stride := side + which.scale.spill() + r.IntN(5)
			got, want := make([]byte, stride*side), make([]byte, stride*side)
			which.vector(got, stride, &block, &quant)
			which.plain(want, stride, &again, &quant)
			for row := range side { // what is spilled does not matter
				clear(got[row*stride+side:][:stride-side])
			}
			if string(got) != string(want) {
				t.Fatalf("%s of %v with %v:\ngot  %v\nwant %v", which.name, original, quant, got, want)
			}
			if block != again {
				t.Fatalf("%s leaves %v, the plain one %v", which.name, block, again)
			}
		}
	}
}

// plainly returns plainBetween for a scale.
func plainly(scale Scale) transform {
	return func(dst []byte, stride int, block, quant *[64]int16) { plainBetween(dst, stride, block, quant, scale) }
}
