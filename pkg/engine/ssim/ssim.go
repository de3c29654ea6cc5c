// Package ssim measures how different two pictures look, by their structural similarity at several scales.
package ssim

import (
	"math"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// weights is how much each scale counts, the finest first, as in multi-scale SSIM by Wang, Simoncelli and Bovik (2003).
var weights = [...]float64{0.0448, 0.2856, 0.3001, 0.2363, 0.1333}

// The constants of SSIM for samples of 0 to 255, that keep dark and flat windows from dividing by nothing.
const (
	c1 = 0.01 * 0.01 * 255 * 255
	c2 = 0.03 * 0.03 * 255 * 255
)

// Distance returns how different two planes of luma of one size look: 0 for the same, 1 for pictures that have nothing
// in common. It is the mean over five scales, each half as large as the one before, of the root mean square of
// 1 − SSIM over windows of 8×8 samples, four samples apart. The root mean square lets a bad spot count more than an
// even loss. Scales of less than 8 samples are left out.
func Distance(a, b *picture.Plane) float64 {
	x, y := levels(a), levels(b)
	sum, whole := 0.0, 0.0
	for i, weight := range weights {
		sum, whole = sum+weight*x.distance(y), whole+weight
		if i+1 == len(weights) || min(x.w, x.h) < 2*window {
			break
		}
		x, y = x.half(), y.half()
	}
	return sum / whole
}

const (
	window = 8
	block  = window / 2
)

// field is a plane of samples without gaps between its rows.
type field struct {
	pix  []float32
	w, h int
}

func levels(p *picture.Plane) field {
	f := field{make([]float32, p.Width*p.Height), p.Width, p.Height}
	for y := range p.Height {
		row := f.pix[y*f.w:][:f.w]
		for x, v := range p.Pix[y*p.Stride:][:f.w] {
			row[x] = float32(v)
		}
	}
	return f
}

// half returns a field of half the width and height, each sample the mean of four.
func (f field) half() field {
	out := field{make([]float32, (f.w/2)*(f.h/2)), f.w / 2, f.h / 2}
	for y := range out.h {
		above, below := f.pix[2*y*f.w:][:2*out.w], f.pix[(2*y+1)*f.w:][:2*out.w]
		row := out.pix[y*out.w:][:out.w]
		for x := range row {
			row[x] = (above[2*x] + above[2*x+1] + below[2*x] + below[2*x+1]) / 4
		}
	}
	return out
}

// sums is what SSIM needs to know of some pairs of samples.
type sums struct{ a, b, squares, product, n float64 }

func (s *sums) add(t *sums) {
	s.a, s.b, s.squares, s.product, s.n = s.a+t.a, s.b+t.b, s.squares+t.squares, s.product+t.product, s.n+t.n
}

// loss returns 1 − SSIM.
func (s *sums) loss() float64 {
	ma, mb := s.a/s.n, s.b/s.n
	variances := s.squares/s.n - ma*ma - mb*mb
	covariance := s.product/s.n - ma*mb
	return 1 - (2*ma*mb+c1)*(2*covariance+c2)/((ma*ma+mb*mb+c1)*(variances+c2))
}

// distance returns the root mean square of the loss of all windows.
func (f field) distance(g field) float64 {
	// Windows overlap by half, so each is four blocks. What is left at the right and at the bottom goes to the last ones.
	across, down := max(f.w/block, 1), max(f.h/block, 1)
	above, row := make([]sums, across), make([]sums, across)
	total, count := 0.0, 0
	for by := range down {
		above, row = row, above
		bottom := (by + 1) * block
		if by == down-1 {
			bottom = f.h
		}
		for bx := range across {
			right := (bx + 1) * block
			if bx == across-1 {
				right = f.w
			}
			row[bx] = f.block(g, bx*block, by*block, right, bottom)
			if (bx == 0) != (across == 1) || (by == 0) != (down == 1) {
				continue // no window ends here
			}
			s := row[bx]
			if bx > 0 {
				s.add(&row[bx-1])
			}
			if by > 0 {
				s.add(&above[bx])
				if bx > 0 {
					s.add(&above[bx-1])
				}
			}
			loss := s.loss()
			total, count = total+loss*loss, count+1
		}
	}
	return math.Sqrt(total / float64(count))
}

// block sums over a rectangle.
func (f field) block(g field, left, top, right, bottom int) sums {
	var a, b, squares, product float64
	for y := top; y < bottom; y++ {
		p, q := f.pix[y*f.w+left:y*f.w+right], g.pix[y*f.w+left:y*f.w+right]
		for i := range p {
			v, w := float64(p[i]), float64(q[i])
			a, b, squares, product = a+v, b+w, squares+v*v+w*w, product+v*w
		}
	}
	return sums{a, b, squares, product, float64((right - left) * (bottom - top))}
}
