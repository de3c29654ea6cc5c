package resample

import (
	"encoding/binary"
	"math"
	"sync"
)

// Linear resamples pictures of 8 bits a sample in linear light, as if their samples were light and not levels of
// sRGB: a fine pattern keeps its brightness. Rows arrive from the top; alpha is straight.
type Linear struct {
	deep     *Deep
	channels int
	row      []byte // of 16 bits a sample
}

// NewLinear returns a Linear for rows of interleaved samples. An even number of channels has alpha last.
func NewLinear(channels, width int) *Linear {
	return &Linear{deep: NewDeep(channels, width), channels: channels, row: make([]byte, 2*channels*width)}
}

// Add asks for a picture of w×h pixels. It is called before the first row; the picture is complete after the last.
func (l *Linear) Add(w, h int, across, down Part) *LinearPicture {
	return &LinearPicture{l.deep.Add(w, h, across, down)}
}

// Row takes the next row.
func (l *Linear) Row(row []byte) {
	light, n := light(), l.channels
	for i, v := range row[:len(l.row)/2] {
		sample := light[v]
		if n%2 == 0 && i%n == n-1 {
			sample = uint16(v) * 257 // opacity is no light
		}
		binary.BigEndian.PutUint16(l.row[2*i:], sample)
	}
	l.deep.Row(l.row)
}

// LinearPicture is a picture that a Linear makes.
type LinearPicture struct{ deep *DeepPicture }

// Row writes a row of the picture, as levels of sRGB, interleaved.
func (p *LinearPicture) Row(dst []byte, y int) {
	d := p.deep
	size, levels := d.Channels*d.Width, levels()
	for i := range size {
		v := binary.BigEndian.Uint16(d.Pix[2*(y*size+i):])
		if d.Channels%2 == 0 && i%d.Channels == d.Channels-1 {
			dst[i] = byte((uint32(v) + 128) / 257)
		} else {
			dst[i] = levels[v]
		}
	}
}

// light returns the light of each level of sRGB, 65535 being white.
var light = sync.OnceValue(func() *[256]uint16 {
	var table [256]uint16
	for i := range table {
		x := float64(i) / 255
		if x <= 0.04045 {
			x /= 12.92
		} else {
			x = math.Pow((x+0.055)/1.055, 2.4)
		}
		table[i] = uint16(math.Round(x * math.MaxUint16))
	}
	return &table
})

// levels returns the level of sRGB that is nearest to each light.
var levels = sync.OnceValue(func() *[math.MaxUint16 + 1]uint8 {
	var table [math.MaxUint16 + 1]uint8
	for i := range table {
		x := float64(i) / math.MaxUint16
		if x <= 0.0031308 {
			x *= 12.92
		} else {
			x = 1.055*math.Pow(x, 1/2.4) - 0.055
		}
		table[i] = uint8(math.Round(255 * x))
	}
	return &table
})
