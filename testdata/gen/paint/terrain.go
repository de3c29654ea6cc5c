package paint

import "math"

// Terrain is a height for every place of a square, with what light needs to know of it. Units are those of the scene.
type Terrain struct {
	n      int
	size   float64 // side of the square; x from −size/2, z from 0
	height []float32
	wide   []float32 // smoothed: tells crests from hollows
	shadow []float32 // how much of the sun reaches the place, 0 to 1
	top    float64
}

// NewTerrain samples f on n×n points of a square with the given side.
func NewTerrain(n int, size float64, f func(x, z float64) float64) *Terrain {
	t := &Terrain{n: n, size: size, height: make([]float32, n*n)}
	Rows(n, func(j int) {
		for i := range n {
			x, z := t.position(i, j)
			t.height[j*n+i] = float32(f(x, z))
		}
	})
	t.finish()
	return t
}

func (t *Terrain) position(i, j int) (x, z float64) {
	k := t.size / float64(t.n-1)
	return float64(i)*k - t.size/2, float64(j) * k
}

func (t *Terrain) finish() {
	t.top = math.Inf(-1)
	c := New(t.n, t.n)
	for i, h := range t.height {
		t.top = math.Max(t.top, float64(h))
		c.Pix[i].R = float64(h)
	}
	c.Blur(float64(t.n) / 110)
	t.wide = make([]float32, len(t.height))
	for i, p := range c.Pix {
		t.wide[i] = float32(p.R)
	}
}

// Light finds the shadows of a sun in that direction.
func (t *Terrain) Light(sun Vec) {
	t.shadow = make([]float32, t.n*t.n)
	step := t.size / float64(t.n) * 2
	Rows(t.n, func(j int) {
		for i := range t.n {
			x, z := t.position(i, j)
			y := float64(t.height[j*t.n+i])
			lit := 1.0
			for d := step; d < t.size*0.4 && lit > 0; d *= 1.13 {
				py := y + sun.Y*d
				if py > t.top {
					break
				}
				over := py - t.Height(x+sun.X*d, z+sun.Z*d)
				lit = min(lit, Clamp(0.5+over/(d*0.05), 0, 1))
			}
			t.shadow[j*t.n+i] = float32(lit)
		}
	})
}

// Height is the ground's height at a place; outside the square that of its edge.
func (t *Terrain) Height(x, z float64) float64 { return t.sample(t.height, x, z) }

// Lit is how much of the sun reaches a place.
func (t *Terrain) Lit(x, z float64) float64 { return t.sample(t.shadow, x, z) }

// Hollow is positive in valleys, negative on crests.
func (t *Terrain) Hollow(x, z float64) float64 { return t.sample(t.wide, x, z) - t.Height(x, z) }

func (t *Terrain) sample(p []float32, x, z float64) float64 {
	k := float64(t.n-1) / t.size
	last := float64(t.n) - 1.001
	fx, fz := Clamp((x+t.size/2)*k, 0, last), Clamp(z*k, 0, last)
	i, j := int(fx), int(fz)
	u, v := fx-float64(i), fz-float64(j)
	o := j*t.n + i
	a := float64(p[o])*(1-u) + float64(p[o+1])*u
	b := float64(p[o+t.n])*(1-u) + float64(p[o+t.n+1])*u
	return a*(1-v) + b*v
}

// Normal is perpendicular to the ground, averaged over a width.
func (t *Terrain) Normal(x, z, width float64) Vec {
	w := math.Max(width, t.size/float64(t.n)*0.75)
	return Vec{t.Height(x-w, z) - t.Height(x+w, z), 2 * w, t.Height(x, z-w) - t.Height(x, z+w)}.Unit()
}

// Erode lets drops of water run down and carry soil: valleys branch, slopes get ribs.
func (t *Terrain) Erode(drops int, strength float64, seed Noise) {
	n, cell := t.n, t.size/float64(t.n-1)
	h := t.height
	for i := range drops {
		x, y := seed.Rand(i, 1)*float64(n-3)+1, seed.Rand(i, 2)*float64(n-3)+1
		var dx, dy, soil float64
		speed, water := 1.0, 1.0
		for range 48 {
			ix, iy := int(x), int(y)
			if ix < 1 || iy < 1 || ix >= n-2 || iy >= n-2 {
				break
			}
			u, v := x-float64(ix), y-float64(iy)
			o := iy*n + ix
			h00, h10, h01, h11 := float64(h[o]), float64(h[o+1]), float64(h[o+n]), float64(h[o+n+1])
			gx := (h10-h00)*(1-v) + (h11-h01)*v
			gy := (h01-h00)*(1-u) + (h11-h10)*u
			here := h00*(1-u)*(1-v) + h10*u*(1-v) + h01*(1-u)*v + h11*u*v
			dx, dy = dx*0.08-gx*0.92, dy*0.08-gy*0.92
			l := math.Hypot(dx, dy)
			if l < 1e-9 {
				break
			}
			dx, dy = dx/l, dy/l
			x, y = x+dx, y+dy
			jx, jy := int(x), int(y)
			if jx < 1 || jy < 1 || jx >= n-2 || jy >= n-2 {
				break
			}
			uu, vv := x-float64(jx), y-float64(jy)
			p := jy*n + jx
			next := float64(h[p])*(1-uu)*(1-vv) + float64(h[p+1])*uu*(1-vv) + float64(h[p+n])*(1-uu)*vv +
				float64(h[p+n+1])*uu*vv
			fall := here - next
			room := math.Max(fall, cell*0.01) * speed * water * 4 * strength
			var move float64
			if fall < 0 || soil > room {
				move = (soil - room) * 0.3
				if fall < 0 {
					move = math.Min(soil, -fall)
				}
			} else {
				move = -math.Min((room-soil)*0.3, fall)
			}
			soil -= move
			h[o] += float32(move * (1 - u) * (1 - v))
			h[o+1] += float32(move * u * (1 - v))
			h[o+n] += float32(move * (1 - u) * v)
			h[o+n+1] += float32(move * u * v)
			speed = math.Sqrt(math.Max(speed*speed+fall/cell, 0.01))
			water *= 0.975
		}
	}
	t.finish()
}
