package scenes

import (
	"image"
	"math"

	p "github.com/imagefarm/imagefarm/testdata/gen/paint"
)

// Storm is a thunderstorm over the sea in the evening.
func Storm(w, h int) image.Image {
	n := p.Noise(1812)
	sun := p.Direction(-50, 5)
	sky := &p.Sky{
		Zenith: p.Hex(0x232a3a), Horizon: p.Hex(0xb58a6a), Fall: 7, Sun: sun, SunColour: p.RGB{R: 0.9, G: 0.5,
			B: 0.25}, Glow: 0.5,
		Clouds: []p.Clouds{
			{Cover: 0.62, Scale: 0.55, Light: p.Hex(0x8a8794), Shade: p.Hex(0x1e2430), Seed: 77, Soft: 0.6, Thick: 1.3},
			{Cover: 0.85, Scale: 0.30, Streak: 1.6, Light: p.Hex(0x6d7180), Shade: p.Hex(0x272c3a), Seed: 21,
				Soft: 0.8},
		},
	}
	v := &p.View{
		Sky: sky, Eye: p.Vec{Y: 0.25}, Tilt: 9, Zoom: 1.15, Far: 60, Haze: 0.02, HazeCol: p.Hex(0x8f7a70), Water: 0,
		Deep: p.Hex(0x0c1a22), Ripple: 0.34, Wave: 0.30, MistTop: 1, Seed: 33,
	}
	flash := p.New(w, h)
	bolt(flash, n, 0.16, 0.46, 0.21, -0.178, 0.0036, 0)
	glow := flash.Clone()
	glow.Blur(float64(h) / 60)
	wide := flash.Clone()
	wide.Blur(float64(h) / 9)
	c := p.New(w, h)
	c.Fill(2, v.Light)
	for i := range c.Pix {
		u := (float64(i%w) + 0.5 - float64(w)/2) / float64(h)
		y := 0.5 - (float64(i/w)+0.5)/float64(h)
		light := p.RGB{R: 0.72, G: 0.78, B: 1}
		// The cloud lights up from inside, and the sea under the stroke.
		cloud := 0.5 * math.Exp(-math.Pow((u-0.16)/0.30, 2)-math.Pow((y-0.44)/0.16, 2))
		sea := 0.0
		if y < -0.18 {
			sea = 0.40 * math.Exp(-math.Pow((u-0.21)/(0.05+0.5*(-0.18-y)), 2)) * math.Exp((y+0.18)*5)
		}
		lit := c.Pix[i].Luma()
		c.Pix[i] = c.Pix[i].Add(light.Mul(cloud*(0.25+lit*3) + sea*(0.15+lit*2.5)))
		c.Pix[i] = c.Pix[i].Add(light.Mul(5*flash.Pix[i].R + 1.8*glow.Pix[i].R + 3.0*wide.Pix[i].R))
	}
	return c.Develop(p.Finish{Exposure: 0.35, Contrast: 0.4, Colour: 1.1, Bloom: 0.15, Vignette: 0.3, Grain: 2.2,
		Seed: 51})
}

// bolt strikes from (x0, y0) to (x1, y1) and forks on the way.
func bolt(m *p.Canvas, n p.Noise, x0, y0, x1, y1, width float64, depth int) {
	const steps = 34
	x, y := x0, y0
	for i := 1; i <= steps; i++ {
		t := float64(i) / steps
		bend := (0.085-0.03*float64(depth))*n.FBM(t*3+float64(depth)*9, 2, 4, 0.62)*math.Sin(t*math.Pi) +
			0.012*(n.Rand(i, depth)-0.5)
		nx, ny := x0+(x1-x0)*t+bend, y0+(y1-y0)*t+0.006*(n.Rand(i, depth+20)-0.5)
		stroke(m, x, y, nx, ny, width*(1-0.35*t))
		x, y = nx, ny
		if depth < 2 && i > 3 && y > -0.05 && n.Rand(i, depth+40) > 0.86 {
			side := n.Rand(i, depth+60) - 0.5
			reach := 0.10 + 0.16*n.Rand(i, depth+80)
			bolt(m, n*3+p.Noise(i), x, y, x+side*reach*2.2, math.Max(y-reach*0.8, -0.15), width*0.38, depth+1)
		}
	}
}

// WinterEvening is a cabin with lit windows in the snow, under the first stars.
func WinterEvening(w, h int) image.Image {
	n := p.Noise(2512)
	dusk := p.Direction(25, 2)
	sky := &p.Sky{
		Zenith: p.Hex(0x1a2f63), Horizon: p.Hex(0xd99a8e), Fall: 3.2, Sun: dusk, SunColour: p.RGB{R: 0.8, G: 0.45,
			B: 0.35}, Glow: 0.4,
		Stars: 0.55, Seed: 5,
		Clouds: []p.Clouds{{Cover: 0.30, Scale: 0.9, Streak: 4, Light: p.Hex(0xf0b0a8), Shade: p.Hex(0x6a6390),
			Seed: 64, Soft: 0.7}},
	}
	t := p.NewTerrain(800, 40, func(x, z float64) float64 {
		near := 0.22*n.FBM(x*0.3, z*0.3, 4, 0.45) + 0.10*p.Smooth(2, 6, math.Abs(x-0.8))
		return near + p.Smooth(12, 30, z)*(0.7+3.2*(n+6).Ridged(x*0.1+4, z*0.1, 8, 0.5)) - 0.1
	})
	t.Erode(60000, 0.8, n)
	t.Light(p.Direction(60, 16))
	v := &p.View{
		Sky: sky, Ground: t, Eye: p.Vec{X: 0.2, Y: 0.75, Z: 0.3}, Tilt: 5, Zoom: 1.2, Far: 60,
		Surface: func(pos, nor p.Vec, _ float64) p.RGB {
			f := n.FBM(pos.X*2.5, pos.Z*2.5, 5, 0.6)
			return p.Mix(p.Hex(0x3b3f50), p.Hex(0xf0f3fa), p.Smooth(0.40, 0.62, nor.Y+f*0.12))
		},
		Bumps: 0.12, Grain: 0.12, Ambient: p.RGB{R: 0.26, G: 0.33, B: 0.55}, Sun: p.RGB{R: 0.3, G: 0.2, B: 0.2},
		Haze: 0.015, HazeCol: p.Hex(0xa58ba6), Water: -50, Seed: 6,
	}
	c := p.New(w, h)
	c.Fill(2, v.Light)
	for r := range 4 {
		near := float64(r) / 3
		foot := -0.035 - 0.075*near*near
		ink := p.Mix(p.Hex(0x4a5578), p.Hex(0x131c2c), near)
		m := n + p.Noise(r*31)
		c.Over(2, func(u, v float64) (p.RGB, float64) {
			if near > 0.5 && u > -0.28 && u < 0.34 {
				return p.RGB{}, 0 // the clearing
			}
			size := 0.10 + 0.26*near*near
			spacing := size * 0.30
			cell := int(math.Floor(u / spacing))
			best, white := 0.0, 0.0
			for k := cell - 2; k <= cell+2; k++ {
				x := (float64(k) + 0.2 + 0.6*m.Rand(k, 1)) * spacing
				tall := size * (0.5 + 0.65*m.Rand(k, 2))
				a, b := (u-x)/tall, (v-foot+0.02*m.Rand(k, 4))/tall
				if s := spruce(m, k, a, b); s > best {
					best = s
					// Snow lies on the upper side of the branches.
					white = p.Smooth(0.05, 0.45, m.FBM(u*70, v*110, 3, 0.6)+0.35*spruce(m, k, a,
						b-0.03)-0.35*spruce(m, k, a, b+0.05)+0.12)
				}
			}
			return p.Mix(ink, p.Hex(0x9fb0d6).Mul(0.75), white*0.85), best
		})
	}
	cabin(c, 0.06, -0.155, 0.24)
	return c.Develop(p.Finish{Exposure: 0.35, Contrast: 0.3, Colour: 1.12, Bloom: 0.35, Vignette: 0.3, Grain: 2,
		Seed: 53})
}

func cabin(c *p.Canvas, x, y, size float64) {
	warm := p.RGB{R: 3.2, G: 1.7, B: 0.55}
	// Light on the snow before the windows first.
	splat(c, x-0.02*size, y-0.08*size, size*1.3, func(u, v float64) (p.RGB, float64) {
		a, b := u/size, v/size
		return p.RGB{R: 1.1, G: 0.65, B: 0.3}, 0.55 * math.Exp(-math.Pow(a/0.55, 2)-math.Pow((b+0.04)/0.13,
			2)) * p.Smooth(0.09, 0.03, b)
	})
	c.Over(3, func(u, v float64) (p.RGB, float64) {
		a, b := (u-x)/size, (v-y)/size
		if math.Abs(a) > 0.75 || b < -0.03 || b > 0.95 {
			return p.RGB{}, 0
		}
		roof := 0.66 - math.Abs(a)*0.62 // the gable's underside
		switch {
		case a > 0.22 && a < 0.32 && b > 0.40 && b < 0.70:
			if b > 0.66 {
				return p.Hex(0xc9d6f0).Mul(0.8), 1
			}
			return p.Hex(0x2e2a33).Mul(0.8 + 0.5*math.Abs(math.Sin(b*110))), 1
		case b > roof-0.02 && b < roof+0.095 && math.Abs(a) < 0.62:
			return p.Hex(0xdce6fa).Mul(0.42 + 0.35*p.Smooth(roof, roof+0.09, b)), 1
		case b < roof && math.Abs(a) < 0.50:
			for _, win := range [][4]float64{{-0.30, 0.21, 0.085, 0.075}, {0.30, 0.21, 0.085, 0.075}, {0, 0.46,
				0.065, 0.055}} {
				dx, dy := math.Abs(a-win[0]), math.Abs(b-win[1])
				if dx < win[2] && dy < win[3] {
					if dx < 0.008 || dy < 0.007 {
						return p.Hex(0x2a1a12), 1
					}
					return warm.Mul(0.75 + 0.35*math.Cos(a*21)*math.Cos(b*17)), 1
				}
				if dx < win[2]+0.018 && dy < win[3]+0.018 {
					return p.Hex(0x5a3a28), 1
				}
			}
			if math.Abs(a) < 0.075 && b < 0.28 {
				return p.Hex(0x5e2f1c).Mul(0.6 + 0.2*math.Abs(math.Sin(a*120))), 1
			}
			log := 0.65 + 0.35*math.Abs(math.Sin(b*52))
			glow := 0.0
			for _, wx := range []float64{-0.30, 0.30} {
				glow += 0.35 * math.Exp(-math.Pow((a-wx)/0.16, 2)-math.Pow((b-0.21)/0.15, 2))
			}
			return p.Hex(0x4a3122).Mul(log * 0.55).Add(p.RGB{R: 0.5, G: 0.25, B: 0.1}.Mul(glow * log)), 1
		case b < 0.03+0.02*math.Sin(a*9+1) && math.Abs(a) < 0.56:
			return p.Hex(0xd5dff5).Mul(0.45), 0.9
		}
		return p.RGB{}, 0
	})
	smoke(c, x+0.27*size, y+0.72*size, size)
}

func smoke(c *p.Canvas, x, y, size float64) {
	n := p.Noise(404)
	c.Over(1, func(u, v float64) (p.RGB, float64) {
		b := (v - y) / size
		if b < 0 || b > 1.3 {
			return p.RGB{}, 0
		}
		bend := 0.10*b*b + 0.05*n.FBM(b*2.4, 3, 3, 0.5)*b
		d := ((u-x)/size - bend) / (0.022 + 0.10*b)
		f := p.Smooth(-0.5, 0.6, n.FBM(u*26-b, v*16, 4, 0.6))
		return p.Hex(0xb9b6cc), 0.5 * f * math.Exp(-d*d) * p.Smooth(1.3, 0.1, b)
	})
}
