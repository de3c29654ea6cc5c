package vp8

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// testWeights are those of libwebp for luma.
var testWeights = [16]uint16{38, 32, 20, 9, 32, 28, 17, 7, 20, 17, 10, 4, 9, 7, 4, 2}

// checksums are what libwebp 1.5 computes of the inputs that lcg makes.
var checksums = [9]uint32{
	0xde90aa95, 0xf748e711, 0xc672e25c, 0xaf7c19a5, 0xe35a695b, 0x6938b498, 0x24831363, 0xaf6e01ca, 0xd23b8f45,
}

// lcg generates numbers that a program in C can generate, too.
type lcg uint32

func (l *lcg) next(n int) int {
	*l = *l*1664525 + 1013904223
	return int(*l>>8) % n
}

// matrixOf returns a matrix of one step, with a bias from bias().
func matrixOf(q int, bias func() uint32) (m quantMatrix) {
	for i := range 16 {
		m.q[i], m.iq[i], m.bias[i] = uint16(q), uint16(1<<quantFix/q), bias()
		m.zthresh[i] = (1<<quantFix - 1 - m.bias[i]) / uint32(m.iq[i])
		m.sharpen[i] = uint16(i * 6 * q >> 11)
	}
	return m
}

func TestKernelsComputeWhatLibwebpDoes(t *testing.T) {
	var got [9]uint32
	add := func(i, v int) { got[i] = (got[i] ^ uint32(int32(v))) * 16777619 }
	addBlock := func(i int, c []int16) {
		for _, v := range c {
			add(i, int(v))
		}
	}
	random := lcg(1)
	for range 20000 {
		var a, b, d [16 * encStride]byte
		spread := 1 << random.next(9)
		base := random.next(257 - spread)
		for i := range a {
			a[i] = byte(base + random.next(spread))
			b[i] = byte(base + random.next(spread))
		}
		m := matrixOf(4+random.next(154), func() uint32 { return uint32(64+random.next(64)) << 9 })
		var c, o [16]int16
		forwardTransform(a[:], b[:], &c)
		addBlock(0, c[:])
		add(1, map[bool]int{true: 1}[quantizeBlock(&c, &o, &m)])
		for i := range c {
			add(1, int(c[i]))
			add(1, int(o[i]))
		}
		inverseTransformAdd(b[:], &c, d[:])
		var pair, levels [32]int16
		forwardTransformPair(a[8:], b[8:], &pair)
		addBlock(2, pair[:])
		add(3, quantizePair(&pair, &levels, &m))
		for i := range pair {
			add(3, int(pair[i]))
			add(3, int(levels[i]))
		}
		inverseTransformAddPair(b[8:], &pair, d[8:])
		for _, v := range d {
			add(4, int(v))
		}
		var all [256]int16
		for i := range all {
			all[i] = int16(random.next(4081) - 2040)
		}
		forwardWHT(all[:], &o)
		addBlock(5, o[:])
		add(6, sse16x16(a[:], b[:]))
		add(6, sse16x8(a[:], b[:]))
		add(6, sse8x8(a[:], b[:]))
		add(6, sse4x4(a[:], b[:]))
		add(7, spectralDistortion4x4(a[:], b[:], &testWeights))
		add(8, spectralDistortion16x16(a[:], b[:], &testWeights))
	}
	if got != checksums {
		t.Errorf("got  %08x\nwant %08x", got, checksums)
	}
}

// kernelInputs calls f with random samples and with extreme ones.
func kernelInputs(f func(r *rand.Rand, a, b []byte)) {
	r := rand.New(rand.NewPCG(13, 14))
	for n := range 4000 {
		a, b := randomBytes(r, 16*encStride), randomBytes(r, 16*encStride)
		if n%2 == 0 {
			for i := range a {
				a[i], b[i] = byte(int8(a[i])>>7), byte(int8(b[i])>>7)
			}
		}
		f(r, a, b)
	}
}

func TestTransformsOfEncoderAreAlike(t *testing.T) {
	kernelInputs(func(r *rand.Rand, a, b []byte) {
		at := r.IntN(24)
		var c, d [16]int16
		plainForward(a[at:], b[at:], &c)
		if forwardTransform(a[at:], b[at:], &d); c != d {
			t.Fatalf("forward:\n%v\n%v", c, d)
		}
		var e, f [32]int16
		plainForwardPair(a[at:], b[at:], &e)
		if forwardTransformPair(a[at:], b[at:], &f); e != f {
			t.Fatalf("forward pair:\n%v\n%v", e, f)
		}
		for i := range c { // the largest coefficients of an image are below 2200, whatever becomes of them
			if r.IntN(4) == 0 {
				c[i] = int16(2200 - 4400*r.IntN(2))
			}
		}
		x, y := bytes.Clone(a), bytes.Clone(a)
		plainInverseAdd(b[at:], &c, x[at:])
		if inverseTransformAdd(b[at:], &c, y[at:]); !bytes.Equal(x, y) {
			t.Fatalf("inverse of %v", c)
		}
		for i := range e {
			if r.IntN(4) == 0 {
				e[i] = int16(2200 - 4400*r.IntN(2))
			}
		}
		plainInverseAddPair(b[at:], &e, x[at:])
		if inverseTransformAddPair(b[at:], &e, y[at:]); !bytes.Equal(x, y) {
			t.Fatalf("inverse of %v", e)
		}
		// Predictions may be completed where they are.
		plainInverseAddPair(x[at:], &e, x[at:])
		if inverseTransformAddPair(y[at:], &e, y[at:]); !bytes.Equal(x, y) {
			t.Fatalf("inverse of %v in place", e)
		}
		var all [241]int16
		for i := range all {
			all[i] = int16(r.IntN(4096) - 2048)
			if a[0] == 255 {
				all[i] = int16(4095*r.IntN(2) - 2048)
			}
		}
		plainForwardWHT(all[:], &c)
		if forwardWHT(all[:], &d); c != d {
			t.Fatalf("Walsh-Hadamard:\n%v\n%v", c, d)
		}
	})
}

func TestDistortionIsAlike(t *testing.T) {
	kernelInputs(func(r *rand.Rand, a, b []byte) {
		at := r.IntN(17)
		last := 15*encStride + at + 16 // nothing beyond the samples is read
		x, y := a[at:last:last], b[at:last:last]
		for i, pair := range [...][2]int{
			{plainSSE(x, y, 16, 16), sse16x16(x, y)},
			{plainSSE(x, y, 16, 8), sse16x8(x, y)},
			{plainSSE(x, y, 8, 8), sse8x8(x, y)},
			{plainSSE(x, y, 4, 4), sse4x4(x, y)},
		} {
			if pair[0] != pair[1] {
				t.Fatalf("squared error %d is %d, not %d", i, pair[1], pair[0])
			}
		}
		w := testWeights
		if r.IntN(2) == 0 {
			for i := range 16 {
				w[i] = uint16(r.IntN(32768))
				w[i&3*4+i>>2] = w[i]
			}
		}
		if p, q := plainSpectral4x4(x, y, &w), spectralDistortion4x4(x, y, &w); p != q {
			t.Fatalf("the spectral distortion of a block is %d, not %d", q, p)
		}
		if p, q := plainSpectral16x16(x, y, &w), spectralDistortion16x16(x, y, &w); p != q {
			t.Fatalf("the spectral distortion is %d, not %d", q, p)
		}
	})
}

func TestQuantizationIsAlike(t *testing.T) {
	kernelInputs(func(r *rand.Rand, a, _ []byte) {
		q := 4 + r.IntN(154)
		m := matrixOf(q, func() uint32 { return uint32(r.IntN(1 << quantFix)) })
		for i := range m.sharpen {
			m.sharpen[i] = uint16(r.IntN(2 * q))
		}
		var in [32]int16
		limit := 1 + r.IntN(32768)
		for i := range in {
			if in[i] = int16(r.IntN(2*limit) - limit); a[i] == 0 {
				in[i] = int16(a[i+32]) - 128
			}
		}
		if r.IntN(2) == 0 {
			clear(in[16*r.IntN(2):][:16])
			for i := range 16 {
				m.sharpen[i] = 0
			}
		}
		plain, block, pair := in, [16]int16(in[:]), in
		var levels, pairLevels [32]int16
		var blockLevels [16]int16
		p, q := plainQuantizePair(&plain, &levels, &m), quantizePair(&pair, &pairLevels, &m)
		if p != q || plain != pair || levels != pairLevels {
			t.Fatalf("pair %v:\n%v %v %v\n%v %v %v", in, p, plain, levels, q, pair, pairLevels)
		}
		any := quantizeBlock(&block, &blockLevels, &m)
		if any != (p&1 != 0) || block != [16]int16(plain[:]) || blockLevels != [16]int16(levels[:]) {
			t.Fatalf("block %v:\n%v %v\n%v %v", in[:16], plain[:16], levels[:16], block, blockLevels)
		}
	})
}

// The inverse of the forward transform is at most 1 from the source.
func TestInverseReversesForward(t *testing.T) {
	kernelInputs(func(_ *rand.Rand, a, b []byte) {
		var c [32]int16
		d := make([]byte, len(a))
		forwardTransformPair(a, b, &c)
		inverseTransformAddPair(b, &c, d)
		for y := range 4 {
			for x := range 8 {
				if got, want := int(d[y*encStride+x]), int(a[y*encStride+x]); max(got-want, want-got) > 1 {
					t.Fatalf("sample %d, %d is %d, not %d", x, y, got, want)
				}
			}
		}
	})
}

func TestTrialsAreAlike(t *testing.T) {
	kernelInputs(func(r *rand.Rand, a, b []byte) {
		m := matrixOf(4+r.IntN(154), func() uint32 { return uint32(r.IntN(1 << quantFix)) })
		if base, spread := r.IntN(256), 1+r.IntN(100); r.IntN(3) > 0 {
			for i := range a {
				a[i], b[i] = clamp(base+int(a[i])%spread), clamp(base+int(b[i])%spread)
			}
		}
		around := [16]byte(b)
		around[0], around[14] = around[1], around[13]
		var x, y blockTrials
		plainTry(a[5:], &around, &m, &testWeights, &x)
		if tryBlock(a[5:], &around, &m, &testWeights, &y); x != y {
			for i := range x.levels {
				t.Logf("mode %d:\n%v %v %v %v %b\n%v %v %v %v %b", i, x.predicted[i], x.built[i], x.levels[i],
					x.errors[i], x.coded[i], y.predicted[i], y.built[i], y.levels[i], y.errors[i], y.coded[i])
			}
			t.FailNow()
		}
	})
}

func TestSpreadIsAlike(t *testing.T) {
	kernelInputs(func(r *rand.Rand, a, b []byte) {
		if base, spread := r.IntN(256), 1+r.IntN(60); r.IntN(3) > 0 {
			for i := range a {
				a[i], b[i] = clamp(base+int(a[i])%spread), clamp(base+int(b[i])%spread)
			}
		}
		for _, rows := range [...]int{2, 4} {
			most, last := plainSpread(a[16:], b[3:], rows)
			if m, l := coefficientSpread(a[16:], b[3:], rows); m != most || l != last {
				t.Fatalf("the largest count of %d rows is %d, the last bin %d, not %d and %d", rows, m, l, most, last)
			}
		}
	})
}
