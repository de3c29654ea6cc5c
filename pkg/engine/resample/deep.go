package resample

import (
	"encoding/binary"
	"math"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Deep makes pictures of 16 bits a sample while rows arrive, with the filter of Lanczos in floating point. It is slower
// than Stream, and keeps what 8 bits lose.
type Deep struct {
	floats
	width, channels int
	copies          []deepCopy
}

// DeepPicture is an interleaved picture, as PNG stores it: samples have their high byte first.
type DeepPicture struct {
	Pix                     []byte
	Width, Height, Channels int
}

// deepCopy is a picture that is nothing but a part of the rows, which begins at x, y.
type deepCopy struct {
	*DeepPicture
	x, y int
}

// NewDeep returns a Deep for rows of interleaved samples. An even number of channels has alpha last.
func NewDeep(channels, width int) *Deep {
	return &Deep{floats: newFloats(channels, width), width: width, channels: channels}
}

// Add asks for a picture of w×h pixels. It is called before the first row; the picture is complete after the last.
func (d *Deep) Add(w, h int, across, down Part) *DeepPicture {
	p := &DeepPicture{Pix: make([]byte, 2*d.channels*w*h), Width: w, Height: h, Channels: d.channels}
	x, wide := shift(picture.Span{Length: float64(w)}, across.Span, w, across.Last-across.First)
	y, high := shift(picture.Span{Length: float64(h)}, down.Span, h, down.Last-down.First)
	if wide && high {
		d.copies = append(d.copies, deepCopy{p, x + across.First, y + down.First})
	} else {
		d.add(w, h, across, down, p.write)
	}
	return p
}

// Row takes the next row, samples of which have their high byte first.
func (d *Deep) Row(row []byte) {
	for _, c := range d.copies {
		if d.y >= c.y && d.y < c.y+c.Height {
			size := 2 * c.Channels
			copy(c.Pix[(d.y-c.y)*size*c.Width:][:size*c.Width], row[size*c.x:])
		}
	}
	if len(d.targets) > 0 {
		d.split(row)
	}
	d.take()
}

// split stores a row in planes.
func (d *Deep) split(row []byte) {
	n := d.channels
	if n == 3 {
		reds, greens, blues := d.planes[0][:d.width], d.planes[1][:d.width], d.planes[2][:d.width]
		for x := range reds {
			p := row[6*x:][:6]
			reds[x] = float32(binary.BigEndian.Uint16(p))
			greens[x] = float32(binary.BigEndian.Uint16(p[2:]))
			blues[x] = float32(binary.BigEndian.Uint16(p[4:]))
		}
		return
	}
	for c := range n {
		samples := row[2*c:]
		plane := d.planes[c][:d.width]
		for x := range plane {
			plane[x] = float32(binary.BigEndian.Uint16(samples[2*n*x:]))
		}
	}
	if n%2 == 0 {
		for x, alpha := range d.planes[n-1][:d.width] {
			if alpha < math.MaxUint16 {
				for _, plane := range d.planes[:n-1] {
					plane[x] *= alpha / math.MaxUint16
				}
			}
		}
	}
}

// write writes a row.
func (p *DeepPicture) write(y int, planes [][]float32) {
	n := p.Channels
	if n%2 == 0 {
		straighten(planes)
	}
	row := p.Pix[2*n*p.Width*y:][:2*n*p.Width]
	for c, plane := range planes {
		for x, v := range plane[:p.Width] {
			binary.BigEndian.PutUint16(row[2*(n*x+c):], sixteen(v))
		}
	}
}
