package scenes

import (
	"image"
	"math"

	p "github.com/imagefarm/imagefarm/testdata/gen/paint"
)

// Dunes are sand in the last light.
func Dunes(w, h int) image.Image {
	sun := p.Direction(-78, 13)
	sky := &p.Sky{
		Zenith: p.Hex(0x3b6aa8), Horizon: p.Hex(0xecd5b4), Fall: 4, Sun: sun, SunColour: p.RGB{R: 1.2, G: 0.85,
			B: 0.5}, Glow: 0.6,
		Clouds: []p.Clouds{{Cover: 0.30, Scale: 0.9, Streak: 4, Light: p.Hex(0xfff0e0), Shade: p.Hex(0xd8b8a8),
			Seed: 5, Soft: 0.7}},
	}
	n := p.Noise(640)
	ridge := func(x, z, scale float64, s p.Noise) float64 {
		// A dune climbs slowly with the wind and falls steeply behind its crest, which winds.
		q := x/scale + 0.9*s.FBM(x/scale*0.3, z/scale*0.5, 2, 0.5) + 0.35*z/scale
		cell := math.Floor(q)
		f := q - cell
		tall := 0.55 + 0.9*math.Max((s+3).FBM(cell*3.3, z/scale*0.45, 2, 0.5)+0.25, 0)
		return tall * math.Min(math.Pow(f/0.74, 1.4), p.Smooth(1, 0.70, f)*1.02)
	}
	t := p.NewTerrain(1400, 42, func(x, z float64) float64 {
		return 2.1*ridge(x, z, 8.5, n) + 0.45*ridge(x+z*0.3, z, 3.1, n+20)*p.Smooth(-0.5, 0.5, n.At(x*0.1,
			z*0.1)) + 0.3*n.FBM(x*0.15, z*0.15, 3, 0.5) - 0.4
	})
	t.Light(sun)
	v := &p.View{
		Sky: sky, Ground: t, Eye: p.Vec{X: 0.5, Y: 2.7, Z: 0.3}, Tilt: -6, Zoom: 1.3, Far: 60,
		Surface: func(pos, nor p.Vec, hollow float64) p.RGB {
			f := n.FBM(pos.X*3, pos.Z*3, 4, 0.6)
			ripple := math.Sin((pos.X*1.0 + pos.Z*0.25 + 0.12*n.FBM(pos.X*2, pos.Z*2, 3, 0.5)) * 62)
			fade := 1 / (1 + math.Pow(math.Hypot(pos.X-0.5, pos.Z)/5, 2))
			return p.Mix(p.Hex(0xd9a066), p.Hex(0xc98a50), 0.5+0.5*f).Mul(1 + 0.13*ripple*fade)
		},
		Bumps: 0.10, Grain: 0.03, Ambient: p.RGB{R: 0.22, G: 0.25, B: 0.36}, Sun: p.RGB{R: 2.3, G: 1.6, B: 0.95},
		Haze: 0.012, HazeCol: p.Hex(0xe2c6a6), Water: -50, Seed: 31,
	}
	c := p.New(w, h)
	c.Fill(2, v.Light)
	return c.Develop(p.Finish{Exposure: 0, Contrast: 0.45, Colour: 1.12, Bloom: 0.06, Vignette: 0.2, Grain: 2,
		Seed: 13})
}

// MilkyWay stands over a plain with a tree.
func MilkyWay(w, h int) image.Image {
	sky := &p.Sky{
		Zenith: p.Hex(0x070b1c), Horizon: p.Hex(0x2d3a5c), Fall: 4, Sun: p.Direction(30, -4),
		SunColour: p.RGB{R: 0.9, G: 0.5, B: 0.25}, Glow: 0.5,
		Stars: 1.25, MilkyWay: 1.15, Seed: 1234,
	}
	n := p.Noise(20)
	t := p.NewTerrain(700, 40, func(x, z float64) float64 {
		return 0.25*n.FBM(x*0.2, z*0.2, 6, 0.5) + p.Smooth(20, 38, z)*(0.4+1.5*n.Ridged(x*0.09, z*0.09, 7, 0.5)) - 0.1
	})
	v := &p.View{
		Sky: sky, Ground: t, Eye: p.Vec{Y: 0.75, Z: 0.3}, Tilt: 24, Zoom: 0.9, Far: 60,
		Surface: func(pos, nor p.Vec, hollow float64) p.RGB {
			return p.Hex(0x3a3630).Mul(1 + n.FBM(pos.X*5, pos.Z*5, 5, 0.65))
		},
		Bumps: 0.5, Grain: 0.06, Ambient: p.RGB{R: 0.10, G: 0.12, B: 0.2}, Haze: 0.02, HazeCol: p.Hex(0x2a3556),
		Water: -50, Seed: 31,
	}
	c := p.New(w, h)
	c.Fill(2, v.Light)
	mask := p.New(w, h)
	place := 0.19 * float64(w) / float64(h)
	grow(mask, 77, place, -0.39, math.Pi/2, 0.115*math.Min(float64(w)/float64(h), 1), 0.0145, 0)
	ink := p.Hex(0x06070c)
	// The tree stands on a rise.
	mask.Over(2, func(u, v float64) (p.RGB, float64) {
		rise := -0.405 + 0.045*math.Exp(-math.Pow((u-place)/0.22, 2)) + 0.012*n.FBM(u*6, 2, 4, 0.5) +
			0.004*n.FBM(u*90, 2, 2, 0.6)
		return p.RGB{R: 1}, p.Smooth(rise, rise-0.004, v)
	})
	for i, m := range mask.Pix {
		c.Pix[i] = p.Mix(c.Pix[i], ink, m.R)
	}
	return c.Develop(p.Finish{Exposure: 1.0, Contrast: 0.3, Colour: 1.05, Bloom: 0.3, Vignette: 0.35, Grain: 3,
		Seed: 17})
}

// grow paints a branch into the mask and lets it fork.
func grow(m *p.Canvas, seed p.Noise, x, y, angle, length, width float64, depth int) {
	if depth > 9 || length < 0.004 {
		leaf(m, seed, x, y)
		return
	}
	const steps = 7
	for i := range steps {
		bend := (seed.Rand(i, depth) - 0.5) * 0.22
		angle += bend
		nx, ny := x+math.Cos(angle)*length/steps, y+math.Sin(angle)*length/steps
		stroke(m, x, y, nx, ny, width*(1-0.3*float64(i)/steps))
		x, y = nx, ny
	}
	forks := 2
	if depth > 1 && seed.Rand(5, depth) > 0.6 {
		forks = 3
	}
	for k := range forks {
		side := float64(k) - float64(forks-1)/2
		turn := side*(0.75+0.25*seed.Rand(k, 50+depth)) + (seed.Rand(k, 90+depth)-0.5)*0.35
		shrink := 0.70 + 0.16*seed.Rand(k, 70+depth)
		grow(m, seed*7+p.Noise(k*13+depth+1), x, y, angle+turn, length*shrink, width*0.66, depth+1)
	}
	if depth > 4 {
		leaf(m, seed, x, y)
	}
}

func leaf(m *p.Canvas, seed p.Noise, x, y float64) {
	for i := range 5 {
		a := seed.Rand(i, 300) * 2 * math.Pi
		r := 0.010 * seed.Rand(i, 301)
		stroke(m, x+r*math.Cos(a), y+r*math.Sin(a), x+r*math.Cos(a)+0.002, y+r*math.Sin(a)+0.001, 0.0032)
	}
}

// stroke adds a line with round ends to the mask's red.
func stroke(m *p.Canvas, x0, y0, x1, y1, width float64) {
	h := float64(m.H)
	px := func(u float64) float64 { return u*h + float64(m.W)/2 }
	py := func(v float64) float64 { return (0.5 - v) * h }
	ax, ay, bx, by, r := px(x0), py(y0), px(x1), py(y1), math.Max(width*h/2, 0.35)
	for y := max(int(math.Min(ay, by)-r-1), 0); y <= min(int(math.Max(ay, by)+r+1), m.H-1); y++ {
		for x := max(int(math.Min(ax, bx)-r-1), 0); x <= min(int(math.Max(ax, bx)+r+1), m.W-1); x++ {
			fx, fy := float64(x)+0.5, float64(y)+0.5
			dx, dy := bx-ax, by-ay
			t := p.Clamp(((fx-ax)*dx+(fy-ay)*dy)/math.Max(dx*dx+dy*dy, 1e-9), 0, 1)
			d := math.Hypot(fx-ax-t*dx, fy-ay-t*dy)
			if a := p.Clamp(r-d+0.5, 0, 1); a > m.Pix[y*m.W+x].R {
				m.Pix[y*m.W+x].R = a
			}
		}
	}
}

// Mesas are red rocks above a desert road, towards evening.
func Mesas(w, h int) image.Image {
	sun := p.Direction(-55, 20)
	sky := &p.Sky{
		Zenith: p.Hex(0x2f6cbb), Horizon: p.Hex(0xd7e2ea), Fall: 3.5, Sun: sun, SunColour: p.RGB{R: 1, G: 0.9,
			B: 0.7}, Glow: 0.5,
		Clouds: []p.Clouds{{Cover: 0.50, Scale: 0.85, Light: p.RGB{R: 1.15, G: 1.1, B: 1.05},
			Shade: p.Hex(0xb0a9b8), Seed: 66}},
	}
	n := p.Noise(48)
	t := p.NewTerrain(1200, 40, func(x, z float64) float64 {
		d := n.FBM(x*0.13+1, z*0.13, 5, 0.5) + 0.25*p.Smooth(5, 14, math.Abs(x)) - 0.5*p.Smooth(4, 1,
			math.Abs(x-1)) - 0.3*p.Smooth(9, 3, z)
		d += 0.05 * (n+7).FBM(x*1.6, z*1.6, 4, 0.6)
		wall := 1.9*p.Smooth(0.16, 0.22, d) + 1.0*p.Smooth(0.27, 0.31, d) + 0.5*p.Smooth(0.05, 0.18, d)
		return wall + 0.18*n.FBM(x*0.4, z*0.4, 6, 0.5) + 0.1
	})
	t.Light(sun)
	v := &p.View{
		Sky: sky, Ground: t, Eye: p.Vec{X: 0.8, Y: 0.9, Z: 0.4}, Tilt: 3, Zoom: 1.25, Far: 60,
		Surface: func(pos, nor p.Vec, hollow float64) p.RGB {
			f := n.FBM(pos.X*2, pos.Z*2, 5, 0.6)
			g := n.FBM(pos.X*13, pos.Z*13, 3, 0.6)
			strata := n.FBM(3, pos.Y*5+f*0.25, 4, 0.7) + 0.5*(n+3).FBM(pos.X*6, pos.Y*1.2+pos.Z*6, 3, 0.6)
			rock := p.Mix(p.Hex(0xb5532d), p.Hex(0xd98b56), p.Smooth(-0.5, 0.7, strata)).Mul(0.9 + 0.3*g)
			sand := p.Mix(p.Hex(0xcb8a58), p.Hex(0xb87547), p.Smooth(-0.4, 0.6, f))
			bush := p.Smooth(0.22, 0.42, g+0.4*f-0.12)
			sand = p.Mix(sand, p.Hex(0x5d6a38), bush*0.85)
			return p.Mix(rock, sand, p.Smooth(0.72, 0.86, nor.Y+0.05*f)*p.Smooth(0.9, 0.55, pos.Y))
		},
		Bumps: 0.6, Grain: 0.06, Ambient: p.RGB{R: 0.24, G: 0.3, B: 0.42}, Sun: p.RGB{R: 1.95, G: 1.55, B: 1.1},
		Haze: 0.012, HazeCol: p.Hex(0xc6cfda), Water: -50, Seed: 4,
	}
	c := p.New(w, h)
	c.Fill(2, v.Light)
	return c.Develop(p.Finish{Exposure: 0, Contrast: 0.4, Colour: 1.08, Bloom: 0.05, Vignette: 0.2, Grain: 2, Seed: 23})
}
