package scenes

import (
	"image"
	"image/color"
	"math"

	p "github.com/imagefarm/imagefarm/testdata/gen/paint"
)

// Moon is the half moon through a telescope.
func Moon(w, h int) image.Image {
	n := p.Noise(1969)
	type crater struct{ v, r p.Vec }
	var craters []crater
	for i := range 700 {
		z := 2*n.Rand(i, 1) - 1
		a := 2 * math.Pi * n.Rand(i, 2)
		s := math.Sqrt(1 - z*z)
		size := 0.008 + 0.11*math.Pow(n.Rand(i, 3), 9) + 0.02*math.Pow(n.Rand(i, 4), 3)
		craters = append(craters, crater{p.Vec{X: s * math.Cos(a), Y: s * math.Sin(a), Z: z}, p.Vec{X: size}})
	}
	sun := p.Vec{X: -0.86, Y: 0.25, Z: 0.28}.Unit()
	const r = 0.42
	c := p.New(w, h)
	c.Fill(2, func(u, v float64) p.RGB {
		x, y := u/r, v/r
		d := x*x + y*y
		if d > 1 {
			return p.RGB{R: 0.003, G: 0.004, B: 0.008}.Add(p.RGB{R: 0.10, G: 0.10,
				B: 0.12}.Mul(0.25 * math.Exp(-(math.Sqrt(d)-1)*14)))
		}
		at := p.Vec{X: x, Y: y, Z: math.Sqrt(1 - d)}
		bx, by := 0.0, 0.0 // slope of the ground
		ray := 0.0
		for _, k := range craters {
			if k.v.Z < -0.1 {
				continue
			}
			dx, dy, dz := at.X-k.v.X, at.Y-k.v.Y, at.Z-k.v.Z
			q := math.Sqrt(dx*dx+dy*dy+dz*dz) / k.r.X
			if k.r.X > 0.07 && q < 9 {
				ray += 0.10 * math.Exp(-q*0.35) * math.Max((n+7).FBM(math.Atan2(dy, dx)*6, q*0.2, 2, 0.6), 0)
			}
			if q > 1.7 || q < 1e-3 {
				continue
			}
			// A bowl, a rim, a slope outside.
			s := 0.0
			switch {
			case q < 0.92:
				s = 1.2 * p.Smooth(0.3, 0.85, q) * p.Smooth(0.98, 0.88, q)
			default:
				s = -0.9 * p.Smooth(0.92, 1.02, q) * p.Smooth(1.7, 1.0, q)
			}
			bx += s * dx / (q * k.r.X)
			by += s * dy / (q * k.r.X)
		}
		e := 0.01
		rough := func(x, y float64) float64 { return 0.020 * n.FBM(x*9, y*9, 6, 0.6) }
		bx += (rough(x+e, y) - rough(x, y)) / e * 0.8
		by += (rough(x, y+e) - rough(x, y)) / e * 0.8
		nor := p.Vec{X: at.X - bx*0.5, Y: at.Y - by*0.5, Z: at.Z}.Unit()
		seas := p.Smooth(0.02, 0.40, n.FBM(x*1.15+5, y*1.15+3, 5, 0.5)+0.10)
		albedo := 0.85 - 0.42*seas + 0.08*n.FBM(x*14, y*14, 4, 0.6) + ray
		light := math.Max(nor.Dot(sun), 0) * p.Smooth(-0.06, 0.12, at.Dot(sun))
		return p.Mix(p.RGB{R: 0.95, G: 0.93, B: 0.88}, p.RGB{R: 0.88, G: 0.92, B: 1.0},
			seas).Mul(albedo*light*1.5 + 0.002)
	})
	return c.Develop(p.Finish{Exposure: 0.15, Contrast: 0.3, Bloom: 0.08, Grain: 1.2, Seed: 43})
}

// Postcard is a picture on paper with a white border, turned a little, with its shadow, on nothing.
func Postcard(w, h int) image.Image {
	inner := TropicalBay(w, h*3/4)
	ib := inner.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	const turn = -0.09
	hw, hh := 0.585, 0.41 // half of the paper, in the picture's height
	sample := func(u, v float64) (r, g, b, a float64) {
		x, y := u*math.Cos(turn)+v*math.Sin(turn), v*math.Cos(turn)-u*math.Sin(turn)
		if math.Abs(x) < hw && math.Abs(y) < hh {
			px, py := x/(hw-0.035), y/(hh-0.035)
			if math.Abs(px) < 1 && math.Abs(py) < 1 {
				c := inner.At(int((px+1)/2*float64(ib.Dx()-1)), int((1-py)/2*float64(ib.Dy()-1)))
				cr, cg, cb, _ := c.RGBA()
				return float64(cr) / 65535, float64(cg) / 65535, float64(cb) / 65535, 1
			}
			k := 0.955 + 0.02*(y+x)
			return k, k, k * 0.975, 1
		}
		dx, dy := math.Max(math.Abs(x-0.012)-hw+0.02, 0), math.Max(math.Abs(y+0.018)-hh+0.02, 0)
		return 0.05, 0.05, 0.08, 0.42 * math.Exp(-(dx*dx+dy*dy)*1500)
	}
	p.Rows(h, func(j int) {
		for i := range w {
			var r, g, b, a float64
			for s := range 16 {
				u := (float64(i) + (float64(s%4)+0.5)/4 - float64(w)/2) / float64(h)
				v := 0.5 - (float64(j)+(float64(s/4)+0.5)/4)/float64(h)
				sr, sg, sb, sa := sample(u, v)
				r, g, b, a = r+sr*sa, g+sg*sa, b+sb*sa, a+sa
			}
			if a < 0.05 {
				continue
			}
			q := func(v float64) uint8 { return uint8(p.Clamp(v/a, 0, 1)*255 + 0.5) }
			out.SetNRGBA(i, j, color.NRGBA{q(r), q(g), q(b), uint8(a/16*255 + 0.5)})
		}
	})
	return out
}

// Poster is a sunrise over hills in a few flat colours, as travel posters are printed.
func Poster(w, h int) image.Image {
	n := p.Noise(1936)
	band := []uint32{0xfbe3b5, 0xf8cf8f, 0xf3b56d, 0xe99457, 0xdb744f}
	hills := []uint32{0xb65a52, 0x8c4a58, 0x643d58, 0x432f4f, 0x2a2140}
	c := p.New(w, h)
	c.Fill(3, func(u, v float64) p.RGB {
		d := math.Hypot(u-0.12, v-0.17)
		col := p.Hex(0xfff6dc)
		if d > 0.125 {
			col = p.Hex(band[min(int(math.Pow((d-0.1)*1.55, 0.8)*5), 4)])
		}
		for i := range hills {
			f := float64(i)
			line := 0.06 - 0.13*f + (0.17-0.015*f)*n.FBM(u*(1.5+0.35*f)+f*7, f*3, 5-i, 0.5)
			if i < 2 {
				line += 0.09 * (n+9).Ridged(u*1.6+f*4, f, 4, 0.5)
			}
			if v < line {
				col = p.Hex(hills[i])
			}
			if i < 3 {
				continue
			}
			cell := int(math.Floor(u * 26))
			for k := cell - 1; k <= cell+1; k++ {
				m := n + p.Noise(i*50)
				x := (float64(k) + 0.5 + 0.7*(m.Rand(k, 1)-0.5)) / 26
				foot := 0.05 - 0.13*f + (0.17-0.015*f)*n.FBM(x*(1.5+0.35*f)+f*7, f*3, 5-i, 0.5)
				tall := (0.05 + 0.07*m.Rand(k, 2)) * (f - 2)
				b := (v - foot) / tall
				if m.Rand(k, 3) > 0.35 && b > 0 && b < 1 && math.Abs(u-x)/tall < 0.17*(1-b)*(0.6+0.5*math.Mod(b*5, 1)) {
					col = p.Hex(hills[i])
				}
			}
		}
		return col
	})
	return c.Develop(p.Finish{})
}
