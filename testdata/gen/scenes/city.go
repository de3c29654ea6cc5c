package scenes

import (
	"image"
	"math"

	p "github.com/imagefarm/imagefarm/testdata/gen/paint"
)

// house is one building of a row: where it stands, how high, how it is lit.
type house struct {
	left, right, top float64
	spire            float64
	lit              float64 // how many of its windows are
	cols, rows       float64 // windows in the unit of height
	tint             p.RGB
	kind             int
}

// row builds a row of houses from left to right.
func row(n p.Noise, tall, wide, lit float64, shape func(x float64) float64) []house {
	var out []house
	x := -1.1
	for i := 0; x < 1.1; i++ {
		w := wide * (0.45 + 1.0*n.Rand(i, 1))
		h := tall * (0.25 + 0.85*n.Rand(i, 2)*n.Rand(i, 3) + 0.15*n.Rand(i, 4)) * shape(x+w/2)
		b := house{left: x, right: x + w, top: h, lit: lit * (0.25 + n.Rand(i, 5)), kind: int(n.Rand(i, 9) * 4)}
		b.cols, b.rows = 95+70*n.Rand(i, 6), 85+55*n.Rand(i, 7)
		b.tint = []p.RGB{p.Hex(0xffd596), p.Hex(0xffe9c4), p.Hex(0xdfeaff), p.Hex(0xffc070)}[int(n.Rand(i, 8)*4)]
		if n.Rand(i, 10) > 0.72 && w < wide*1.1 {
			b.spire = h * (0.12 + 0.22*n.Rand(i, 11))
		}
		out = append(out, b)
		x += w * (0.94 + 0.25*n.Rand(i, 12))
	}
	return out
}

// at tells what of the row is at a point, v from the ground.
func at(houses []house, n p.Noise, u, v float64, wall, sky p.RGB) (p.RGB, float64) {
	for i, b := range houses {
		if u < b.left || u >= b.right {
			continue
		}
		mid, half := (b.left+b.right)/2, (b.right-b.left)/2
		top := b.top
		inset := 0.0
		switch b.kind {
		case 1: // setbacks
			if v > top*0.82 {
				inset = half * 0.28
			}
			if v > top*0.93 {
				inset = half * 0.55
			}
		case 2: // a slanting roof
			top -= (u - b.left) * 0.5
		}
		if v > top || math.Abs(u-mid) > half-inset {
			if b.spire > 0 && v < top+b.spire && math.Abs(u-mid) < 0.0028*(1-(v-top)/b.spire)+0.0007 {
				return wall, 1
			}
			return p.RGB{}, 0
		}
		face := 0.85 + 0.3*n.Rand(i, 20)
		if u > mid+half*0.25 {
			face *= 0.72
		}
		col := p.Mix(wall, sky, 0.10*v/b.top).Mul(face)
		cx, cy := (u-b.left)*b.cols, v*b.rows
		fx, fy := cx-math.Floor(cx), cy-math.Floor(cy)
		if v < top-0.008 && fx > 0.22 && fx < 0.80 && fy > 0.25 && fy < 0.80 && u > b.left+0.004 && u < b.right-0.004 {
			k := n.Rand(int(cx)+i*71, int(cy)+i*37)
			floor := n.Rand(i*53+7, int(cy))
			if k < b.lit || floor > 1-b.lit*0.12 {
				col = b.tint.Mul(0.45 + 1.9*math.Pow(n.Rand(int(cx)+i*11, int(cy)+99), 2.2))
			} else {
				col = p.Mix(col.Mul(0.7), sky, 0.12)
			}
		}
		return col, 1
	}
	return p.RGB{}, 0
}

// Skyline is a city across a river at dusk, seen in the water.
func Skyline(w, h int) image.Image {
	n := p.Noise(1871)
	hump := func(x float64) float64 {
		return 0.45 + 0.9*math.Exp(-math.Pow((x-0.18)/0.34, 2)) + 0.5*math.Exp(-math.Pow((x+0.55)/0.2, 2))
	}
	back := row(n, 0.30, 0.062, 0.25, hump)
	mid := row(n+40, 0.34, 0.075, 0.36, hump)
	front := row(n+80, 0.17, 0.09, 0.45, func(float64) float64 { return 1 })
	high, low, glow := p.Hex(0x1d2a57), p.Hex(0xef8f5f), p.Hex(0xffb36b)
	sky := func(u, v float64) p.RGB {
		c := p.Mix(low, p.Hex(0x9a5a86), p.Smooth(0.0, 0.22, v))
		c = p.Mix(c, high, p.Smooth(0.10, 0.50, v))
		cloud := p.Smooth(-0.05, 0.55, n.FBM(u*1.5+4, v*7+u*0.5, 6, 0.55))
		lit := p.Mix(p.Hex(0xff9a78), p.Hex(0x51476e), p.Smooth(0.05, 0.40, v+0.05*n.FBM(u*5, v*20, 3, 0.5)))
		c = p.Mix(c, lit, cloud*0.75)
		return c.Add(glow.Mul(0.55 * math.Exp(-math.Pow(u+0.15, 2)*3-v*9)))
	}
	town := func(u, v float64) p.RGB {
		c := sky(u, v)
		if col, a := at(back, n, u, v, p.Hex(0x6b567a), low); a > 0 {
			c = p.Mix(col, c, 0.45)
		}
		if col, a := at(mid, n+1, u, v, p.Hex(0x2c2a47), low); a > 0 {
			c = p.Mix(col, c, 0.12)
		}
		if col, a := at(front, n+2, u, v, p.Hex(0x17182c), low); a > 0 {
			c = col
		}
		if v < 0.012 { // the embankment and its lamps
			c = p.Hex(0x0e0f1c)
			lamp := math.Abs(u*22-math.Round(u*22)) / 22
			c = c.Add(p.Hex(0xffc978).Mul(2.6 * math.Exp(-math.Pow(lamp/0.0026, 2)-math.Pow((v-0.0075)/0.003, 2))))
		}
		return c
	}
	return river(w, h, n, -0.13, town, p.Hex(0x0d1226), p.Finish{
		Exposure: 0.15, Contrast: 0.35, Colour: 1.1, Bloom: 0.3, Vignette: 0.25, Grain: 2.2, Seed: 33})
}

// river shows the town above a shore and in the water under it.
func river(w, h int, n p.Noise, shore float64, town func(u, v float64) p.RGB, deep p.RGB, f p.Finish) image.Image {
	c := p.New(w, h)
	c.Fill(3, func(u, v float64) p.RGB {
		if v >= shore {
			return town(u, v-shore)
		}
		d := shore - v
		// Waves smear lights upright: more of them further from the shore.
		q := d * 60 / (0.10 + d)
		shake := 0.004 + 0.085*d
		x := u + shake*0.35*n.FBM(u*9/(0.3+d), q*3, 3, 0.6)
		var sum p.RGB
		for k := range 3 {
			y := d*1.02 + shake*(1.5*(n+4).FBM(u*6/(0.3+d), q*2.6+float64(k)*0.13, 3, 0.6)+float64(k-1)*0.35)
			sum = sum.Add(town(x, math.Max(y, 0.001)))
		}
		facing := 0.74 - 0.35*p.Smooth(0, 0.4, d)
		return p.Mix(deep, sum.Mul(1.0/3), facing)
	})
	return c.Develop(f)
}

// NightRiver is the same kind of city at midnight, with a bridge and the moon.
func NightRiver(w, h int) image.Image {
	n := p.Noise(77)
	hump := func(x float64) float64 {
		return 0.5 + 0.8*math.Exp(-math.Pow((x+0.35)/0.3, 2)) + 0.35*math.Exp(-math.Pow((x-0.6)/0.25, 2))
	}
	back := row(n, 0.33, 0.07, 0.45, hump)
	front := row(n+90, 0.19, 0.085, 0.55, hump)
	sky := &p.Sky{
		Zenith: p.Hex(0x070c1e), Horizon: p.Hex(0x3a3550), Fall: 4, Sun: p.Direction(21, 22),
		SunColour: p.RGB{R: 0.95, G: 0.95, B: 0.85},
		Disc:      1.7, Moon: true, Glow: 0.25, Stars: 0.6, Seed: 9,
		Clouds: []p.Clouds{{Cover: 0.33, Scale: 0.7, Streak: 3, Light: p.Hex(0x5c5a78), Shade: p.Hex(0x1d1f38),
			Seed: 12, Soft: 0.6}},
	}
	town := func(u, v float64) p.RGB {
		c := sky.At(p.Vec{X: u, Y: v * 0.95, Z: 1.05}.Unit())
		c = c.Add(p.Hex(0xd8935a).Mul(0.28 * math.Exp(-v*7)))
		if col, a := at(back, n, u, v, p.Hex(0x16182c), p.Hex(0x3a3550)); a > 0 {
			c = p.Mix(col, c, 0.10)
		}
		if col, a := at(front, n+2, u, v, p.Hex(0x0b0c18), p.Hex(0x3a3550)); a > 0 {
			c = col
		}
		if b, a := bridge(u, v); a > 0 {
			c = b
		}
		if v < 0.008 {
			c = p.Hex(0x07080f)
			lamp := math.Abs(u*26-math.Round(u*26)) / 26
			c = c.Add(p.Hex(0xffb04e).Mul(4 * math.Exp(-math.Pow(lamp/0.0024, 2)-math.Pow((v-0.006)/0.003, 2))))
		}
		return c
	}
	return river(w, h, n+3, -0.16, town, p.Hex(0x03060e), p.Finish{
		Exposure: 0.65, Contrast: 0.35, Colour: 1.08, Bloom: 0.5, Vignette: 0.3, Grain: 3, Seed: 35})
}

// bridge hangs from two towers at the right, strung with lamps.
func bridge(u, v float64) (p.RGB, float64) {
	if u < 0.02 {
		return p.RGB{}, 0
	}
	const deck, top = 0.055, 0.245
	steel := p.Hex(0x1b2030)
	towers := []float64{0.22, 0.72}
	for _, x := range towers {
		d := math.Abs(u - x)
		if v < top && d < 0.012 && (d > 0.006 || v < deck || int(v*36)%3 == 0) {
			return steel.Add(p.Hex(0xffb060).Mul(0.25 * math.Exp(-math.Abs(v-deck)*14))), 1
		}
	}
	// The main cable sags between the towers and falls to the banks.
	var cable float64
	switch {
	case u < towers[0]:
		cable = deck + (top-deck)*math.Pow((u-0.02)/(towers[0]-0.02), 1.6)
	default:
		t := (u - towers[0]) / (towers[1] - towers[0])
		cable = deck + 0.02 + (top-deck-0.02)*math.Pow(2*t-1, 2)
		if t > 1 {
			cable = top - (t-1)*0.6
		}
	}
	lamp := math.Abs(u*70-math.Round(u*70)) / 70
	shine := math.Exp(-math.Pow(lamp/0.0016, 2) - math.Pow((v-cable)/0.0020, 2))
	if math.Abs(v-cable) < 0.0016 {
		return steel.Add(p.Hex(0xfff0c8).Mul(5 * shine)), 1
	}
	if math.Abs(v-deck) < 0.006 {
		red := math.Exp(-math.Pow((u*31-math.Round(u*31))/31/0.0022, 2))
		return steel.Add(p.Hex(0xffb454).Mul(1.6 * red)), 1
	}
	if v > deck && v < cable && math.Abs(u*64-math.Round(u*64))/64 < 0.0006 {
		return steel, 0.8
	}
	return p.RGB{}, 0
}

// RainWindow is a street at night behind a wet window.
func RainWindow(w, h int) image.Image {
	n := p.Noise(515)
	back := p.New(w, h)
	back.Fill(1, func(u, v float64) p.RGB {
		return p.Mix(p.Hex(0x171a2e), p.Hex(0x4a3550), p.Smooth(-0.1, 0.4, v+0.2*n.FBM(u*2, v*2, 3, 0.5))).Mul(0.8)
	})
	tints := []uint32{0xff9a3c, 0xffc46b, 0xff5a3c, 0x5ab4ff, 0xff4f6e, 0x58e0b0, 0xffe0a8, 0xff8a2a}
	for i := range 130 {
		x := (n.Rand(i, 1) - 0.5) * 1.8
		y := -0.28 + 0.55*n.Rand(i, 2)*n.Rand(i, 3)
		if i%3 == 0 {
			y = -0.18 + 0.05*n.Rand(i, 6)
		}
		r := 0.020 + 0.030*n.Rand(i, 4)
		tint := p.Hex(tints[int(n.Rand(i, 5)*float64(len(tints)))])
		power := 0.25 + 1.1*math.Pow(n.Rand(i, 7), 2)
		splat(back, x, y, r*1.1, func(u, v float64) (p.RGB, float64) {
			d := math.Hypot(u, v) / r
			return tint.Mul(power * (1 + 0.35*p.Smooth(0.6, 0.95, d))), 0.62 * p.Smooth(1.04, 0.94, d)
		})
		// Its gleam on the wet street.
		splat(back, x, -0.40-0.06*n.Rand(i, 8), 0.14, func(u, v float64) (p.RGB, float64) {
			return tint.Mul(power * 0.7), 0.4 * math.Exp(-math.Pow(u/(r*0.8), 2)-math.Pow(v/0.06, 2))
		})
	}
	sharp := back.Clone()
	back.Blur(float64(h) / 90)
	c := back.Clone()
	for i := range 900 {
		m := n + 50
		x, y := (m.Rand(i, 1)-0.5)*1.8, m.Rand(i, 2)-0.5
		r := 0.0025 + 0.0125*math.Pow(m.Rand(i, 3), 4)
		if i < 26 { // some run down and leave a trail
			r = 0.009 + 0.006*m.Rand(i, 5)
			trail(c, sharp, m+p.Noise(i), x, y, r)
		}
		drop(c, sharp, m+p.Noise(i), x, y, r)
	}
	return c.Develop(p.Finish{Exposure: 0.7, Contrast: 0.4, Colour: 1.08, Bloom: 0.25, Vignette: 0.35, Grain: 2.4,
		Seed: 37})
}

// drop shows the street behind it small and upside down.
func drop(c, behind *p.Canvas, n p.Noise, x, y, r float64) {
	h := float64(c.H)
	splat(c, x, y, r*1.3, func(u, v float64) (p.RGB, float64) {
		v *= 0.88
		d := math.Hypot(u, v) / r * (1 + 0.25*n.FBM(u/r*0.8+3, v/r*0.8, 2, 0.5))
		if d > 1.02 {
			return p.RGB{}, 0
		}
		k := 9 * (0.4 + d*d)
		col := behind.At(int((x-u*k)*h+float64(c.W)/2), int((0.5-(y-v*k))*h))
		col = col.Mul(1.15 - 0.75*p.Smooth(0.65, 1, d))
		col = col.Add(p.RGB{R: 0.5, G: 0.5, B: 0.6}.Mul(0.7 * math.Exp(-math.Pow(math.Hypot(u/r+0.3,
			v/r-0.45)/0.18, 2))))
		return col, p.Smooth(1.02, 0.9, d)
	})
}

func trail(c, behind *p.Canvas, n p.Noise, x, y, r float64) {
	for k := range 46 {
		t := float64(k) / 46
		drop(c, behind, n+p.Noise(k), x+0.006*n.FBM(t*3, 1, 2, 0.5)+(n.Rand(k, 1)-0.5)*r*0.4,
			y+t*(0.25+0.3*n.Rand(1, 1)), r*(0.12+0.35*n.Rand(k, 2)*(1-t)))
	}
}
