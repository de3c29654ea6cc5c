// Package scenes holds the pictures: each function paints one on a canvas of the size asked for.
package scenes

import (
	"image"
	"math"

	p "github.com/imagefarm/imagefarm/testdata/gen/paint"
)

// mountainRange is a square of ridges around a valley in the middle, 40 units wide, with its floor at 0.
func mountainRange(seed p.Noise, tall, valley float64) *p.Terrain {
	t := p.NewTerrain(1024, 40, func(x, z float64) float64 {
		wx := 1.2 * seed.FBM(x*0.12+3, z*0.12, 3, 0.5)
		wz := 1.2 * (seed+5).FBM(x*0.12, z*0.12+8, 3, 0.5)
		r := (seed + 10).Ridged((x+wx)*0.11+7, (z+wz)*0.11, 8, 0.5)
		side := math.Abs(x + 1.5*(seed+30).FBM(z*0.13, 4, 3, 0.5))
		open := p.Smooth(valley*0.4, valley*2.2, side) + p.Smooth(14, 27, z)*0.9
		low := 0.25 * (seed+50).FBM(x*0.35, z*0.35, 6, 0.5)
		return tall*math.Min(open, 1.25)*(r*0.85+0.1) + low*(0.3+math.Min(open, 1)) - 0.22
	})
	t.Erode(160000, 1, seed+77)
	return t
}

// alpine colours the ground of high mountains: meadow, forest, rock, snow on what is not steep.
func alpine(seed p.Noise, treeline, snowline float64) func(pos, n p.Vec, hollow float64) p.RGB {
	meadow, dry, forest := p.Hex(0x6f8a3a), p.Hex(0x8f8b4c), p.Hex(0x26401f)
	rock, dark, snow := p.Hex(0x857d74), p.Hex(0x58524e), p.Hex(0xeef3fa)
	return func(pos, n p.Vec, hollow float64) p.RGB {
		f := seed.FBM(pos.X*2.2, pos.Z*2.2, 5, 0.6)
		g := (seed + 9).FBM(pos.X*14, pos.Z*14, 3, 0.6)
		c := p.Mix(rock, dark, p.Smooth(-0.4, 0.6, (seed+3).FBM(pos.X*0.8, pos.Y*7+f*0.6, 4, 0.6)+g*0.5))
		grass := p.Mix(meadow, dry, p.Smooth(-0.3, 0.6, f+g*0.4))
		c = p.Mix(c, grass, p.Smooth(0.62, 0.8, n.Y+f*0.06)*p.Smooth(treeline*1.5, treeline*0.9, pos.Y+f*0.3))
		wood := p.Smooth(0.5, 0.62, n.Y) * p.Smooth(treeline, treeline*0.75, pos.Y+f*0.45) * p.Smooth(-0.05, 0.2,
			f+0.22)
		c = p.Mix(c, forest.Mul(0.75+0.7*g), wood)
		white := p.Smooth(snowline-0.3, snowline+0.5, pos.Y+f*0.5+hollow*0.5) * p.Smooth(0.50, 0.68, n.Y+f*0.07)
		return p.Mix(c, snow, white)
	}
}

// AlpineLake is a lake at noon between mountains, with white clouds.
func AlpineLake(w, h int) image.Image {
	sun := p.Direction(-62, 38)
	sky := &p.Sky{
		Zenith: p.Hex(0x2a62b0), Horizon: p.Hex(0xbcd6ee), Fall: 3.5, Sun: sun, SunColour: p.RGB{R: 1, G: 0.95,
			B: 0.85}, Glow: 0.5,
		Clouds: []p.Clouds{{Cover: 0.47, Scale: 0.55, Light: p.RGB{R: 1.15, G: 1.13, B: 1.1},
			Shade: p.Hex(0xa3b1c6), Seed: 41}},
	}
	t := mountainRange(1207, 3.9, 2.1)
	t.Light(sun)
	v := &p.View{
		Sky: sky, Ground: t, Eye: p.Vec{X: 0.3, Y: 0.42, Z: 1}, Tilt: 4, Zoom: 1.25, Far: 60,
		Surface: alpine(88, 1.25, 2.5), Bumps: 0.35, Grain: 0.05,
		Ambient: p.RGB{R: 0.26, G: 0.34, B: 0.46}, Sun: p.RGB{R: 1.55, G: 1.45, B: 1.25},
		Haze: 0.016, HazeCol: p.Hex(0xa9c3e0), Water: 0, Deep: p.Hex(0x0d3b45), Shore: p.Hex(0x4a8a80), MistTop: 0.25,
		Ripple: 0.05, Wave: 0.12, Seed: 5,
	}
	c := p.New(w, h)
	c.Fill(2, v.Light)
	return c.Develop(p.Finish{Exposure: 0.15, Contrast: 0.35, Colour: 1.12, Bloom: 0.05, Vignette: 0.18, Grain: 2,
		Seed: 7})
}
