package paint

import (
	"image"
	"math"
	"runtime"
	"sync"
)

// Canvas holds a picture in linear light.
type Canvas struct {
	W, H int
	Pix  []RGB
}

// New returns a black canvas.
func New(w, h int) *Canvas { return &Canvas{w, h, make([]RGB, w*h)} }

// At is the colour of a pixel; outside, of the nearest one.
func (c *Canvas) At(x, y int) RGB {
	return c.Pix[min(max(y, 0), c.H-1)*c.W+min(max(x, 0), c.W-1)]
}

// Rows calls f for every row, on all processors. f must touch nothing but its row.
func Rows(h int, f func(y int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for y := range next {
				f(y)
			}
		})
	}
	for y := range h {
		next <- y
	}
	close(next)
	wg.Wait()
}

// Fill paints every pixel. f sees u, v: the place in units of the canvas's height, centre 0, y up to 0.5.
// samples² points are averaged in each pixel.
func (c *Canvas) Fill(samples int, f func(u, v float64) RGB) {
	Rows(c.H, func(y int) {
		for x := range c.W {
			var sum RGB
			for s := range samples * samples {
				dx := (float64(s%samples) + 0.5) / float64(samples)
				dy := (float64(s/samples) + 0.5) / float64(samples)
				sum = sum.Add(f(c.place(float64(x)+dx, float64(y)+dy)))
			}
			c.Pix[y*c.W+x] = sum.Mul(1 / float64(samples*samples))
		}
	})
}

// Over paints what f covers (its second result, 0 to 1) on what is there.
func (c *Canvas) Over(samples int, f func(u, v float64) (RGB, float64)) {
	Rows(c.H, func(y int) {
		for x := range c.W {
			var sum RGB
			cover := 0.0
			for s := range samples * samples {
				dx := (float64(s%samples) + 0.5) / float64(samples)
				dy := (float64(s/samples) + 0.5) / float64(samples)
				u, v := c.place(float64(x)+dx, float64(y)+dy)
				col, a := f(u, v)
				sum = sum.Add(col.Mul(a))
				cover += a
			}
			k := 1 / float64(samples*samples)
			p := &c.Pix[y*c.W+x]
			*p = p.Mul(1 - cover*k).Add(sum.Mul(k))
		}
	})
}

func (c *Canvas) place(x, y float64) (u, v float64) {
	h := float64(c.H)
	return (x - float64(c.W)/2) / h, 0.5 - y/h
}

// Blur smooths the canvas by three box filters, nearly a Gaussian of that sigma (in pixels).
func (c *Canvas) Blur(sigma float64) {
	r := int(math.Sqrt(sigma*sigma*12/3+1)/2 + 0.5)
	if r < 1 {
		return
	}
	for range 3 {
		Rows(c.H, func(y int) { boxBlur(c.Pix[y*c.W:], c.W, 1, r) })
		Rows(c.W, func(x int) { boxBlur(c.Pix[x:], c.H, c.W, r) })
	}
}

func boxBlur(p []RGB, n, stride, r int) {
	line := make([]RGB, n)
	for i := range line {
		line[i] = p[i*stride]
	}
	at := func(i int) RGB { return line[min(max(i, 0), n-1)] }
	var sum RGB
	for i := -r; i <= r; i++ {
		sum = sum.Add(at(i))
	}
	k := 1 / float64(2*r+1)
	for i := range n {
		p[i*stride] = sum.Mul(k)
		sum = sum.Add(at(i + r + 1)).Add(at(i - r).Mul(-1))
	}
}

// Clone copies a canvas.
func (c *Canvas) Clone() *Canvas {
	return &Canvas{c.W, c.H, append([]RGB(nil), c.Pix...)}
}

// Finish is what a camera does to light.
type Finish struct {
	Exposure float64 // stops; 0 leaves the light as it is
	Contrast float64 // 0 is the plain film curve, 1 strong
	Colour   float64 // saturation; 0 means 1
	Bloom    float64 // how much of the brightest light spills, 0 to 1
	Vignette float64 // darkening towards the corners, 0 to 1
	Grain    float64 // standard deviation in steps of 8 bits; 1 to 4 is film
	Seed     Noise   // of the grain
	Tint     RGB     // multiplied in; zero means none
}

// Develop turns light into 16-bit sRGB.
func (c *Canvas) Develop(f Finish) *image.NRGBA64 {
	light := c
	if f.Bloom > 0 {
		light = c.withBloom(f.Bloom)
	}
	gain := math.Exp2(f.Exposure)
	colour := f.Colour
	if colour == 0 {
		colour = 1
	}
	tint := f.Tint
	if tint == (RGB{}) {
		tint = RGB{1, 1, 1}
	}
	grain := light.grain(f)
	img := image.NewNRGBA64(image.Rect(0, 0, c.W, c.H))
	Rows(c.H, func(y int) {
		for x := range c.W {
			u, v := c.place(float64(x)+0.5, float64(y)+0.5)
			k := gain * (1 - f.Vignette*Smooth(0.25, 1.3, math.Hypot(u, v)))
			p := light.Pix[y*c.W+x].Times(tint).Mul(k)
			l := p.Luma()
			p = Mix(RGB{l, l, l}, p, colour)
			noise := grain[y*c.W+x]
			o := img.PixOffset(x, y)
			for i, v := range [3]float64{p.R, p.G, p.B} {
				e := encoded(film(math.Max(v, 0)))
				e = Lerp(e, e*e*(3-2*e), f.Contrast)
				// Grain shows most in the middle tones.
				e += noise * (0.35 + 2.6*e*(1-e)) / 255
				q := uint16(Clamp(e, 0, 1)*65535 + 0.5)
				img.Pix[o+2*i], img.Pix[o+2*i+1] = byte(q>>8), byte(q)
			}
			img.Pix[o+6], img.Pix[o+7] = 255, 255
		}
	})
	return img
}

// film is linear in the shadows and rolls off in the lights.
func film(v float64) float64 {
	return Clamp(v*(2.51*v*0.36+0.03+0.55)/(v*(2.43*v*0.36+0.59)+0.34+0.18), 0, 1)
}

// grain is noise a pixel and a half wide: JPEG meets such grain in photographs.
func (c *Canvas) grain(f Finish) []float64 {
	raw := make([]float64, c.W*c.H)
	Rows(c.H, func(y int) {
		for x := range c.W {
			s := f.Seed.Rand(x, y) + (f.Seed+1).Rand(x, y) + (f.Seed+2).Rand(x, y) + (f.Seed+3).Rand(x, y)
			raw[y*c.W+x] = (s - 2) * 1.73 * f.Grain
		}
	})
	out := make([]float64, len(raw))
	Rows(c.H, func(y int) {
		for x := range c.W {
			at := func(dx, dy int) float64 {
				return raw[min(max(y+dy, 0), c.H-1)*c.W+min(max(x+dx, 0), c.W-1)]
			}
			out[y*c.W+x] = 0.8*at(0, 0) + 0.3*(at(-1, 0)+at(1, 0)+at(0, -1)+at(0, 1))
		}
	})
	return out
}

func (c *Canvas) withBloom(k float64) *Canvas {
	b := New(c.W, c.H)
	for i, p := range c.Pix {
		if l := p.Luma(); l > 0.8 {
			b.Pix[i] = p.Mul(math.Min((l-0.8)/l, 4/l))
		}
	}
	wide := b.Clone()
	b.Blur(float64(c.H) / 120)
	wide.Blur(float64(c.H) / 22)
	out := c.Clone()
	for i := range out.Pix {
		out.Pix[i] = out.Pix[i].Add(b.Pix[i].Mul(k)).Add(wide.Pix[i].Mul(k * 0.6))
	}
	return out
}
