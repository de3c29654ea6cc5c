package scenes

import (
	"image"
	"math"
	"sort"

	p "github.com/imagefarm/imagefarm/testdata/gen/paint"
)

// bokeh fills the canvas with out-of-focus green and discs of light.
func bokeh(c *p.Canvas, n p.Noise, low, high p.RGB, discs int, tints []uint32) {
	c.Fill(1, func(u, v float64) p.RGB {
		f := n.FBM(u*1.6, v*1.6, 3, 0.5)
		return p.Mix(low, high, p.Clamp(0.5+v*0.8+f*0.7, 0, 1))
	})
	for i := range discs {
		x, y := (n.Rand(i, 11)-0.5)*1.8, n.Rand(i, 12)*0.95-0.4
		r := 0.018 + 0.06*n.Rand(i, 13)
		tint := p.Hex(tints[i%len(tints)])
		a := 0.10 + 0.28*n.Rand(i, 14)
		splat(c, x, y, r*1.1, func(u, v float64) (p.RGB, float64) {
			d := math.Hypot(u, v) / r
			return tint.Mul(1.1 + 0.3*p.Smooth(0.6, 0.95, d)), a * p.Smooth(1.05, 0.93, d)
		})
	}
}

// Poppies stand in a meadow: sharp ones before a sea of soft ones.
func Poppies(w, h int) image.Image {
	n := p.Noise(444)
	c := p.New(w, h)
	bokeh(c, n, p.Hex(0x35521c), p.Hex(0xb9cf7a), 70, []uint32{0xe8f0a8, 0xfff3c8, 0xa8c860, 0xd8402a, 0xd84a30})
	type flower struct{ x, y, r, blur float64 }
	var all []flower
	for i := range 46 {
		d := n.Rand(i, 1)
		all = append(all, flower{(n.Rand(i, 2) - 0.5) * 1.7, 0.12 - 0.40*d + 0.1*n.Rand(i, 3), 0.020 + 0.045*d,
			0.5 * (1 - d)})
	}
	all = append(all, flower{-0.30, 0.05, 0.155, 0}, flower{0.24, 0.15, 0.175, 0}, flower{0.56, -0.17, 0.12,
		0.04}, flower{-0.62, -0.13, 0.115, 0.06})
	sort.SliceStable(all, func(i, j int) bool { return all[i].r < all[j].r })
	grass(c, n+5, 240, 0.6, 0.0022)
	for i, f := range all {
		m := n + p.Noise(100+i*3)
		stem(c, m, f.x, f.y, f.r)
		poppy(c, m, f.x, f.y, f.r, f.blur)
		if i == 38 {
			c.Blur(float64(h) / 260)
			grass(c, n+9, 260, 1, 0.0035)
		}
	}
	grass(c, n+13, 60, 1.2, 0.005)
	return c.Develop(p.Finish{Exposure: 0.2, Contrast: 0.4, Colour: 1.12, Bloom: 0.14, Vignette: 0.3, Grain: 2,
		Seed: 15})
}

func stem(c *p.Canvas, n p.Noise, x, y, r float64) {
	lean := (n.Rand(1, 1) - 0.5) * 0.25
	green := p.Hex(0x5f7f33)
	steps := 400
	for i := range steps {
		t := float64(i) / float64(steps)
		sy := y - t*(y+0.62)
		sx := x + lean*t*t
		splat(c, sx, sy, r*0.045, func(u, v float64) (p.RGB, float64) {
			return green.Mul(0.7 - u/(r*0.05)*0.35), p.Smooth(r*0.04, r*0.03, math.Hypot(u, v))
		})
	}
}

func poppy(c *p.Canvas, n p.Noise, x, y, r, blur float64) {
	red, deep, glow := p.Hex(0xd3240f), p.Hex(0x6e0a08), p.Hex(0xff5a2a)
	soft := 0.04 + blur
	tilt := 0.62 + 0.25*n.Rand(2, 2)
	for petal := range 5 {
		// The back petals first, then the sides, the front last.
		dir := []float64{1.57, 0.35, 2.80, 4.0, 5.4}[petal] + (n.Rand(petal, 3)-0.5)*0.5
		m := n + p.Noise(petal*5+20)
		px, py := x+math.Cos(dir)*r*0.42, y+math.Sin(dir)*r*0.42*tilt
		size := r * (0.62 + 0.10*m.Rand(1, 1))
		splat(c, px, py, size*1.3, func(u, v float64) (p.RGB, float64) {
			a, b := u/size, v/(size*(tilt+0.12))
			ang := math.Atan2(b, a)
			edge := 1 + 0.10*m.FBM(math.Cos(ang)*2.2+9, math.Sin(ang)*2.2, 4, 0.6)
			d := math.Hypot(a, b) / edge
			// Fine folds run from the heart to the rim.
			hx, hy := u+px-x, v+py-y
			fold := m.FBM(math.Atan2(hy/tilt, hx)*9, math.Hypot(hx, hy)/r*1.2, 4, 0.6)
			out := math.Hypot(hx, hy/tilt) / r
			col := p.Mix(deep, red, p.Smooth(0.05, 0.55, out+0.15*fold))
			col = p.Mix(col, glow, p.Clamp(0.55*p.Smooth(0.45, 1.0, out)+0.45*fold+0.25*b, 0, 0.9))
			shade := 0.72 + 0.38*p.Smooth(-1, 0.8, b) + 0.15*fold
			if petal > 2 {
				shade *= 0.92 + 0.25*p.Smooth(0.2, 1, d)
			}
			return col.Mul(shade * (1 - 0.28*p.Smooth(0.75, 1, d)*p.Smooth(1.1, 0.2, blur+0.2))), p.Smooth(1+soft,
				1-soft, d)
		})
	}
	heart := r * 0.17
	splat(c, x, y+r*0.02, r*0.5, func(u, v float64) (p.RGB, float64) {
		d := math.Hypot(u, v/0.8)
		spoke := n.FBM(math.Atan2(v, u)*7, d/r*6, 3, 0.6)
		ink := p.Smooth(heart*2.1*(1+0.5*spoke), heart*1.2, d)
		col := p.Mix(p.Hex(0x140d10), p.Hex(0x3c3a30), p.Smooth(0.1, 0.5, spoke))
		if d < heart*0.62 {
			col = p.Mix(p.Hex(0x7f9350), p.Hex(0x39502a), p.Smooth(-0.1, 0.15, math.Sin(math.Atan2(v,
				u)*10)*0.1+(u-v)/heart*0.2))
		}
		return col, ink * (0.9 - blur)
	})
}

func grass(c *p.Canvas, n p.Noise, blades int, tall, width float64) {
	for i := range blades {
		x, y := (n.Rand(i, 1)-0.5)*1.9, -0.52
		height := tall * (0.15 + 0.42*n.Rand(i, 2))
		lean := (n.Rand(i, 3) - 0.5) * 0.35
		col := p.Mix(p.Hex(0x3f6420), p.Hex(0xa9bd5c), n.Rand(i, 4))
		steps := int(height * 420)
		for s := range steps {
			t := float64(s) / float64(steps)
			r := width * (1 - t) * (0.6 + 0.8*n.Rand(i, 5))
			splat(c, x+lean*height*t*t, y+height*t, r+0.001, func(u, v float64) (p.RGB, float64) {
				return col.Mul(0.45 + 0.75*t - u/width*0.12), 0.92 * p.Smooth(r+0.0006, r-0.0006, math.Hypot(u, v))
			})
		}
	}
}

// Daisy is one flower from near, with drops of dew.
func Daisy(w, h int) image.Image {
	n := p.Noise(303)
	c := p.New(w, h)
	bokeh(c, n, p.Hex(0x123a2a), p.Hex(0x4f8a52), 46, []uint32{0x9ad08a, 0xf0f4c0, 0x66b0a0, 0xc8e0a0})
	c.Blur(float64(h) / 160)
	x0, y0 := -0.06, 0.02
	for layer := range 2 {
		for i := range 21 {
			m := n + p.Noise(50+i+layer*40)
			dir := (float64(i)+0.5*float64(layer))/21*2*math.Pi + (m.Rand(1, 1)-0.5)*0.10
			length := 0.39 + 0.04*m.Rand(2, 1) - 0.03*float64(1-layer)
			width := 0.056 + 0.010*m.Rand(3, 1)
			ray(c, m, x0, y0, dir, length, width, layer)
		}
	}
	// The disc: florets on the golden angle, lit from above left.
	r := 0.135
	splat(c, x0, y0, r*1.15, func(u, v float64) (p.RGB, float64) {
		d := math.Hypot(u, v*1.04) / r
		return p.Hex(0x9a5a08).Mul(0.5 + 0.4*p.Smooth(1, 0.3, d)), p.Smooth(1.06, 0.96, d)
	})
	for i := 420; i >= 0; i-- {
		d := math.Sqrt(float64(i)/420) * r * 0.98
		a := float64(i) * 2.399963
		size := 0.0054 + 0.0030*d/r
		x, y := x0+d*math.Cos(a), y0+d*math.Sin(a)*0.96
		base := p.Mix(p.Hex(0xc9a012), p.Hex(0xffd22e), p.Smooth(0.2, 0.9, d/r))
		dome := 0.60 + 0.5*p.Smooth(0.14, -0.14, (x-x0)*0.7-(y-y0)*0.8)
		splat(c, x, y, size*1.2, func(u, v float64) (p.RGB, float64) {
			q := math.Hypot(u, v) / size
			return base.Mul(dome * (1.15 - 0.75*q*q - u/size*0.2 + v/size*0.3)), p.Smooth(1.05, 0.85, q)
		})
	}
	for i := range 16 {
		a, d := n.Rand(i, 91)*2*math.Pi, 0.17+0.2*n.Rand(i, 92)
		dew(c, x0+d*math.Cos(a), y0+d*math.Sin(a), 0.006+0.011*n.Rand(i, 93)*n.Rand(i, 94))
	}
	return c.Develop(p.Finish{Exposure: 0.05, Contrast: 0.4, Colour: 1.08, Bloom: 0.1, Vignette: 0.35, Grain: 1.8,
		Seed: 25})
}

func ray(c *p.Canvas, n p.Noise, x0, y0, dir, length, width float64, layer int) {
	cx, cy := math.Cos(dir), math.Sin(dir)
	mx, my := x0+cx*length/2, y0+cy*length/2
	droop := (n.Rand(4, 4) - 0.5) * 0.05
	splat(c, mx, my, length*0.6, func(u, v float64) (p.RGB, float64) {
		a := (u+mx-x0)*cx + (v+my-y0)*cy
		b := -(u+mx-x0)*cy + (v+my-y0)*cx
		t := a / length
		if t < 0.1 || t > 1.02 {
			return p.RGB{}, 0
		}
		b -= droop * t * t
		half := width * 0.5 * math.Pow(p.Smooth(0, 0.55, t), 0.7) * math.Sqrt(math.Max(1-math.Pow(math.Max(t-0.62,
			0)/0.40, 2), 0))
		if math.Abs(b) > half {
			edge := (math.Abs(b) - half) / 0.0015
			if edge > 1 {
				return p.RGB{}, 0
			}
		}
		s := b / math.Max(half, 1e-6)
		vein := 0.05 * math.Cos(s*11) * p.Smooth(1, 0.5, t)
		light := 0.80 + 0.20*cy*-s + 0.10*-cx*s + vein - 0.30*math.Pow(math.Abs(s), 4)
		light *= 0.62 + 0.38*p.Smooth(0.25, 0.62, t)
		if layer == 0 {
			light *= 0.70
		}
		col := p.Mix(p.RGB{R: 1.05, G: 1.05, B: 1.02}, p.RGB{R: 0.80, G: 0.86, B: 1.0}, p.Smooth(0.9, 0.5, light))
		return col.Mul(light), p.Smooth(half+0.0008, half-0.0008, math.Abs(b))
	})
}

func dew(c *p.Canvas, x, y, r float64) {
	splat(c, x, y, r*1.5, func(u, v float64) (p.RGB, float64) {
		d := math.Hypot(u, v) / r
		if d > 1 {
			return p.RGB{R: 0.15, G: 0.2, B: 0.25}, 0.30 * p.Smooth(1.35, 1, math.Hypot(u-r*0.12, v+r*0.15)/r)
		}
		shine := math.Exp(-math.Pow(math.Hypot(u/r+0.35, v/r-0.4)/0.16, 2))
		glow := p.Smooth(0.3, 1, (u-v)/r*0.7)
		return p.Mix(p.RGB{R: 0.45, G: 0.55, B: 0.6}, p.RGB{R: 1.1, G: 1.1, B: 1.05}, glow).Add(p.RGB{R: 3, G: 3,
			B: 3}.Mul(shine)), 0.55 + 0.4*shine
	})
}
