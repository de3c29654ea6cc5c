package paint

import "math"

// View is a camera before a landscape.
type View struct {
	Sky     *Sky
	Ground  *Terrain
	Eye     Vec
	Azimuth float64 // degrees to the right
	Tilt    float64 // degrees up
	Zoom    float64 // 1 is a field of 53° over the picture's height
	Far     float64 // how far the eye reaches

	// Surface gives the colour of the ground at a place: up is the steepness (1 level), fine is noise for detail.
	Surface func(p Vec, normal Vec, hollow float64) RGB
	Bumps   float64 // height of the small unevenness that light sees
	Grain   float64 // its size

	Ambient  RGB     // light from the sky on the ground
	Sun      RGB     // light from the sun on the ground
	Haze     float64 // of the air, per unit of distance
	Mist     float64 // more of it near the ground
	MistTop  float64 // scale of its height
	MistBase float64 // where it is densest
	HazeCol  RGB     // zero takes the sky's colour at the horizon

	Water  float64 // level; anything under it is drowned. −Inf (or lower than the ground) for none
	Deep   RGB     // colour of the water itself
	Ripple float64 // slope of the waves
	Wave   float64 // their length
	Shore  RGB     // seen through shallow water
	Seed   Noise
}

// Light is what the camera sees at a place of the picture.
func (v *View) Light(px, py float64) RGB {
	zoom := v.Zoom
	if zoom == 0 {
		zoom = 1
	}
	d := Vec{px, py, zoom}.Unit()
	t := v.Tilt * math.Pi / 180
	d = Vec{d.X, d.Y*math.Cos(t) + d.Z*math.Sin(t), d.Z*math.Cos(t) - d.Y*math.Sin(t)}
	a := v.Azimuth * math.Pi / 180
	d = Vec{d.X*math.Cos(a) + d.Z*math.Sin(a), d.Y, d.Z*math.Cos(a) - d.X*math.Sin(a)}
	return v.trace(v.Eye, d, true)
}

func (v *View) trace(o, d Vec, first bool) RGB {
	water := math.Inf(1)
	if d.Y < 0 && o.Y > v.Water {
		water = (v.Water - o.Y) / d.Y
	}
	dist, hit := v.march(o, d, math.Min(water, v.Far))
	switch {
	case hit:
		return v.air(v.ground(o.Plus(d.Scale(dist)), dist), o, d, dist)
	case water < v.Far*4 && first:
		return v.air(v.sea(o, d, water), o, d, water)
	}
	c := v.Sky.At(d)
	if d.Y < 0.25 {
		return v.air(c, o, d, v.Far*Smooth(0.25, -0.02, d.Y)*0.8)
	}
	return c
}

// march walks the ray until it is under the ground.
func (v *View) march(o, d Vec, limit float64) (float64, bool) {
	if v.Ground == nil {
		return 0, false
	}
	cell := v.Ground.size / float64(v.Ground.n)
	t, last := cell, 0.0
	for t < limit {
		p := o.Plus(d.Scale(t))
		if p.Y > v.Ground.top && d.Y >= 0 {
			return 0, false
		}
		over := p.Y - v.Ground.Height(p.X, p.Z)
		if over < 0 {
			lo, hi := last, t
			for range 9 {
				m := (lo + hi) / 2
				q := o.Plus(d.Scale(m))
				if q.Y < v.Ground.Height(q.X, q.Z) {
					hi = m
				} else {
					lo = m
				}
			}
			return hi, true
		}
		last = t
		// A longer stride would step over the peaks.
		t += max(min(over*0.3, 0.3), cell*0.4+t*0.0018)
	}
	return 0, false
}

func (v *View) ground(p Vec, dist float64) RGB {
	n := v.Ground.Normal(p.X, p.Z, dist*0.0012)
	if v.Bumps > 0 {
		g := 1 / v.Grain
		e := 0.35 + dist*0.0015*g
		oct := 3
		at := func(x, z float64) float64 { return v.Seed.FBM(x*g, z*g, oct, 0.6) }
		b := at(p.X, p.Z)
		k := v.Bumps / (1 + dist*dist*g*g*0.00001)
		n = Vec{n.X - k*(at(p.X+e*v.Grain, p.Z)-b), n.Y, n.Z - k*(at(p.X, p.Z+e*v.Grain)-b)}.Unit()
	}
	hollow := v.Ground.Hollow(p.X, p.Z)
	c := v.Surface(p, n, hollow)
	sun := math.Max(n.Dot(v.Sky.Sun), 0)
	if v.Ground.shadow != nil {
		sun *= v.Ground.Lit(p.X, p.Z)
	}
	open := Clamp(0.85-hollow*0.9/(v.Ground.top*0.12+1e-9)*0.35, 0.35, 1.15)
	sky := v.Ambient.Mul((0.55 + 0.45*n.Y) * open)
	bounce := v.Sun.Mul(0.07 * math.Max(0.4-n.Dot(Vec{v.Sky.Sun.X, 0, v.Sky.Sun.Z})*0.6, 0))
	return c.Times(v.Sun.Mul(sun).Add(sky).Add(bounce))
}

func (v *View) air(c RGB, o, d Vec, dist float64) RGB {
	fog := v.HazeCol
	if fog == (RGB{}) {
		fog = v.Sky.Horizon
	}
	near := math.Max(d.Dot(v.Sky.Sun), 0)
	fog = fog.Add(v.Sky.SunColour.Mul(v.Sky.Glow * (0.10*math.Pow(near, 4) + 0.20*math.Pow(near, 24))))
	thick := dist * v.Haze
	if v.Mist > 0 {
		// The mist along the ray: an exponential atmosphere, integrated.
		k := d.Y / v.MistTop
		base := v.Mist * math.Exp(-(o.Y-v.MistBase)/v.MistTop)
		if math.Abs(k*dist) < 1e-4 {
			thick += base * dist
		} else {
			thick += base * (1 - math.Exp(-k*dist)) / k
		}
	}
	return Mix(fog, c, math.Exp(-thick))
}

func (v *View) sea(o, d Vec, dist float64) RGB {
	p := o.Plus(d.Scale(dist))
	n := v.waves(p, dist)
	r := d.Plus(n.Scale(-2 * d.Dot(n)))
	if r.Y < 0.003 {
		r.Y = 0.003
	}
	r = r.Unit()
	mirror := v.trace(p.Plus(Vec{0, 1e-4, 0}), r, false)
	cos := Clamp(-d.Dot(n), 0, 1)
	fresnel := 0.02 + 0.98*math.Pow(1-cos, 5)
	body := v.Deep
	if v.Ground != nil {
		depth := v.Water - v.Ground.Height(p.X, p.Z)
		body = Mix(v.Shore, v.Deep, Smooth(0, v.MistTop, depth))
	}
	return Mix(body, mirror, fresnel)
}

// waves is the normal of the water: three sizes of wave, each lost in the distance when it gets finer than a pixel.
func (v *View) waves(p Vec, dist float64) Vec {
	var sx, sz float64
	for i := range 4 {
		k := math.Exp2(float64(i)*1.35) / v.Wave
		amp := v.Ripple / (1 + dist*k*0.012)
		n := v.Seed + Noise(200+i*3)
		x, z := p.X*k+float64(i)*2.2, p.Z*k*1.7
		sx += amp * n.At(x, z)
		sz += amp * (n+1).At(x, z)
	}
	return Vec{sx, 1, sz}.Unit()
}
