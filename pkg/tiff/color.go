package tiff

import (
	"encoding/binary"
	"math"
)

// converter turns the samples of a row into gray or RGB pixels with or without alpha.
type converter struct {
	*page
	unpacker unpacker
	channels int
	wide     bool      // the output has 16 bits a sample
	straight bool      // the output equals the stored samples, but for the byte order
	values   []uint16  // the unpacked samples of a row
	pixel    [4]uint32 // what merge makes: a variable of its own would be allocated for every pixel
	palette  [256][3]byte
	luma     [256]int32 // of YCbCr: fixed point with 16 bits of fraction
	redCr    [256]int32
	greenCr  [256]int32
	greenCb  [256]int32
	blueCb   [256]int32
	inks     func(dst, src []byte)
	kept     bool     // inks stay inks
	gamma    []uint16 // of L*a*b*: linear light, 0 to 4095, to samples
}

func (p *page) newConverter() *converter {
	c := &converter{page: p, unpacker: p.newUnpacker(), wide: p.bits > 8}
	c.channels = 3
	switch p.photometric {
	case minIsWhite, minIsBlack, mask:
		c.channels = 1
	case paletted:
		c.readPalette()
	case ycbcr:
		c.readYCbCr()
	case cieLab, iccLab:
		c.gamma = make([]uint16, 4096)
		for i := range c.gamma {
			c.gamma[i] = uint16(encodeSRGB(float64(i)/4095)*c.top() + 0.5)
		}
	}
	if p.alpha != noAlpha {
		c.channels++
	}
	plain := p.photometric == minIsBlack || p.photometric == rgb || p.coded() && p.photometric == ycbcr
	c.straight = plain && p.samples == c.channels && p.alpha != associatedAlpha &&
		(p.bits == 8 || p.bits == 16 && !p.planar) && p.sampleFormat != floating
	if !c.straight {
		c.values = make([]uint16, p.width*p.samples)
	}
	return c
}

// keepInks makes the output four inks, of which the largest value is none.
func (c *converter) keepInks() { c.channels, c.kept = 4, true }

// coded tells whether JPEG data hold the rows. Then codedJPEG has already turned YCbCr into RGB.
func (p *page) coded() bool { return p.compression == jpegCompression || p.compression == oldJPEG }

func (c *converter) top() float64 {
	if c.wide {
		return 65535
	}
	return 255
}

// readPalette reads the colours: all reds, then greens, then blues, of 16 bits. Some writers store 8 bits.
func (c *converter) readPalette() {
	e, n := c.entries[tagColorMap], 1<<c.bits
	shift := 0
	for i := range e.count {
		if c.at(e, i) > 255 {
			shift = 8
		}
	}
	for i := range n {
		for k := range 3 {
			c.palette[i][k] = byte(c.at(e, k*n+i) >> shift)
		}
	}
}

// readYCbCr makes tables from the coefficients of red, green and blue, and from the range of samples.
func (c *converter) readYCbCr() {
	red, green, blue := c.float(tagCoefficients, 0, 0.299), c.float(tagCoefficients, 1, 0.587),
		c.float(tagCoefficients, 2, 0.114)
	if !(red > 0 && green > 0 && blue > 0 && red+green+blue < 1.1) {
		red, green, blue = 0.299, 0.587, 0.114
	}
	reference := func(i int, otherwise float64) float64 { return c.float(tagReference, i, otherwise) }
	span := func(i int, low, high, size float64) (float64, float64) {
		low, high = reference(i, low), reference(i+1, high)
		if !(high > low) {
			return 0, 1
		}
		return low, size / (high - low)
	}
	yLow, yScale := span(0, 0, 255, 255)
	bLow, bScale := span(2, 128, 255, 127)
	rLow, rScale := span(4, 128, 255, 127)
	for i := range 256 {
		y, cb, cr := (float64(i)-yLow)*yScale, (float64(i)-bLow)*bScale, (float64(i)-rLow)*rScale
		fixed := func(v float64) int32 { return int32(math.Round(max(-8000, min(8000, v)) * (1 << 16))) }
		c.luma[i] = fixed(y) + 1<<15
		c.redCr[i], c.blueCb[i] = fixed(2*(1-red)*cr), fixed(2*(1-blue)*cb)
		c.greenCr[i], c.greenCb[i] = fixed(-2*(1-red)*red/green*cr), fixed(-2*(1-blue)*blue/green*cb)
	}
}

// pixels converts a row whose samples lie together.
func (c *converter) pixels(dst, row []byte) {
	switch {
	case c.straight && c.bits == 8:
		copy(dst, row)
	case c.straight:
		if c.order == binary.BigEndian {
			copy(dst, row)
			return
		}
		swap(dst, row)
	case c.kept && c.bits == 8 && c.samples == 4:
		for i, v := range row[:4*c.width] {
			dst[i] = ^v
		}
	case c.bits == 1 && c.samples == 1 && c.channels == 1:
		c.bilevel(dst, row)
	default:
		c.unpacker.unpack(c.values, row, 1)
		c.merge(dst)
	}
}

// swap stores samples of 16 bits with their bytes in the other order.
func swap(dst, row []byte) {
	const low = 0x00ff00ff00ff00ff
	for ; len(row) >= 8; dst, row = dst[8:], row[8:] {
		v := binary.LittleEndian.Uint64(row)
		binary.LittleEndian.PutUint64(dst, v>>8&low|v&low<<8)
	}
	for i := 0; i+2 <= len(row); i += 2 {
		dst[i], dst[i+1] = row[i+1], row[i]
	}
}

// plane takes the samples of one plane of a row. After the last, mergePlanes completes the row.
func (c *converter) plane(dst, row []byte, plane int) {
	if !c.straight {
		c.unpacker.unpack(c.values[plane:], row, c.samples)
		return
	}
	dst, row = dst[plane:], row[:c.width]
	if c.samples == 3 { // a constant step is faster
		for i, v := range row {
			dst[3*i] = v
		}
		return
	}
	for i, v := range row {
		dst[c.samples*i] = v
	}
}

func (c *converter) mergePlanes(dst []byte) {
	if !c.straight {
		c.merge(dst)
	}
}

// bilevel converts gray of one bit.
func (c *converter) bilevel(dst, row []byte) {
	flip := byte(0)
	if c.photometric == minIsWhite {
		flip = 0xff
	}
	dst = dst[:c.width]
	for len(dst) > 0 {
		v := row[0] ^ flip
		row = row[1:]
		for i := range min(8, len(dst)) {
			dst[i] = -(v >> 7)
			v <<= 1
		}
		dst = dst[min(8, len(dst)):]
	}
}

// merge turns the unpacked samples of a row into pixels.
func (c *converter) merge(dst []byte) {
	top := uint32(c.top())
	kinds := c.color()
	size := c.channels
	if c.wide {
		size *= 2
	}
	p := &c.pixel
	for values := c.values; len(values) >= c.samples; values = values[c.samples:] {
		n := kinds(p, values, top)
		if c.alpha != noAlpha {
			a := uint32(values[c.colors])
			if c.alpha == associatedAlpha && a > 0 && a < top {
				for i := range n {
					p[i] = min(top, (p[i]*top+a/2)/a)
				}
			}
			p[n] = a
			n++
		}
		if c.wide {
			for i := range n {
				binary.BigEndian.PutUint16(dst[2*i:], uint16(p[i]))
			}
		} else {
			for i := range n {
				dst[i] = byte(p[i])
			}
		}
		dst = dst[size:]
	}
}

// color returns the function that converts the samples of a pixel. That function returns the number of channels.
func (c *converter) color() func(p *[4]uint32, v []uint16, top uint32) int {
	switch c.photometric {
	case minIsWhite:
		return func(p *[4]uint32, v []uint16, top uint32) int {
			p[0] = top - uint32(v[0])
			return 1
		}
	case minIsBlack, mask:
		return func(p *[4]uint32, v []uint16, top uint32) int {
			p[0] = uint32(v[0])
			return 1
		}
	case paletted:
		return func(p *[4]uint32, v []uint16, top uint32) int {
			q := &c.palette[v[0]&255]
			p[0], p[1], p[2] = uint32(q[0]), uint32(q[1]), uint32(q[2])
			return 3
		}
	case separated:
		if c.kept {
			return func(p *[4]uint32, v []uint16, top uint32) int {
				for i := range p {
					p[i] = top - uint32(v[i])
				}
				return 4
			}
		}
		if c.inks != nil {
			return c.fromInks
		}
		return func(p *[4]uint32, v []uint16, top uint32) int {
			paper := top - uint32(v[3])
			for i := range 3 {
				p[i] = ((top-uint32(v[i]))*paper + top/2) / top
			}
			return 3
		}
	case ycbcr:
		if !c.coded() {
			return c.fromYCbCr
		}
	case cieLab, iccLab:
		return c.fromLab
	}
	return func(p *[4]uint32, v []uint16, top uint32) int {
		p[0], p[1], p[2] = uint32(v[0]), uint32(v[1]), uint32(v[2])
		return 3
	}
}

// fromInks converts by the caller's function, to 8 bits.
func (c *converter) fromInks(p *[4]uint32, v []uint16, top uint32) int {
	var in, out [4]byte
	for i := range in {
		in[i] = byte((uint32(v[i])*255 + top/2) / top)
	}
	c.inks(out[:], in[:])
	for i := range 3 {
		p[i] = uint32(out[i]) * (top / 255)
	}
	return 3
}

func (c *converter) fromYCbCr(p *[4]uint32, v []uint16, _ uint32) int {
	y, cb, cr := c.luma[v[0]&255], v[1]&255, v[2]&255
	p[0], p[1], p[2] = level(y+c.redCr[cr]), level(y+c.greenCr[cr]+c.greenCb[cb]), level(y+c.blueCb[cb])
	return 3
}

func level(v int32) uint32 { return uint32(max(0, min(255, v>>16))) }

// fromLab converts CIE L*a*b* relative to D50, as ICC profiles have it, to sRGB.
func (c *converter) fromLab(p *[4]uint32, v []uint16, top uint32) int {
	light := float64(v[0]) / float64(top) * 100
	var ab [2]float64
	for i := range ab {
		switch {
		case c.photometric == cieLab && c.wide:
			ab[i] = float64(int16(v[i+1])) / 256
		case c.photometric == cieLab:
			ab[i] = float64(int8(v[i+1]))
		case c.wide:
			ab[i] = float64(v[i+1])/256 - 128
		default:
			ab[i] = float64(v[i+1]) - 128
		}
	}
	fy := (light + 16) / 116
	x, y, z := 0.9642*cube(fy+ab[0]/500), cube(fy), 0.8249*cube(fy-ab[1]/200)
	linear := [3]float64{ // Bradford's adaptation to D65 and the primaries of sRGB, in one
		3.1338561*x - 1.6168667*y - 0.4906146*z,
		-0.9787684*x + 1.9161415*y + 0.0334540*z,
		0.0719453*x - 0.2289914*y + 1.4052427*z,
	}
	for i, l := range linear {
		p[i] = uint32(c.gamma[int(max(0, min(1, l))*4095+0.5)])
	}
	return 3
}

func cube(f float64) float64 {
	if f > 6.0/29 {
		return f * f * f
	}
	return 3 * 36 / 841.0 * (f - 4.0/29)
}

func encodeSRGB(l float64) float64 {
	if l <= 0.0031308 {
		return 12.92 * l
	}
	return 1.055*math.Pow(l, 1/2.4) - 0.055
}
