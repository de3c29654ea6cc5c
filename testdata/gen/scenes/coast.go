package scenes

import (
	"image"
	"math"

	p "github.com/imagefarm/imagefarm/testdata/gen/paint"
)

// coast is a headland with room for a lighthouse at the right.
func coast(sky *p.Sky, sun, ambient p.RGB) *p.View {
	n := p.Noise(1759)
	t := p.NewTerrain(900, 30, func(x, z float64) float64 {
		d := math.Hypot((x-3.6)/3.4, (z-9.5)/3.6) * (1 + 0.22*n.FBM(x*0.5, z*0.5, 5, 0.55))
		head := p.Smooth(1.0, 0.72, d) * (1.05 + 0.20*n.FBM(x*0.4, z*0.4, 5, 0.5))
		skerry := 0.35 * p.Smooth(0.75, 0, math.Hypot(x+0.4, (z-8)/1.3)) * (1 + n.FBM(x*3, z*3, 4, 0.6))
		far := p.Smooth(6, 2, math.Hypot((x+9)/1.8, z-26)) * (0.8 + 0.8*n.FBM(x*0.3, z*0.3, 5, 0.5))
		return head + skerry + far - 0.18 + 0.05*n.FBM(x*3, z*3, 4, 0.6)
	})
	t.Light(sky.Sun)
	return &p.View{
		Sky: sky, Ground: t, Eye: p.Vec{X: 0.6, Y: 0.75, Z: 0.2}, Tilt: 3.2, Azimuth: 4, Zoom: 1.25, Far: 45,
		Surface: func(pos, nor p.Vec, hollow float64) p.RGB {
			f := n.FBM(pos.X*3, pos.Z*3, 5, 0.6)
			g := n.FBM(pos.X*16, pos.Z*16+pos.Y*9, 3, 0.6)
			rock := p.Mix(p.Hex(0x6b5d50), p.Hex(0xa39482), p.Smooth(-0.4, 0.6, f+g*0.5+0.5*n.FBM(2, pos.Y*9+f, 3,
				0.6)))
			rock = p.Mix(p.Hex(0x3a332e), rock, p.Smooth(0.0, 0.16, pos.Y+0.05*g))
			turf := p.Mix(p.Hex(0x5f7d36), p.Hex(0x9aa055), p.Smooth(-0.5, 0.7, f+g))
			return p.Mix(rock, turf, p.Smooth(0.70, 0.86, nor.Y+0.06*f)*p.Smooth(0.45, 0.7, pos.Y))
		},
		Bumps: 0.6, Grain: 0.05, Ambient: ambient, Sun: sun, Haze: 0.012,
		Water: 0, Deep: p.Hex(0x0d3a4e), Shore: p.Hex(0x3f8a8a), MistTop: 0.3, Ripple: 0.16, Wave: 0.22, Seed: 14,
	}
}

// tower paints the lighthouse: foot at (x, y), as high as tall. lamp is the light's strength.
func tower(c *p.Canvas, x, y, tall, lamp float64, light p.RGB) {
	c.Over(3, func(u, v float64) (p.RGB, float64) {
		a, b := (u-x)/tall, (v-y)/tall
		if b < -0.03 || b > 1.12 || math.Abs(a) > 0.5 {
			return p.RGB{}, 0
		}
		half := 0.105 - 0.040*b
		shade := func(a, half float64) float64 {
			s := p.Clamp(a/half, -1, 1)
			return 0.30 + 0.85*math.Max(0.80*math.Sqrt(1-s*s)-0.62*s, 0)
		}
		switch {
		case b < 0.80 && math.Abs(a) < half:
			col := p.RGB{R: 0.92, G: 0.90, B: 0.86}
			if band := math.Mod(b+0.02, 0.32); band < 0.16 {
				col = p.Hex(0xb8281e)
			}
			for _, wy := range []float64{0.22, 0.46, 0.68} {
				if math.Abs(a-0.01) < 0.011 && math.Abs(b-wy) < 0.022 {
					col = p.Hex(0x1d222a).Mul(0.8).Add(p.Hex(0xffc060).Mul(lamp * 1.2))
				}
			}
			if math.Abs(a) < 0.022 && b < 0.085 {
				col = p.Hex(0x3a2a20)
			}
			return col.Times(light).Mul(shade(a, half)), 1
		case b >= 0.79 && b < 0.815 && math.Abs(a) < 0.105:
			return p.Hex(0x30343a).Times(light).Mul(shade(a, 0.105)), 1
		case b >= 0.815 && b < 0.855 && math.Abs(a) < 0.10 && (b > 0.849 || math.Abs(math.Mod(a+1,
			0.025)-0.0125) > 0.010):
			return p.Hex(0x22262c).Times(light), 0.9
		case b >= 0.815 && b < 0.945 && math.Abs(a) < 0.062:
			bar := math.Abs(math.Mod(a+1.0155, 0.031)-0.0155) > 0.0135
			col := p.Mix(p.Hex(0x8fb4cc).Times(light).Mul(0.7), p.RGB{R: 6, G: 5, B: 3.2},
				lamp*math.Exp(-math.Pow(a/0.05, 2)-math.Pow((b-0.88)/0.05, 2)))
			if bar {
				col = p.Hex(0x24282e).Times(light)
			}
			return col, 1
		case b >= 0.945 && b < 1.03 && math.Abs(a) < 0.074*math.Sqrt(math.Max(1-math.Pow((b-0.945)/0.085, 2), 0)):
			return p.Hex(0x8f2018).Times(light).Mul(shade(a, 0.075)), 1
		case b >= 1.02 && b < 1.09 && math.Abs(a) < 0.004:
			return p.Hex(0x24282e), 1
		}
		return cottage(a, b, light)
	})
}

func cottage(a, b float64, light p.RGB) (p.RGB, float64) {
	if a < 0.13 || a > 0.44 || b > 0.26 {
		return p.RGB{}, 0
	}
	mid := math.Abs(a - 0.285)
	if b < 0.125 && mid < 0.135 {
		col := p.RGB{R: 0.9, G: 0.88, B: 0.82}
		if wx := math.Mod(a-0.15, 0.08); wx > 0.025 && wx < 0.055 && b > 0.045 && b < 0.09 {
			col = p.Hex(0x2a3240)
		}
		return col.Times(light).Mul(0.75), 1
	}
	if b >= 0.12 && b < 0.235 && mid < 0.155-(b-0.12)*0.45 {
		return p.Hex(0x7a3b2a).Times(light).Mul(0.85 + 0.1*math.Sin(b*420)), 1
	}
	if b < 0.26 && math.Abs(a-0.35) < 0.018 {
		return p.Hex(0x6a4a3c).Times(light).Mul(0.8), 1
	}
	return p.RGB{}, 0
}

// Lighthouse is a white and red tower on a headland by day. What is up is plain to see.
func Lighthouse(w, h int) image.Image {
	sun := p.Direction(-60, 30)
	sky := &p.Sky{
		Zenith: p.Hex(0x2a67b8), Horizon: p.Hex(0xc9e0f0), Fall: 3.6, Sun: sun, SunColour: p.RGB{R: 1, G: 0.93,
			B: 0.8}, Glow: 0.5,
		Clouds: []p.Clouds{{Cover: 0.49, Scale: 0.7, Light: p.RGB{R: 1.15, G: 1.13, B: 1.1},
			Shade: p.Hex(0xa5b4c8), Seed: 204}},
	}
	c := p.New(w, h)
	c.Fill(2, coast(sky, p.RGB{R: 1.7, G: 1.5, B: 1.25}, p.RGB{R: 0.27, G: 0.34, B: 0.45}).Light)
	tower(c, 0.20, -0.062, 0.46, 0, p.RGB{R: 1.15, G: 1.08, B: 0.98})
	gulls(c)
	return c.Develop(p.Finish{Exposure: 0.1, Contrast: 0.35, Colour: 1.12, Bloom: 0.06, Vignette: 0.18,
		Grain: 1.8, Seed: 41})
}

func gulls(c *p.Canvas) {
	for _, g := range [][3]float64{{-0.42, 0.26, 0.030}, {-0.33, 0.31, 0.022}, {-0.25, 0.24, 0.017}, {0.02, 0.36,
		0.020}} {
		splat(c, g[0], g[1], g[2]*1.2, func(u, v float64) (p.RGB, float64) {
			a := u / g[2]
			wing := 0.34*math.Sqrt(math.Abs(a)) - 0.42*a*a
			d := math.Abs(v/g[2] - wing)
			return p.Mix(p.Hex(0xe8ecf0), p.Hex(0x4a525c), math.Abs(a)), p.Smooth(0.07*(1.15-math.Abs(a)),
				0.03*(1.1-math.Abs(a)), d) * p.Smooth(1, 0.9, math.Abs(a))
		})
	}
}

// Beacon returns the frames of a night in which the lighthouse's beam goes round.
func Beacon(w, h, frames int) []image.Image {
	moon := p.Direction(-40, 34)
	sky := &p.Sky{
		Zenith: p.Hex(0x0c1530), Horizon: p.Hex(0x33466e), Fall: 3, Sun: moon, SunColour: p.RGB{R: 0.5, G: 0.6,
			B: 0.8}, Glow: 0.3,
		Stars: 1, Seed: 60,
		Clouds: []p.Clouds{{Cover: 0.34, Scale: 0.7, Light: p.Hex(0x4a5a82), Shade: p.Hex(0x1d2846), Seed: 204}},
	}
	base := p.New(w, h)
	night := coast(sky, p.RGB{R: 0.25, G: 0.3, B: 0.42}, p.RGB{R: 0.06, G: 0.08, B: 0.13})
	night.Deep, night.Shore = p.Hex(0x0a1830), p.Hex(0x142c48)
	base.Fill(2, night.Light)
	var out []image.Image
	for k := range frames {
		turn := 2 * math.Pi * (float64(k) + 0.5) / float64(frames)
		toward := math.Max(-math.Cos(turn), 0) // how much the lamp looks at the viewer
		c := base.Clone()
		tower(c, 0.20, -0.062, 0.46, 0.55+0.45*toward, p.RGB{R: 0.20, G: 0.25, B: 0.38})
		lx, ly := 0.20, -0.062+0.46*0.88
		reach := math.Sin(turn)
		for i, q := range c.Pix {
			u := (float64(i%w) + 0.5 - float64(w)/2) / float64(h)
			v := 0.5 - (float64(i/w)+0.5)/float64(h)
			dx, dy := u-lx, v-ly
			r := math.Hypot(dx, dy)
			glow := 0.5 * math.Exp(-r*r*900) * (0.4 + 2.5*toward)
			for _, side := range []float64{1, -1} {
				s := reach * side
				if dx*s > 0 && math.Abs(s) > 0.05 {
					width := 0.012 + 0.10*math.Abs(dx)*(0.6+0.4/math.Abs(s))
					glow += 0.30 * math.Abs(s) * math.Exp(-math.Pow(dy/width, 2)) * math.Exp(-r*1.6)
				}
			}
			c.Pix[i] = q.Add(p.RGB{R: 1, G: 0.92, B: 0.7}.Mul(glow))
		}
		out = append(out, c.Develop(p.Finish{Exposure: 0.9, Contrast: 0.3, Colour: 1.05, Bloom: 0.25, Vignette: 0.25}))
	}
	return out
}
