// Package paint is a small renderer of landscapes: noise, skies, terrain, water, and the finish of a camera.
//
// Everything is a function of a seed, so the same program paints the same picture each time.
package paint

import "math"

// RGB is a colour in linear light. 1 is the white of a sunlit sheet of paper; lights are brighter.
type RGB struct{ R, G, B float64 }

// Hex returns the linear colour of a written one, 0xRRGGBB in sRGB.
func Hex(v uint32) RGB {
	return RGB{linear(float64(v>>16&255) / 255), linear(float64(v>>8&255) / 255), linear(float64(v&255) / 255)}
}

func linear(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func encoded(v float64) float64 {
	if v <= 0.0031308 {
		return v * 12.92
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

// Mul scales a colour.
func (c RGB) Mul(k float64) RGB { return RGB{c.R * k, c.G * k, c.B * k} }

// Add adds light to light.
func (c RGB) Add(d RGB) RGB { return RGB{c.R + d.R, c.G + d.G, c.B + d.B} }

// Times filters a colour by another, as light on a surface.
func (c RGB) Times(d RGB) RGB { return RGB{c.R * d.R, c.G * d.G, c.B * d.B} }

// Luma is the brightness of a colour.
func (c RGB) Luma() float64 { return 0.2126*c.R + 0.7152*c.G + 0.0722*c.B }

// Mix goes from a (t = 0) to b (t = 1).
func Mix(a, b RGB, t float64) RGB {
	return RGB{a.R + (b.R-a.R)*t, a.G + (b.G-a.G)*t, a.B + (b.B-a.B)*t}
}

// Lerp goes from a (t = 0) to b (t = 1).
func Lerp(a, b, t float64) float64 { return a + (b-a)*t }

// Clamp keeps v between lo and hi.
func Clamp(v, lo, hi float64) float64 {
	if v < lo {
		return lo
	}
	if v > hi {
		return hi
	}
	return v
}

// Smooth goes from 0 at lo to 1 at hi without a corner. With lo > hi it goes down.
func Smooth(lo, hi, v float64) float64 {
	t := Clamp((v-lo)/(hi-lo), 0, 1)
	return t * t * (3 - 2*t)
}

// Vec is a point or a direction: x to the right, y up, z away from the camera.
type Vec struct{ X, Y, Z float64 }

// Plus adds.
func (v Vec) Plus(w Vec) Vec { return Vec{v.X + w.X, v.Y + w.Y, v.Z + w.Z} }

// Scale multiplies.
func (v Vec) Scale(k float64) Vec { return Vec{v.X * k, v.Y * k, v.Z * k} }

// Dot is the scalar product.
func (v Vec) Dot(w Vec) float64 { return v.X*w.X + v.Y*w.Y + v.Z*w.Z }

// Unit has the direction of v and length 1.
func (v Vec) Unit() Vec { return v.Scale(1 / math.Sqrt(v.Dot(v))) }

// Direction is where one looks at an azimuth (degrees to the right of straight ahead) and an elevation (degrees up).
func Direction(azimuth, elevation float64) Vec {
	a, e := azimuth*math.Pi/180, elevation*math.Pi/180
	return Vec{math.Sin(a) * math.Cos(e), math.Sin(e), math.Cos(a) * math.Cos(e)}
}
