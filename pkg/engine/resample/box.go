package resample

import "github.com/imagefarm/imagefarm/pkg/engine/picture"

// MaxBox is the largest factor of a Box: sums of so many samples fit 16 bits.
const MaxBox = 128

// Box takes a picture apart into planes while its rows arrive, and shrinks it by an integer factor: each sample
// becomes the mean of a square. What is made of the planes afterwards by a better filter must be at most half as
// fine.
type Box struct {
	planes []*picture.Plane
	factor int
	width  int      // pixels of a row that arrives
	sums   []uint16 // of each sample of a row, over the rows of a square
	totals []uint32 // of each square of a row
	rows   int      // in sums
	y      int      // of the planes' next row

	separated [][]byte // that row of each plane, while it is written
}

// NewBox returns a Box that writes to planes, one for each of the interleaved samples of a pixel. They have ceil(size /
// factor) samples in each direction. The factor is 1 to MaxBox.
func NewBox(planes []*picture.Plane, factor, width int) *Box {
	b := &Box{planes: planes, factor: factor, width: width, separated: make([][]byte, len(planes))}
	if factor > 1 {
		b.sums = make([]uint16, width*len(planes))
		b.totals = make([]uint32, planes[0].Width*len(planes))
	}
	return b
}

// Row takes the next row of interleaved samples.
func (b *Box) Row(row []byte) {
	if b.factor == 1 {
		for c, p := range b.planes {
			b.separated[c] = p.Pix[b.y*p.Stride:][:p.Width]
		}
		picture.Separate(b.separated, row)
		b.y++
		return
	}
	addSums(b.sums, row[:len(b.sums)])
	if b.rows++; b.rows == b.factor {
		b.flush()
	}
}

// Close writes what the last rows left, where they are fewer than the factor.
func (b *Box) Close() {
	if b.rows > 0 {
		b.flush()
	}
}

// flush writes the means of the squares that the sums complete.
func (b *Box) flush() {
	rows := b.rows
	clear(b.totals)
	b.addTo(b.totals)
	b.write(b.y, rows, b.totals)
	b.y++
}

// addTo adds the sums of squares to totals, interleaved, and clears the sums.
func (b *Box) addTo(totals []uint32) {
	n := len(b.planes)
	for c := range n {
		for i, x := c, 0; i < len(totals); i, x = i+n, x+b.factor {
			totals[i] += sum(b.sums[x*n+c:], n, min(b.factor, b.width-x))
		}
	}
	clear(b.sums)
	b.rows = 0
}

// write writes row y of the planes: the means of squares of so many rows, of their totals.
func (b *Box) write(y, rows int, totals []uint32) {
	n, whole := len(b.planes), b.width/b.factor
	scale := reciprocal(b.factor * rows)
	for c, p := range b.planes {
		out := p.Pix[y*p.Stride:][:p.Width]
		for x := range out[:whole] {
			out[x] = scale.of(totals[x*n+c])
		}
		if rest := b.width - whole*b.factor; rest > 0 {
			out[whole] = reciprocal(rest * rows).of(totals[whole*n+c])
		}
	}
}

// sum adds count samples, each step after the one before.
func sum(s []uint16, step, count int) (total uint32) {
	s = s[:(count-1)*step+1]
	for i := 0; i < len(s); i += step {
		total += uint32(s[i])
	}
	return total
}

// reciprocalOf is a reciprocal in 32 bits of fraction.
type reciprocalOf uint64

func reciprocal(n int) reciprocalOf { return reciprocalOf((1<<32 + uint64(n)/2) / uint64(n)) }

func (r reciprocalOf) of(sum uint32) byte {
	return byte(min((uint64(sum)*uint64(r)+1<<31)>>32, 255))
}

func plainSums(sums []uint16, row []byte) {
	row = row[:len(sums)]
	for i := range sums {
		sums[i] += uint16(row[i])
	}
}
