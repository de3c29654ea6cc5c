package scenes

import (
	"image"
	"math"

	p "github.com/imagefarm/imagefarm/testdata/gen/paint"
)

// FirstMorning is a valley under mist, with balloons, soon after sunrise.
func FirstMorning(w, h int) image.Image {
	sun := p.Direction(-24, 9)
	sky := &p.Sky{
		Zenith: p.Hex(0x6b8fc4), Horizon: p.Hex(0xf7cfa0), Fall: 4, Sun: sun, SunColour: p.RGB{R: 1.2, G: 0.8,
			B: 0.45}, Glow: 0.9,
		Clouds: []p.Clouds{{Cover: 0.36, Scale: 0.8, Streak: 3, Light: p.Hex(0xffe3cf), Shade: p.Hex(0xc49aa8),
			Seed: 611, Soft: 0.6}},
	}
	n := p.Noise(930)
	t := p.NewTerrain(1024, 40, func(x, z float64) float64 {
		hills := 1.5*n.FBM(x*0.11, z*0.11, 9, 0.44) + 0.3
		far := p.Smooth(17, 36, z) * (1.6 + 2.2*(n+4).Ridged(x*0.10+2, z*0.10, 8, 0.5))
		return hills + far - 0.5*p.Smooth(6, 2, math.Abs(x-1)) + 0.1
	})
	t.Erode(90000, 0.7, n)
	t.Light(sun)
	meadow, hay, wood := p.Hex(0x5f7a2e), p.Hex(0xa79a52), p.Hex(0x22351a)
	v := &p.View{
		Sky: sky, Ground: t, Eye: p.Vec{X: 0.2, Y: 2.6, Z: 0.2}, Tilt: -5, Zoom: 1.35, Far: 70,
		Surface: func(pos, nor p.Vec, hollow float64) p.RGB {
			f := n.FBM(pos.X*1.7, pos.Z*1.7, 5, 0.6)
			g := n.FBM(pos.X*12, pos.Z*12, 4, 0.65)
			field := p.Mix(meadow, hay, p.Smooth(-0.2, 0.5, n.At(math.Floor(pos.X*1.1+f*0.4)*3.7,
				math.Floor(pos.Z*0.9)*5.1)+0.25*g))
			return p.Mix(field, wood.Mul(0.8+g), 0.8*p.Smooth(0.0, 0.3, f+0.35*g-0.12))
		},
		Bumps: 0.9, Grain: 0.07, Ambient: p.RGB{R: 0.26, G: 0.28, B: 0.36}, Sun: p.RGB{R: 2.7, G: 1.8, B: 0.95},
		Haze: 0.020, Mist: 0.55, MistTop: 0.36, MistBase: -0.1, HazeCol: p.Hex(0xf6dcc4), Water: -50, Seed: 31,
	}
	c := p.New(w, h)
	c.Fill(2, v.Light)
	for _, b := range []struct {
		x, y, r, far float64
		a, b         uint32
	}{
		{-0.12, 0.22, 0.035, 0.45, 0xd8b13a, 0x3c6a8a}, {0.03, 0.13, 0.024, 0.6, 0xa63d57, 0xe9d9b8}, {0.40, 0.05,
			0.018, 0.7, 0x4a8f6a, 0xe6e0c8},
		{-0.47, 0.10, 0.020, 0.65, 0x7a4d9a, 0xe8a84c}, {0.24, 0.24, 0.085, 0.10, 0xc8352b, 0xf2e3c2},
	} {
		balloon(c, b.x, b.y, b.r, b.far, sun, p.Hex(b.a), p.Hex(b.b), sky.Horizon)
	}
	return c.Develop(p.Finish{Exposure: 0.1, Contrast: 0.45, Colour: 1.15, Bloom: 0.15, Vignette: 0.2, Grain: 2,
		Seed: 5})
}

// balloon hangs at (x, y); far is how much of it the haze takes.
func balloon(c *p.Canvas, x, y, r, far float64, sun p.Vec, a, b, haze p.RGB) {
	c.Over(3, func(u, v float64) (p.RGB, float64) {
		dx, dy := (u-x)/r, (v-y)/r
		if math.Abs(dx) > 1.1 || dy > 1.1 || dy < -2.2 {
			return p.RGB{}, 0
		}
		var col p.RGB
		// The envelope: a ball that narrows to its mouth.
		width := math.Sqrt(math.Max(1-dy*dy, 0))
		if dy < -0.25 {
			width = math.Max(0.968-math.Pow((-dy-0.25)/1.15, 1.25)*0.80, 0)
			if dy < -1.40 {
				width = 0
			}
		}
		switch {
		case math.Abs(dx) < width:
			s := dx / width
			lon := math.Asin(p.Clamp(s, -1, 1))
			gore := lon / math.Pi * 14
			col = a
			if int(math.Floor(gore+100))%2 == 0 {
				col = b
			}
			if math.Abs(dy+0.05) < 0.13 {
				col = p.Mix(col, a.Mul(0.6), 0.8)
			}
			ny := dy*0.9 + 0.05
			n := p.Vec{X: s * 0.95, Y: ny, Z: -math.Sqrt(math.Max(1-s*s*0.9-ny*ny*0.7, 0.02))}.Unit()
			seam := math.Abs(gore-math.Round(gore)) * 2
			light := 0.28 + 0.95*math.Max(n.Dot(p.Vec{X: sun.X * 2.2, Y: sun.Y + 0.2, Z: -0.45}.Unit()), 0) +
				0.18*math.Max(n.Y, 0)
			col = col.Times(p.RGB{R: 1.25, G: 1.05, B: 0.9}).Mul(light * (0.86 + 0.14*p.Smooth(0, 0.4, seam)))
		case dy < -1.66 && dy > -1.92 && math.Abs(dx) < 0.15:
			col = p.Hex(0x3a2718).Mul(0.8 + dx*-2)
		case dy < -1.38 && dy > -1.68 && math.Abs(math.Abs(dx)-0.14) < 0.012:
			col = p.Hex(0x2a2420)
		default:
			return p.RGB{}, 0
		}
		return p.Mix(col, haze, far*0.6), 1
	})
}

// NorthernLights dance over a fjord in winter.
func NorthernLights(w, h int) image.Image {
	moon := p.Direction(-70, 40)
	sky := &p.Sky{
		Zenith: p.Hex(0x0a1230), Horizon: p.Hex(0x1c3350), Fall: 3, Sun: moon, SunColour: p.RGB{R: 0.5, G: 0.6, B: 0.8},
		Stars: 0.9, Aurora: 0.85, Seed: 47,
	}
	t := mountainRange(451, 3.2, 2.4)
	t.Light(moon)
	v := &p.View{
		Sky: sky, Ground: t, Eye: p.Vec{X: 0.2, Y: 0.35, Z: 1.2}, Tilt: 11, Zoom: 1.05, Far: 55,
		Surface: func(pos, nor p.Vec, hollow float64) p.RGB {
			f := p.Noise(3).FBM(pos.X*2.5, pos.Z*2.5, 5, 0.6)
			return p.Mix(p.Hex(0x2a2d36), p.Hex(0xe8eef8), p.Smooth(0.42, 0.66, nor.Y+f*0.12))
		},
		Bumps: 0.3, Grain: 0.06, Ambient: p.RGB{R: 0.055, G: 0.14, B: 0.13}, Sun: p.RGB{R: 0.13, G: 0.16, B: 0.22},
		Haze: 0.02, HazeCol: p.Hex(0x18303f), Water: 0, Deep: p.Hex(0x03080f), Shore: p.Hex(0x050c14), MistTop: 0.3,
		Ripple: 0.035, Wave: 0.2, Seed: 8,
	}
	c := p.New(w, h)
	c.Fill(2, v.Light)
	return c.Develop(p.Finish{Exposure: 0.75, Contrast: 0.3, Colour: 1.05, Bloom: 0.25, Vignette: 0.3, Grain: 3,
		Seed: 11})
}

// Glacier is an old photograph of high mountains.
func Glacier(w, h int) image.Image {
	sun := p.Direction(75, 24)
	sky := &p.Sky{
		Zenith: p.Hex(0x4c6a94), Horizon: p.Hex(0xc9d4e0), Fall: 3, Sun: sun, SunColour: p.RGB{R: 1, G: 1, B: 1},
		Glow: 0.3,
		Clouds: []p.Clouds{{Cover: 0.5, Scale: 0.5, Light: p.RGB{R: 1.1, G: 1.1, B: 1.1}, Shade: p.Hex(0x8f98a5),
			Seed: 1931}},
	}
	t := mountainRange(1931, 4.6, 1.3)
	t.Light(sun)
	v := &p.View{
		Sky: sky, Ground: t, Eye: p.Vec{X: -0.3, Y: 1.5, Z: 0.6}, Tilt: 2, Zoom: 1.3, Far: 60,
		Surface: func(pos, nor p.Vec, hollow float64) p.RGB {
			f := p.Noise(8).FBM(pos.X*2.2, pos.Z*2.2, 6, 0.6)
			snow := p.Smooth(0.46, 0.66, nor.Y+f*0.10+p.Clamp(hollow, -0.3, 0.4)*0.5)
			return p.Mix(p.Hex(0x4b4743).Mul(1+f*0.5), p.Hex(0xf3f4f6), snow)
		},
		Bumps: 0.5, Grain: 0.06, Ambient: p.RGB{R: 0.25, G: 0.3, B: 0.4}, Sun: p.RGB{R: 1.6, G: 1.5, B: 1.35},
		Haze: 0.022, HazeCol: p.Hex(0xb7c4d4), Water: -9, Seed: 2,
	}
	c := p.New(w, h)
	c.Fill(2, v.Light)
	return c.Develop(p.Finish{Exposure: 0.1, Contrast: 0.65, Bloom: 0.1, Vignette: 0.5, Grain: 5, Seed: 19})
}
