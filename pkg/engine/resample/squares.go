package resample

import (
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/raster"
)

// Squares shrinks a picture as a Box does, to the same samples, while its pixels arrive in any order. It holds a sum of
// 32 bits for each sample of the planes.
type Squares struct {
	box    *Box
	height int      // of the picture
	totals []uint32 // of each sample of the planes, interleaved
	row    int      // of the planes: that which box.sums belong to
}

// NewSquares returns a Squares of a picture of width×height pixels that writes to planes as NewBox does. The factor is
// 2 to MaxBox.
func NewSquares(planes []*picture.Plane, factor, width, height int) *Squares {
	return &Squares{
		box: NewBox(planes, factor, width), height: height,
		totals: make([]uint32, len(planes)*planes[0].Width*planes[0].Height),
	}
}

// Part takes pixels of 8 bits a sample. Each pixel of the picture arrives once.
func (s *Squares) Part(p raster.Part) {
	b := s.box
	n, row := len(b.planes), p.Y/b.factor
	if p.Step > 1 {
		addScattered(s.totalsOf(row), p, n, b.factor)
		return
	}
	if row != s.row {
		s.gather()
		s.row = row
	}
	addSums(b.sums, p.Pixels[:len(b.sums)])
	b.rows++
}

// totalsOf returns the totals of a row of the planes.
func (s *Squares) totalsOf(row int) []uint32 {
	size := len(s.box.planes) * s.box.planes[0].Width
	return s.totals[row*size:][:size]
}

// addScattered adds pixels of n samples to the totals of a row of squares.
func addScattered(totals []uint32, p raster.Part, n, factor int) {
	at, edge := 0, factor // the square of the pixel, and the column where the next square begins
	for x, pixels := p.X, p.Pixels; len(pixels) >= n; x, pixels = x+p.Step, pixels[n:] {
		for x >= edge {
			at, edge = at+n, edge+factor
		}
		if n == 4 {
			t := totals[at : at+4]
			t[0] += uint32(pixels[0])
			t[1] += uint32(pixels[1])
			t[2] += uint32(pixels[2])
			t[3] += uint32(pixels[3])
			continue
		}
		for i, v := range pixels[:n] {
			totals[at+i] += uint32(v)
		}
	}
}

// gather adds the sums of whole rows to the totals of theirs.
func (s *Squares) gather() {
	if s.box.rows > 0 {
		s.box.addTo(s.totalsOf(s.row))
	}
}

// Close writes the planes, when all pixels have arrived.
func (s *Squares) Close() {
	s.gather()
	b := s.box
	for y := range b.planes[0].Height {
		b.write(y, min(b.factor, s.height-y*b.factor), s.totalsOf(y))
	}
}
