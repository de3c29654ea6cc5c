package paint

import "math"

// Sky is the light from above the horizon.
type Sky struct {
	Zenith, Horizon RGB
	Fall            float64 // how fast the horizon's colour gives way; 0 means 3
	Sun             Vec     // direction
	SunColour       RGB
	Glow            float64 // of the air around the sun
	Disc            float64 // the sun's or moon's radius in degrees; 0 for none in sight
	Moon            bool    // the disc is a moon with its seas
	Clouds          []Clouds
	Stars           float64 // brightness
	MilkyWay        float64
	Aurora          float64
	Seed            Noise
}

// Clouds are one layer of cloud.
type Clouds struct {
	Cover  float64 // 0 none to 1 closed
	Soft   float64 // width of the edge; 0 means 0.35
	Scale  float64 // size against the height of the layer; larger is finer
	Light  RGB
	Shade  RGB
	Streak float64 // how much they are drawn out; 1 for heaps, 4 for wisps
	Seed   Noise
	Thick  float64 // how dark their undersides get; 0 means 1
}

// At is the light that comes from a direction.
func (s *Sky) At(d Vec) RGB {
	h := math.Max(d.Y, 0)
	fall := s.Fall
	if fall == 0 {
		fall = 3
	}
	c := Mix(s.Horizon, s.Zenith, 1-math.Pow(1-h, fall))
	near := math.Max(d.Dot(s.Sun), 0)
	if s.Stars > 0 {
		c = c.Add(s.stars(d).Mul(s.Stars * Smooth(0, 0.25, h)))
	}
	if s.MilkyWay > 0 {
		c = c.Add(s.milkyWay(d).Mul(s.MilkyWay))
	}
	if s.Aurora > 0 {
		c = c.Add(s.aurora(d).Mul(s.Aurora))
	}
	glow := s.Glow * (0.10*math.Pow(near, 4) + 0.22*math.Pow(near, 24) + 0.5*math.Pow(near, 180) +
		0.9*math.Pow(near, 1500))
	c = c.Add(s.SunColour.Mul(glow))
	if s.Disc > 0 {
		c = s.disc(c, d, near)
	}
	for i := len(s.Clouds) - 1; i >= 0; i-- {
		c = s.Clouds[i].over(c, d, s, near)
	}
	return c
}

func (s *Sky) disc(c RGB, d Vec, near float64) RGB {
	angle := math.Acos(math.Min(near, 1)) * 180 / math.Pi / s.Disc
	if angle > 1.05 {
		return c
	}
	edge := Smooth(1.03, 0.97, angle)
	if !s.Moon {
		return c.Add(s.SunColour.Mul(14 * edge))
	}
	right := Vec{s.Sun.Z, 0, -s.Sun.X}.Unit()
	k := 180 / math.Pi / s.Disc
	x, y := d.Dot(right)*k, (d.Y-s.Sun.Y)*k
	seas := Smooth(0.0, 0.5, s.Seed.FBM(x*1.3+4, y*1.3+9, 4, 0.55)+0.1)
	fine := s.Seed.FBM(x*7, y*7, 4, 0.6)
	body := s.SunColour.Mul((1.5 - 0.65*seas + 0.15*fine) * (0.75 + 0.25*math.Sqrt(math.Max(1-x*x-y*y, 0))))
	return Mix(c, body, edge)
}

func (l *Clouds) over(c RGB, d Vec, s *Sky, near float64) RGB {
	if d.Y < 0.004 {
		return c
	}
	soft, streak, thick := l.Soft, l.Streak, l.Thick
	if soft == 0 {
		soft = 0.35
	}
	if streak == 0 {
		streak = 1
	}
	if thick == 0 {
		thick = 1
	}
	k := l.Scale / (d.Y + 0.09)
	x, y := d.X*k/streak, d.Z*k
	wx, wy := 0.8*l.Seed.FBM(x*0.7+9, y*0.7, 3, 0.5), 0.8*l.Seed.FBM(x*0.7, y*0.7+5, 3, 0.5)
	v := (l.Seed + 40).FBM(x+wx, y+wy, 7, 0.53)
	lo := 0.55 - 1.1*l.Cover
	a := Smooth(lo, lo+soft*1.4, v)
	if a <= 0 {
		return c
	}
	// Thicker towards the sun means that this place lies in shade.
	step := 0.28
	sun := Vec{s.Sun.X, 0, s.Sun.Z}
	if n := math.Hypot(sun.X, sun.Z); n > 0 {
		sun = sun.Scale(1 / n)
	}
	ahead := (l.Seed + 40).FBM(x+wx+sun.X*step/streak-d.X*0.05, y+wy+sun.Z*step-0.05, 7, 0.53)
	light := Clamp(0.62+(v-ahead)*1.1-(v-lo)*0.42*thick, 0, 1)
	body := Mix(l.Shade, l.Light, light)
	// Thin cloud near the sun shines.
	body = body.Add(s.SunColour.Mul(s.Glow * (1 - a*0.75) * (0.9*math.Pow(near, 14) + 1.6*math.Pow(near, 90))))
	return Mix(c, body, a*Smooth(0.004, 0.12, d.Y))
}

func (s *Sky) stars(d Vec) RGB {
	var c RGB
	az, el := math.Atan2(d.X, d.Z), math.Asin(d.Y)
	for layer := range 3 {
		n := s.Seed + Noise(layer*7)
		k := []float64{60, 130, 240}[layer]
		x, y := az*k*math.Cos(math.Floor(el*8)/8), el*k
		ix, iy := int(math.Floor(x)), int(math.Floor(y))
		if n.Rand(ix, iy) > []float64{0.06, 0.12, 0.22}[layer] {
			continue
		}
		sx := float64(ix) + 0.2 + 0.6*(n+1).Rand(ix, iy)
		sy := float64(iy) + 0.2 + 0.6*(n+2).Rand(ix, iy)
		r := math.Hypot(x-sx, y-sy)
		bright := math.Pow((n+3).Rand(ix, iy), 7)*[]float64{2.6, 1.4, 0.7}[layer] + 0.05
		size := []float64{0.075, 0.11, 0.16}[layer]
		hue := (n + 4).Rand(ix, iy)
		col := Mix(RGB{1, 0.82, 0.62}, RGB{0.7, 0.82, 1}, hue)
		c = c.Add(col.Mul(bright * math.Exp(-r*r/(size*size)) * 1.6))
	}
	return c
}

func (s *Sky) milkyWay(d Vec) RGB {
	axis := Vec{0.75, 0.42, -0.5}.Unit()
	off := d.Dot(axis)
	az := math.Atan2(d.X, d.Z)
	warp := (s.Seed + 60).FBM(az*2, d.Y*3, 4, 0.55)
	band := math.Exp(-math.Pow((off+warp*0.06)/0.17, 2))
	core := math.Exp(-math.Pow((off+warp*0.05)/0.075, 2))
	dust := Smooth(-0.05, 0.55, (s.Seed+70).FBM(az*4+off*3, d.Y*7, 6, 0.58)+0.22*core)
	glow := (s.Seed + 80).FBM(az*5, d.Y*5, 5, 0.6)
	c := RGB{0.30, 0.34, 0.50}.Mul(band * 0.16 * (1 + glow*0.5))
	c = c.Add(RGB{0.75, 0.56, 0.46}.Mul(core * 0.22 * (1 + glow)))
	return c.Mul((1 - 0.72*dust*core) * Smooth(-0.02, 0.25, d.Y))
}

func (s *Sky) aurora(d Vec) RGB {
	if d.Y < 0.01 {
		return RGB{}
	}
	var c RGB
	for i := range 3 {
		n := s.Seed + Noise(90+i*11)
		az := math.Atan2(d.X, d.Z)
		// The curtain's foot wanders; its folds are dense rays.
		foot := 0.13 + 0.09*float64(i) + 0.09*n.FBM(az*1.4+float64(i)*3, 0.5, 3, 0.5)
		up := d.Y - foot
		fold := az*9 + 1.5*n.FBM(az*3, d.Y*1.5, 3, 0.5)
		rays := 0.45 + 0.75*math.Max(n.FBM(fold*1.3, d.Y*0.6, 4, 0.62)+0.25, 0)
		body := Smooth(-0.015, 0.03, up) * math.Exp(-math.Max(up, 0)*(6.5+2*float64(i)))
		wide := Smooth(-0.6, 0.5, n.FBM(az*0.9+7, 2, 2, 0.5)+0.25)
		col := Mix(RGB{0.10, 0.95, 0.42}, RGB{0.55, 0.16, 0.75}, Smooth(0.04, 0.36, up))
		c = c.Add(col.Mul(rays * body * wide * (1 - 0.2*float64(i))))
	}
	return c
}
