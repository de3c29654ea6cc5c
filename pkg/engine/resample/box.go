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
	n := len(b.planes)
	for c, p := range b.planes {
		out := p.Pix[b.y*p.Stride:][:p.Width]
		whole := b.width / b.factor
		scale := reciprocal(b.factor * b.rows)
		for x := range out[:whole] {
			out[x] = scale.of(sum(b.sums[x*b.factor*n+c:], n, b.factor))
		}
		if rest := b.width - whole*b.factor; rest > 0 {
			out[whole] = reciprocal(rest * b.rows).of(sum(b.sums[whole*b.factor*n+c:], n, rest))
		}
	}
	clear(b.sums)
	b.rows = 0
	b.y++
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
