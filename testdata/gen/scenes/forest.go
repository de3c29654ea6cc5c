package scenes

import (
	"image"
	"math"

	p "github.com/imagefarm/imagefarm/testdata/gen/paint"
)

// spruce tells how much of a point (a: across, b: from the foot, in heights) a spruce covers.
func spruce(n p.Noise, id int, a, b float64) float64 {
	if b < 0 || b > 1 || math.Abs(a) > 0.3 {
		return 0
	}
	if math.Abs(a) < 0.010*(1.02-b) {
		return 1
	}
	down := 1 - b
	tiers := 15 + 6*n.Rand(id, 3)
	side := 0
	if a > 0 {
		side = 1
	}
	// Branches hang: the edge is a saw whose teeth point down and out, no two alike.
	q := down*tiers + 2.0*math.Abs(a)*tiers*-0.35 + float64(side)*0.5
	tier := math.Floor(q)
	tooth := q - tier
	reach := (0.004 + 0.20*math.Pow(down, 0.80)) * (0.62 + 0.5*n.Rand(id*31+int(tier), side)) * (0.55 + 0.45*tooth)
	reach *= 1 + 0.5*n.FBM(a*90+float64(id)*9, b*90, 2, 0.6)
	if b < 0.05 {
		reach *= b / 0.05
	}
	return p.Smooth(reach, reach*0.8, math.Abs(a))
}

// FoggyPines are ranks of spruces that fade into the morning fog.
func FoggyPines(w, h int) image.Image {
	n := p.Noise(5150)
	light := p.Hex(0xf3e3cf)
	c := p.New(w, h)
	c.Fill(1, func(u, v float64) p.RGB {
		d := math.Hypot(u-0.28, v-0.30)
		cloud := 0.5 + 0.5*n.FBM(u*2, v*5, 6, 0.55)
		sky := p.Mix(p.Hex(0x93a9bd), light, p.Smooth(0.75, 0, d)).Mul(0.82 + 0.3*cloud)
		return sky.Add(p.RGB{R: 1, G: 0.8, B: 0.5}.Mul(0.9 * math.Exp(-d*d*38)))
	})
	const ranks = 9
	for r := range ranks {
		near := float64(r) / (ranks - 1)
		size := 0.11 + 0.62*math.Pow(near, 2.2)
		foot := 0.13 - 0.72*math.Pow(near, 1.15)
		ink := p.Mix(p.Hex(0xaab4ba), p.Hex(0x10201a), p.Smooth(-0.05, 1.1, near))
		m := n + p.Noise(r*17)
		spacing := size * (0.20 + 0.12*near)
		c.Over(2, func(u, v float64) (p.RGB, float64) {
			slope := 0.16*m.FBM(u*1.3+float64(r)*5, 1, 3, 0.5) + 0.10*u*math.Sin(float64(r)*2.3)
			cell := int(math.Floor(u / spacing))
			cover := 0.0
			for k := cell - 2; k <= cell+2; k++ {
				x := (float64(k) + 0.2 + 0.6*m.Rand(k, 1)) * spacing
				tall := size * (0.45 + 0.7*m.Rand(k, 2))
				ground := foot + 0.16*m.FBM(x*1.3+float64(r)*5, 1, 3, 0.5) + 0.10*x*math.Sin(float64(r)*2.3)
				cover = math.Max(cover, spruce(m, k, (u-x)/tall, (v-ground)/tall))
			}
			if v < foot+slope+0.01 {
				cover = 1
			}
			// Fog lies about the feet and drifts.
			fog := p.Smooth(foot+slope+size*0.75, foot+slope-0.05, v) * (0.85 - 0.55*near) * (0.8 +
				0.5*m.FBM(u*2.2, v*5, 4, 0.5))
			col := p.Mix(ink, p.Mix(p.Hex(0xb9c0c2), light, p.Smooth(0.9, 0, math.Abs(u-0.25))*0.7), p.Clamp(fog,
				0, 0.95))
			return col, cover
		})
		if r < ranks-1 {
			drift(c, m+3, foot, light, near)
		}
	}
	return c.Develop(p.Finish{Exposure: 0.0, Contrast: 0.3, Colour: 1.15, Bloom: 0.2, Vignette: 0.3, Grain: 2.4,
		Seed: 6})
}

// drift lays a veil of fog over what has been painted.
func drift(c *p.Canvas, n p.Noise, level float64, light p.RGB, near float64) {
	c.Over(1, func(u, v float64) (p.RGB, float64) {
		f := p.Smooth(-0.35, 0.6, n.FBM(u*1.6, v*5, 5, 0.55))
		a := f * math.Exp(-math.Pow((v-level+0.06)/0.09, 2)) * (0.95 - 0.55*near)
		return p.Mix(p.Hex(0xc3c9cb), light, p.Smooth(0.8, 0, math.Abs(u-0.28))), a
	})
}

// AutumnLake is a still lake before a wood in October.
func AutumnLake(w, h int) image.Image {
	n := p.Noise(1010)
	c := p.New(w, h)
	const shore = -0.06
	c.Fill(2, func(u, v float64) p.RGB {
		if v >= shore {
			return autumn(n, u, v-shore)
		}
		// The lake: the same wood upside down, shaken and darker, with the sky's shine near the edge.
		d := shore - v
		shake := 0.004 + 0.05*d
		x := u + shake*n.FBM(u*7, d*85/(0.25+d), 3, 0.6)
		y := d*1.08 + shake*1.6*(n+4).FBM(u*5, d*70/(0.25+d), 3, 0.6)
		col := autumn(n, x, math.Max(y, 0)).Times(p.RGB{R: 0.70, G: 0.76, B: 0.82})
		col = p.Mix(col, p.Hex(0x10202c), 0.18+0.4*p.Smooth(0.1, 0.5, d))
		mist := math.Exp(-d * 45)
		return p.Mix(col, p.Hex(0xdfe3e4), 0.35*mist)
	})
	leaves(c, n+70, shore)
	return c.Develop(p.Finish{Exposure: 0.1, Contrast: 0.45, Colour: 1.1, Bloom: 0.08, Vignette: 0.25, Grain: 2,
		Seed: 9})
}

// autumn is the wood and the sky above the shore; v counts from the shore.
func autumn(n p.Noise, u, v float64) p.RGB {
	cloud := p.Smooth(-0.15, 0.6, n.FBM(u*1.8+2, v*4.5, 6, 0.55))
	col := p.Mix(p.Mix(p.Hex(0xa8c6e6), p.Hex(0x4f86c6), p.Smooth(0.1, 0.55, v)), p.Hex(0xf6f3ee), cloud*0.85)
	hill := 0.20 + 0.09*n.FBM(u*1.4+8, 3, 4, 0.5) + 0.012*n.FBM(u*22, 3, 3, 0.6)
	if v < hill {
		col = p.Mix(p.Hex(0x8093a8), p.Hex(0x7d7f6a), 0.4+0.6*n.FBM(u*30, v*40, 4, 0.6))
	}
	for row := range 4 {
		near := float64(row) / 3
		m := n + p.Noise(20+row*9)
		spacing := 0.055 + 0.035*near
		cell := int(math.Floor(u / spacing))
		for k := cell - 2; k <= cell+2; k++ {
			if a, body := crown(m, k, u, v, spacing, near); a > 0 {
				col = p.Mix(col, body, a)
			}
		}
	}
	bank := 0.010 + 0.012*n.FBM(u*6, 1, 4, 0.6) + 0.008*n.FBM(u*60, 4, 3, 0.6)
	if v < bank {
		reed := n.FBM(u*140, v*30, 3, 0.6)
		col = p.Mix(p.Hex(0x6d5a30), p.Hex(0x2d2618), p.Smooth(-0.5, 0.5, reed))
	}
	return col
}

// crown is one tree: a heap of lit clumps of leaves, or a dark spruce between them.
func crown(m p.Noise, k int, u, v, spacing, near float64) (float64, p.RGB) {
	x := (float64(k) + 0.15 + 0.7*m.Rand(k, 1)) * spacing
	tall := (0.13 + 0.085*m.Rand(k, 2)) * (1.35 - 0.5*near)
	haze := 0.30 * (1 - near)
	fog := p.Hex(0x9fb0bd)
	if m.Rand(k, 9) < 0.24 {
		a := spruce(m, k, (u-x)/(tall*1.35), v/(tall*1.35))
		return a, p.Mix(p.Hex(0x1c2d1e).Mul(0.8+0.6*m.FBM(u*60, v*60, 3, 0.6)), fog, haze)
	}
	wide := tall * (0.34 + 0.12*m.Rand(k, 3))
	mid := tall * 0.56
	a, b := (u-x)/wide, (v-mid)/(tall*0.47)
	rough := 0.55*m.FBM(u*28+float64(k)*7, v*28, 4, 0.6) + 0.15*m.FBM(u*110, v*110, 2, 0.6)
	d := math.Hypot(a, b) + rough*0.55
	cover := p.Smooth(1.0, 0.86, d)
	if cover == 0 {
		if math.Abs(u-x) < 0.0022 && v < mid {
			return 0.9, p.Mix(p.Hex(0x4a3b30), fog, haze)
		}
		return 0, p.RGB{}
	}
	hues := []uint32{0xd9781e, 0xe8b02c, 0xb8401f, 0xc9992e, 0x8f8a2c, 0xd35f1c, 0x9c2f22}
	leaf := p.Hex(hues[int(m.Rand(k, 4)*float64(len(hues)))%len(hues)])
	clump := m.FBM(u*40+float64(k)*3, v*40+1, 3, 0.6)
	light := p.Clamp(0.50-0.34*a+0.34*b+0.9*(clump-m.FBM((u+0.006)*40+float64(k)*3, (v-0.006)*40+1, 3, 0.6)), 0.05, 1.2)
	speck := 0.8 + 0.5*m.FBM(u*170, v*170, 2, 0.6)
	return cover, p.Mix(leaf.Mul((0.22+0.95*light)*speck), fog, haze)
}

// leaves float on the water near the viewer.
func leaves(c *p.Canvas, n p.Noise, shore float64) {
	for i := range 70 {
		depth := 0.10 + 0.36*math.Sqrt(n.Rand(i, 1))
		x, y := (n.Rand(i, 2)-0.5)*1.7, shore-depth
		size := 0.003 + 0.020*depth*depth*4*(0.4+n.Rand(i, 3))*0.5
		turn := n.Rand(i, 4) * math.Pi
		col := p.Mix(p.Hex(0xe0a02a), p.Hex(0xb23a18), n.Rand(i, 5))
		splat(c, x, y, size*1.2, func(u, v float64) (p.RGB, float64) {
			a, b := u/size, v/size*2.6
			a, b = a*math.Cos(turn)+b*math.Sin(turn), b*math.Cos(turn)-a*math.Sin(turn)
			if math.Abs(a) > 1 {
				return p.RGB{}, 0
			}
			edge := 0.5 * (1 - a*a) * (1 + 0.25*math.Sin(a*9))
			return col.Mul(0.8 + 0.4*p.Smooth(-0.02, 0.05, b)), p.Smooth(edge+0.02, edge*0.85-0.02, math.Abs(b)) * 0.95
		})
	}
}

// splat paints f, whose centre is at (x, y), over the pixels within r of it.
func splat(c *p.Canvas, x, y, r float64, f func(u, v float64) (p.RGB, float64)) {
	h := float64(c.H)
	cx, cy := x*h+float64(c.W)/2, (0.5-y)*h
	for j := max(int(cy-r*h-1), 0); j <= min(int(cy+r*h+1), c.H-1); j++ {
		for i := max(int(cx-r*h-1), 0); i <= min(int(cx+r*h+1), c.W-1); i++ {
			var sum p.RGB
			cover := 0.0
			for s := range 9 {
				px, py := float64(i)+(float64(s%3)+0.5)/3, float64(j)+(float64(s/3)+0.5)/3
				col, a := f((px-cx)/h, (cy-py)/h)
				sum = sum.Add(col.Mul(a / 9))
				cover += a / 9
			}
			q := &c.Pix[j*c.W+i]
			*q = q.Mul(1 - cover).Add(sum)
		}
	}
}
