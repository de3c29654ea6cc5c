package paint

import "math"

// Noise is a seed for noise in the plane.
type Noise uint32

func (n Noise) hash(x, y int) uint32 {
	h := uint32(x)*0x8da6b343 ^ uint32(y)*0xd8163841 ^ uint32(n)*0xcb1ab31f
	h ^= h >> 15
	h *= 0x2c1b3c6d
	h ^= h >> 12
	h *= 0x297a2d39
	return h ^ h>>15
}

// Rand is a number in [0, 1) for each cell of the integer grid.
func (n Noise) Rand(x, y int) float64 { return float64(n.hash(x, y)) / (1 << 32) }

// gradients are the slopes a corner of the grid can have.
var gradients = [8][2]float64{{1, 0.4}, {-1, 0.4}, {1, -0.4}, {-1, -0.4}, {0.4, 1}, {-0.4, 1}, {0.4, -1}, {-0.4, -1}}

func (n Noise) gradient(ix, iy int, fx, fy float64) float64 {
	g := &gradients[n.hash(ix, iy)&7]
	return g[0]*fx + g[1]*fy
}

// At is gradient noise, about −0.7 to 0.7, with features of size 1.
func (n Noise) At(x, y float64) float64 {
	x0, y0 := math.Floor(x), math.Floor(y)
	fx, fy := x-x0, y-y0
	ix, iy := int(x0), int(y0)
	u := fx * fx * fx * (fx*(fx*6-15) + 10)
	v := fy * fy * fy * (fy*(fy*6-15) + 10)
	a := Lerp(n.gradient(ix, iy, fx, fy), n.gradient(ix+1, iy, fx-1, fy), u)
	b := Lerp(n.gradient(ix, iy+1, fx, fy-1), n.gradient(ix+1, iy+1, fx-1, fy-1), u)
	return Lerp(a, b, v)
}

// FBM adds octaves of noise, each half as wide and weighted by gain to the next; about −1 to 1.
func (n Noise) FBM(x, y float64, octaves int, gain float64) float64 {
	sum, amp := 0.0, 1.0
	for range octaves {
		sum += amp * n.At(x, y)
		amp *= gain
		// A turn between octaves hides the grid.
		x, y = 1.6*x+1.2*y+3.1, -1.2*x+1.6*y+7.7
		n++
	}
	return sum
}

// Ridged is noise with sharp crests: mountains. About 0 to 1.6.
func (n Noise) Ridged(x, y float64, octaves int, gain float64) float64 {
	sum, amp, prev := 0.0, 0.8, 1.0
	for range octaves {
		v := 1 - math.Abs(n.At(x, y))*1.7
		v *= v
		sum += amp * v * prev
		prev = Clamp(v, 0, 1)
		amp *= gain
		x, y = 1.6*x+1.2*y+1.3, -1.2*x+1.6*y+5.9
		n++
	}
	return sum
}
