package scenes

import (
	"image"
	"math"

	p "github.com/imagefarm/imagefarm/testdata/gen/paint"
)

// SunsetSail is a sailing boat on the way home under a burning sky.
func SunsetSail(w, h int) image.Image {
	sun := p.Direction(7, 3.6)
	sky := &p.Sky{
		Zenith: p.Hex(0x2b3560), Horizon: p.Hex(0xf29a4e), Fall: 5, Sun: sun, SunColour: p.RGB{R: 1.5, G: 0.78,
			B: 0.30}, Glow: 1,
		Disc: 1.5,
		Clouds: []p.Clouds{
			{Cover: 0.55, Scale: 0.42, Streak: 2.6, Light: p.Hex(0xffa066), Shade: p.Hex(0x6a4668), Seed: 310,
				Soft: 0.5},
			{Cover: 0.42, Scale: 0.9, Streak: 1.4, Light: p.Hex(0xffb98a), Shade: p.Hex(0x80546e), Seed: 71},
		},
	}
	far := p.NewTerrain(512, 60, func(x, z float64) float64 {
		n := p.Noise(52)
		isle := p.Smooth(9, 2, math.Hypot(x+15, z-44)) + 0.8*p.Smooth(8, 1, math.Hypot(x-21, z-50)) +
			0.4*p.Smooth(5, 1, math.Hypot(x-9, z-55))
		return isle*(1.5+1.5*n.Ridged(x*0.16, z*0.16, 6, 0.5))*0.8 - 0.4
	})
	v := &p.View{
		Sky: sky, Ground: far, Eye: p.Vec{Y: 0.30}, Tilt: 4.5, Zoom: 1.5, Far: 70,
		Surface: func(_, _ p.Vec, _ float64) p.RGB { return p.Hex(0x3a2f33) },
		Ambient: p.RGB{R: 0.35, G: 0.25, B: 0.3}, Sun: p.RGB{R: 0.3, G: 0.15, B: 0.05}, Haze: 0.017,
		Water: 0, Deep: p.Hex(0x0b1a2b), Shore: p.Hex(0x0b1a2b), MistTop: 1, Ripple: 0.17, Wave: 0.21, Seed: 12,
	}
	c := p.New(w, h)
	c.Fill(2, v.Light)
	boat(c, -0.30, -0.148, 0.20, p.Hex(0x24161a), p.Hex(0xd08a5c))
	return c.Develop(p.Finish{Exposure: 0.0, Contrast: 0.4, Colour: 1.12, Bloom: 0.22, Vignette: 0.3, Grain: 2.2,
		Seed: 3})
}

// boat is a sloop with its hull's waterline at (x, y), size high, and a broken mirror image under it.
func boat(c *p.Canvas, x, y, size float64, hull, sail p.RGB) {
	ripple := p.Noise(77)
	c.Over(3, func(u, v float64) (p.RGB, float64) {
		a, b := (u-x)/size, (v-y)/size
		fade := 1.0
		if b < 0 {
			b = -b * 1.25
			a += 0.10 * ripple.At(u*40, v*260) * (0.3 + b)
			fade = 0.62 * p.Smooth(1.1, 0.1, b) * p.Smooth(-0.35, 0.15, ripple.At(u*14+5, v*230))
		}
		switch {
		case b < 0.07 && a > -0.30-b*0.6 && a < 0.34+b*0.9:
			return hull, fade
		case math.Abs(a-0.03) < 0.006 && b < 1.0:
			return hull, fade
		case b > 0.12 && a < 0.02 && a > -0.30+(b-0.12)*0.34 && b < 0.95-0.02*math.Sin(a*20):
			// The main sail glows where the light comes through it.
			return p.Mix(sail, hull, 0.25+0.5*p.Smooth(-0.25, 0.02, a)), fade * 0.97
		case b > 0.10 && a > 0.045 && a < 0.36-(b-0.10)*0.42 && b < 0.84:
			return p.Mix(sail, hull, 0.15+0.3*b), fade * 0.95
		}
		return p.RGB{}, 0
	})
}

// TropicalBay is a lagoon seen from above the beach: sand, shallow water, green islands.
func TropicalBay(w, h int) image.Image {
	sun := p.Direction(40, 52)
	sky := &p.Sky{
		Zenith: p.Hex(0x1f69c4), Horizon: p.Hex(0xbfe0f2), Fall: 4, Sun: sun, SunColour: p.RGB{R: 1, G: 0.97,
			B: 0.9}, Glow: 0.4,
		Clouds: []p.Clouds{{Cover: 0.46, Scale: 0.75, Light: p.RGB{R: 1.2, G: 1.2, B: 1.18},
			Shade: p.Hex(0xa9bdd2), Seed: 903}},
	}
	n := p.Noise(2024)
	t := p.NewTerrain(1024, 36, func(x, z float64) float64 {
		beach := p.Smooth(1.5, -7, x+0.30*(z-4)+1.4*n.FBM(x*0.15, z*0.15, 3, 0.5)+3.2)
		isle := func(ix, iz, r, tall float64) float64 {
			d := math.Hypot(x-ix, z-iz) / r * (1 + 0.35*n.FBM(x*0.35, z*0.35, 4, 0.5))
			return tall * math.Pow(p.Smooth(1.25, 0.1, d), 1.6) * (0.7 + 0.5*n.Ridged(x*0.3, z*0.3, 6, 0.5))
		}
		hills := isle(7, 20, 4.2, 2.6) + isle(13, 27, 5.5, 3.4) + isle(-4, 29, 4, 2.2) + isle(2.2, 15.5, 1.6, 0.9)
		hills += p.Smooth(-5, -13, x) * (0.8 + 2.2*n.Ridged(x*0.16+3, z*0.16, 7, 0.5))
		floor := -0.35 + 0.12*n.FBM(x*0.5, z*0.5, 4, 0.5) - 0.5*p.Smooth(0, 7, x+0.2*z-2)
		return floor + beach*0.62 + hills
	})
	t.Light(sun)
	leaf, light, sand, wet, rock := p.Hex(0x2c5a1c), p.Hex(0x6f9a35), p.Hex(0xf0dfba), p.Hex(0xc9ab7c), p.Hex(0x8a7a66)
	v := &p.View{
		Sky: sky, Ground: t, Eye: p.Vec{X: -1.6, Y: 1.15, Z: 0.4}, Tilt: -5.5, Azimuth: 4, Zoom: 1.15, Far: 60,
		Surface: func(pos, nor p.Vec, hollow float64) p.RGB {
			f := n.FBM(pos.X*5, pos.Z*5, 5, 0.65)
			g := n.FBM(pos.X*22, pos.Z*22, 3, 0.6)
			ground := p.Mix(p.Mix(wet, sand, p.Smooth(0.01, 0.07, pos.Y+f*0.02)), sand.Mul(0.9), 0.3*g)
			green := p.Mix(leaf, light, p.Smooth(-0.5, 0.8, f+g*0.8)).Mul(0.85 + 0.5*g)
			ground = p.Mix(ground, green, p.Smooth(0.24, 0.36, pos.Y+f*0.14))
			return p.Mix(ground, rock, p.Smooth(0.62, 0.45, nor.Y+f*0.1))
		},
		Bumps: 0.8, Grain: 0.06, Ambient: p.RGB{R: 0.3, G: 0.4, B: 0.5}, Sun: p.RGB{R: 1.7, G: 1.6, B: 1.4},
		Haze:    0.010,
		HazeCol: p.Hex(0xb5d3e8), Water: 0, Deep: p.Hex(0x0a5f88), Shore: p.Hex(0x6fd2c4), MistTop: 0.75,
		Ripple: 0.06, Wave: 0.16, Seed: 9,
	}
	c := p.New(w, h)
	c.Fill(2, v.Light)
	return c.Develop(p.Finish{Exposure: 0.05, Contrast: 0.35, Colour: 1.1, Bloom: 0.05, Vignette: 0.15,
		Grain: 1.8, Seed: 21})
}
