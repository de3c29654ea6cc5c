package hevc

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Assembly and plain Go agree on all samples, those around the block stay, and what lies behind the last coefficient
// does not count.
func TestTransformsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 3000 {
		log2, depth := 2+r.IntN(4), 8+r.IntN(5)
		size := 1 << log2
		usedX, usedY := r.IntN(size)|3, r.IntN(size)|3
		limit := 1 << (4 + r.IntN(12))
		p := make([]int16, size*size)
		for y := range usedY + 1 {
			for x := range usedX + 1 {
				if r.IntN(3) == 0 {
					p[y*size+x] = int16(max(-32768, min(32767, r.IntN(2*limit+1)-limit)))
				}
			}
		}
		const stride = 48
		want := make([]uint16, stride*40)
		for i := range want {
			want[i] = uint16(r.IntN(1 << depth))
		}
		got := slices.Clone(want)
		at := 3*stride + 5
		temporary := make([]int16, size*size)
		cosineAdd(slices.Clone(p), temporary, got, at, stride, log2, depth, usedX, usedY)
		plainCosineAdd(p, want[at:], stride, log2, depth, usedX, usedY)
		if !slices.Equal(got, want) {
			t.Fatalf("block %d of %d samples, %d bits, %d×%d coefficients up to %d: samples differ", n, size, depth,
				usedX+1, usedY+1, limit)
		}
	}
}

// The transform is the inverse of a cosine transform: what comes back is near to it, which a wrong factor would not be.
func TestTransformIsACosineTransform(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for log2 := 2; log2 <= 5; log2++ {
		n := 1 << log2
		samples := make([]float64, n*n)
		for i := range samples {
			samples[i] = float64(r.IntN(201) - 100)
		}
		basis := func(k, x int) float64 {
			v := math.Cos(float64(2*x+1)*float64(k)*math.Pi/float64(2*n)) * math.Sqrt(2/float64(n))
			if k == 0 {
				v /= math.Sqrt2
			}
			return v
		}
		p := make([]int16, n*n)
		scale := math.Exp2(float64(15 - 8 - log2)) // of coefficients of samples of 8 bits
		for v := range n {
			for u := range n {
				sum := 0.0
				for y := range n {
					for x := range n {
						sum += samples[y*n+x] * basis(u, x) * basis(v, y)
					}
				}
				p[v*n+u] = int16(math.Round(sum * scale))
			}
		}
		pix := make([]uint16, n*n)
		for i := range pix {
			pix[i] = 128
		}
		plainCosineAdd(p, pix, n, log2, 8, n-1, n-1)
		for i, v := range pix {
			if d := float64(v) - 128 - samples[i]; math.Abs(d) > 2 {
				t.Fatalf("%d samples: sample %d is off by %.1f", n, i, d)
			}
		}
	}
}

func TestSamplesAreNarrowedAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 140 {
		for shift := range 5 {
			row := make([]uint16, n+3)
			for i := range row {
				row[i] = uint16(r.IntN(256 << shift))
			}
			got, want := make([]byte, n+1), make([]byte, n+1)
			narrow(got[:n], row, shift)
			plainNarrow(want[:n], row, shift)
			if !slices.Equal(got, want) {
				t.Fatalf("%d samples of %d bits: %v, want %v", n, 8+shift, got, want)
			}
		}
	}
}
