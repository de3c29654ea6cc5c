package png

import "github.com/imagefarm/imagefarm/pkg/raster"

// The passes of Adam7: first column and row, and the steps to the next.
var passes = [7]struct{ x, y, dx, dy int }{
	{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
}

var _ raster.Scattered = (*Reader)(nil)

// Interlaced reports whether the file is interlaced, so that ReadRow holds half of the picture.
func (r *Reader) Interlaced() bool { return r.interlaced }

// ReadParts implements raster.Scattered. Of an interlaced file each part is a row of a pass, else a row.
func (r *Reader) ReadParts(use func(raster.Part) error) error {
	row := make([]byte, raster.RowSize(r))
	size := len(row) / r.width
	part := func(p raster.Part, samples []byte) error {
		width := (r.width - p.X + p.Step - 1) / p.Step
		p.Pixels = row[:width*size]
		r.expand(p.Pixels, samples, width)
		return use(p)
	}
	if !r.interlaced {
		for ; r.y < r.height; r.y++ {
			samples, err := r.samples(r.width)
			if err == nil {
				err = part(raster.Part{Y: r.y, Step: 1}, samples)
			}
			if err != nil {
				return err
			}
		}
		return r.finish()
	}
	for pass := range passes {
		if err := r.readPass(pass, part); err != nil {
			return err
		}
	}
	return r.finish()
}

// lace holds what ReadRow has read of an interlaced picture. The last pass is all of the odd rows. So only the even
// rows are held, and the odd ones go from the file to the caller.
type lace struct {
	held []byte // the even rows, with at least a byte for each sample
	size int    // bytes of a row of held
	read bool   // the passes before the last were read
}

func (r *Reader) newLace() *lace {
	l := &lace{size: r.sampleBytes() * r.width}
	l.held = make([]byte, l.size*((r.height+1)/2))
	return l
}

// sampleBytes returns the bytes of a pixel with at least a byte for each sample.
func (r *Reader) sampleBytes() int { return r.stored() * r.Depth() / 8 }

// lacedRow returns the samples of the next row.
func (r *Reader) lacedRow() ([]byte, error) {
	if r.lace == nil {
		r.lace = r.newLace()
	}
	l := r.lace
	if !l.read {
		size := r.sampleBytes()
		hold := func(p raster.Part, samples []byte) error {
			row := l.held[p.Y/2*l.size:][:l.size]
			spread(row[p.X*size:], samples, size, p.Step*size)
			return nil
		}
		for pass := range len(passes) - 1 {
			if err := r.readPass(pass, hold); err != nil {
				return nil, err
			}
		}
		l.read = true
		clear(r.prev)
	}
	if r.y&1 == 0 {
		return l.held[r.y/2*l.size:][:l.size], nil
	}
	return r.samples(r.width)
}

// readPass reads a pass and passes the samples of each of its rows to use, with at least a byte each.
func (r *Reader) readPass(pass int, use func(p raster.Part, samples []byte) error) error {
	p := passes[pass]
	if r.width <= p.x || r.height <= p.y {
		return nil
	}
	width := (r.width - p.x + p.dx - 1) / p.dx
	clear(r.prev)
	for y := p.y; y < r.height; y += p.dy {
		samples, err := r.samples(width)
		if err == nil {
			err = use(raster.Part{Y: y, X: p.x, Step: p.dx}, samples)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// spread copies pixels of size bytes to dst, step bytes apart.
func spread(dst, src []byte, size, step int) {
	switch size {
	case 1:
		for i, v := range src {
			dst[i*step] = v
		}
	case 3:
		for at := 0; len(src) >= 3; at += step {
			d := dst[at : at+3]
			d[0], d[1], d[2] = src[0], src[1], src[2]
			src = src[3:]
		}
	case 4:
		for at := 0; len(src) >= 4; at += step {
			*(*[4]byte)(dst[at:]) = [4]byte(src)
			src = src[4:]
		}
	default:
		for at := 0; len(src) >= size; at += step {
			copy(dst[at:at+size], src)
			src = src[size:]
		}
	}
}
