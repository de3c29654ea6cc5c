package vp8

import (
	"math/rand/v2"
	"testing"
)

func BenchmarkKernels(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x, y, z := randomBytes(r, 16*encStride), randomBytes(r, 16*encStride), make([]byte, 16*encStride)
	m := matrixOf(30, func() uint32 { return 96 << 9 })
	var in, out, levels [32]int16
	var all [256]int16
	var trials blockTrials
	forwardTransformPair(x, y, &in)
	for _, kernel := range []struct {
		name string
		run  func()
	}{
		{"forward", func() { forwardTransform(x, y, (*[16]int16)(out[:])) }},
		{"forwardPair", func() { forwardTransformPair(x, y, &out) }},
		{"forwardWHT", func() { forwardWHT(all[:], (*[16]int16)(out[:])) }},
		{"inverse", func() { inverseTransformAdd(y, (*[16]int16)(in[:]), z) }},
		{"inversePair", func() { inverseTransformAddPair(y, &in, z) }},
		{"sse16x16", func() { sse16x16(x, y) }},
		{"sse16x8", func() { sse16x8(x, y) }},
		{"sse8x8", func() { sse8x8(x, y) }},
		{"sse4x4", func() { sse4x4(x, y) }},
		{"spectral4x4", func() { spectralDistortion4x4(x, y, &testWeights) }},
		{"spectral16x16", func() { spectralDistortion16x16(x, y, &testWeights) }},
		{"quantize", func() { c := [16]int16(in[:]); quantizeBlock(&c, (*[16]int16)(levels[:]), &m) }},
		{"quantizePair", func() { c := in; quantizePair(&c, &levels, &m) }},
		{"try", func() { tryBlock(x, (*[16]byte)(y), &m, &testWeights, &trials) }},
		{"spread", func() { coefficientSpread(x, y, 4) }},
	} {
		b.Run(kernel.name, func(b *testing.B) {
			for b.Loop() {
				kernel.run()
			}
		})
	}
}
