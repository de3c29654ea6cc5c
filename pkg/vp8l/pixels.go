package vp8l

import (
	"math"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// format is the name in errors.
const format = "WebP"

const (
	mostColorBits = 11      // of the cache
	longestCopy   = 4096    // pixels
	farthest      = 1 << 20 // pixels back that a copy may begin; also more than seven rows of the widest picture

	// windowSize is how many pixels of a large picture are in memory. Whenever so many are decoded, the last that copies
	// may begin at are moved to the front.
	windowSize = 3 << 20
)

// pixels is a sequence of coded pixels, 0xAARRGGBB: the picture, or one of those that say how it is coded.
type pixels struct {
	bits          *bitReader
	width, height int

	cache  []uint32 // of colours, by their hash; nil: there is none
	shift  uint     // of the hash
	groups []*group
	tiles  []uint32 // which group each square of 1 << tileBits pixels has; nil: all have the only one
	across int      // squares in a row
	square uint     // the logarithm of a square's side

	pix   []uint32
	first int // the pixel that pix begins with
	done  int // pixels that are decoded
	x, y  int // of the next
	err   error
}

// subsampled returns how many squares of 1 << n pixels it takes.
func subsampled(size int, n uint) int { return (size + 1<<n - 1) >> n }

// readImage reads what precedes the pixels of an image: the cache's size and the codes.
//
//	cached:1 {bits:4}  of the picture { squares:1 {side-2:3 image} }  codes
func readImage(b *bitReader, width, height int, picture bool) (*pixels, error) {
	m := &pixels{bits: b, width: width, height: height}
	colors := 0
	if b.flag() {
		n := b.number(4)
		if n < 1 || n > mostColorBits {
			return nil, m.ended(raster.Corruptf(format, 0, "a cache of 2^%d colours", n))
		}
		colors = 1 << n
		m.cache, m.shift = make([]uint32, colors), uint(32-n)
	}
	count, used := 1, []bool{true}
	if picture && b.flag() {
		m.square = uint(2 + b.number(3))
		m.across = subsampled(width, m.square)
		squares, err := readSmall(b, m.across, subsampled(height, m.square))
		if err != nil {
			return nil, err
		}
		used = make([]bool, 1<<16)
		for i, p := range squares {
			g := p >> 8 & 0xffff
			squares[i], used[g] = g, true
			count = max(count, int(g)+1)
		}
		m.tiles = squares
	}
	kept := tables{most: 16<<20 + int64(width)*int64(height)}
	m.groups = make([]*group, count)
	memory := make(lengths, cacheSymbols+colors)
	for i := range m.groups {
		if used[i] {
			g, err := b.readGroup(colors, memory, &kept)
			if err != nil {
				return nil, err
			}
			m.groups[i] = g
			continue
		}
		dropped := tables{most: math.MaxInt64}
		if _, err := b.readGroup(colors, memory, &dropped); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// readSmall reads an image that says how the picture is coded.
func readSmall(b *bitReader, width, height int) ([]uint32, error) {
	m, err := readImage(b, width, height, false)
	if err != nil {
		return nil, err
	}
	m.pix = make([]uint32, width*height)
	if err := m.decode(len(m.pix)); err != nil {
		return nil, err
	}
	return m.pix, nil
}

// ended returns err, or that the stream ended before what is wrong with it could be read.
func (m *pixels) ended(err error) error {
	if m.bits.beyond() {
		return raster.Truncatedf(format, "row %d of %d", m.y+1, m.height)
	}
	return err
}

// allocate makes memory for the pixels of a picture that is read row by row.
func (m *pixels) allocate() { m.pix = make([]uint32, min(m.width*m.height, windowSize)) }

// row decodes row y, which must not lie before the last that was asked for, and returns it. It is valid until the next
// call. Some rows are decoded ahead.
func (m *pixels) row(y int) ([]uint32, error) {
	const ahead = 1 << 14 // pixels
	end := (y + 1) * m.width
	if m.done < end {
		total := m.width * m.height
		to := min(end+ahead/m.width*m.width, total)
		if most := m.first + len(m.pix); most < total && to+longestCopy > most {
			keep := min(m.done, farthest)
			copy(m.pix, m.pix[m.done-keep-m.first:m.done-m.first])
			m.first = m.done - keep
		}
		if err := m.decode(to); err != nil && m.done < end {
			return nil, err
		}
	}
	return m.pix[y*m.width-m.first : end-m.first], nil
}

// decode decodes until to pixels are done, or a copy goes beyond. An error stays.
func (m *pixels) decode(to int) error {
	if m.err == nil {
		m.err = m.decodeSound(to)
	}
	return m.err
}

func (m *pixels) decodeSound(to int) error {
	g := m.groups[0]
	for m.done < to {
		end := to
		if m.tiles != nil {
			g = m.groups[m.tiles[m.y>>m.square*m.across+m.x>>m.square]]
			end = min(to, m.done-m.x+min(m.x&^(1<<m.square-1)+1<<m.square, m.width))
		}
		n, symbol := m.literals(g, m.pix[m.done-m.first:end-m.first])
		if m.bits.beyond() {
			m.move(max(n-1, 0)) // the last may have been read of what is not there
			return m.ended(nil)
		}
		m.move(n)
		if symbol < literals {
			continue
		}
		if err := m.copy(g, symbol); err != nil {
			return err
		}
	}
	return nil
}

// move goes on by n pixels.
func (m *pixels) move(n int) {
	m.done += n
	if m.x += n; m.x >= m.width {
		m.y += m.x / m.width
		m.x %= m.width
	}
}

// copy repeats pixels. symbol is that of the length.
func (m *pixels) copy(g *group, symbol uint32) error {
	b := m.bits
	length := b.extended(symbol - literals)
	b.fill()
	back := m.distance(b.extended(g.codes[distance].next(b)))
	switch {
	case b.beyond():
		return m.ended(nil)
	case back > m.done:
		return raster.Corruptf(format, 0, "in row %d pixels are repeated from before the first", m.y+1)
	case length > m.width*m.height-m.done:
		return raster.Corruptf(format, 0, "in row %d pixels are repeated beyond the last", m.y+1)
	}
	at := m.done - m.first
	repeat(m.pix[at-back:at+length], back)
	if m.cache != nil {
		m.remember(m.pix[at : at+length])
	}
	m.move(length)
	return nil
}

// repeat completes pix, of which so many are there, by repeating them.
func repeat(pix []uint32, have int) {
	if have == 1 {
		v := pix[0]
		for i := range pix {
			pix[i] = v
		}
		return
	}
	for have < len(pix) {
		have += copy(pix[have:], pix[:have])
	}
}

// extended returns the number, from 1 on, whose prefix is a symbol; the rest follows, at most 18 bits.
func (b *bitReader) extended(symbol uint32) int {
	if symbol < 4 {
		return int(symbol) + 1
	}
	more := int(symbol-2) >> 1
	return int(2+symbol&1)<<more + b.number(more) + 1
}

// distance returns how many pixels back a copy begins. The first codes are those of pixels near by.
func (m *pixels) distance(code int) int {
	if code > len(near) {
		return code - len(near)
	}
	p := int(near[code-1])
	return max(p>>4*m.width+8-p&15, 1)
}

// remember puts colours into the cache.
func (m *pixels) remember(pix []uint32) {
	for _, p := range pix {
		m.cache[p*hashFactor>>(m.shift&31)] = p
	}
}

const hashFactor = 0x1e35a7bd

// near are the pixels near by: rows up in the upper four bits; 8 less columns to the left in the lower.
var near = [120]uint8{
	0x18, 0x07, 0x17, 0x19, 0x28, 0x06, 0x27, 0x29, 0x16, 0x1a, 0x26, 0x2a, 0x38, 0x05, 0x37, 0x39, 0x15, 0x1b, 0x36, 0x3a,
	0x25, 0x2b, 0x48, 0x04, 0x47, 0x49, 0x14, 0x1c, 0x35, 0x3b, 0x46, 0x4a, 0x24, 0x2c, 0x58, 0x45, 0x4b, 0x34, 0x3c, 0x03,
	0x57, 0x59, 0x13, 0x1d, 0x56, 0x5a, 0x23, 0x2d, 0x44, 0x4c, 0x55, 0x5b, 0x33, 0x3d, 0x68, 0x02, 0x67, 0x69, 0x12, 0x1e,
	0x66, 0x6a, 0x22, 0x2e, 0x54, 0x5c, 0x43, 0x4d, 0x65, 0x6b, 0x32, 0x3e, 0x78, 0x01, 0x77, 0x79, 0x53, 0x5d, 0x11, 0x1f,
	0x64, 0x6c, 0x42, 0x4e, 0x76, 0x7a, 0x21, 0x2f, 0x75, 0x7b, 0x31, 0x3f, 0x63, 0x6d, 0x52, 0x5e, 0x00, 0x74, 0x7c, 0x41,
	0x4f, 0x10, 0x20, 0x62, 0x6e, 0x30, 0x73, 0x7d, 0x51, 0x5f, 0x40, 0x72, 0x7e, 0x61, 0x6f, 0x50, 0x71, 0x7f, 0x60, 0x70,
}
