package tiff

import (
	"bytes"
	"errors"
	"math/bits"

	"github.com/imagefarm/imagefarm/pkg/jpeg"
	"github.com/imagefarm/imagefarm/pkg/raster"
)

// codedJPEG decodes strips and tiles that are JPEG data.
type codedJPEG struct {
	page    *page
	tables  []byte // JPEGTables without the end marker; nil if each strip has its own tables
	file    []byte // old-style data: a whole JPEG file, and the bytes that follow it
	decoder jpeg.Decoder
	planes  []jpeg.Planes // of the current strips
}

func (p *page) newJPEG() (*codedJPEG, error) {
	if p.bits != 8 {
		return nil, unsupported("JPEG data of %d bits", p.bits)
	}
	if colors := p.samples; !p.planar && colors != 1 && colors != 3 && colors != 4 {
		return nil, unsupported("JPEG data of %d samples a pixel", colors)
	}
	if p.photometric == paletted {
		return nil, unsupported("JPEG data of palette indices")
	}
	c := &codedJPEG{page: p, planes: make([]jpeg.Planes, p.planes())}
	if p.compression == oldJPEG {
		if p.planar || p.samples != 1 && p.samples != 3 {
			return nil, unsupported("old-style JPEG data of %d samples a pixel", p.samples)
		}
		p.tiled, p.tileWidth, p.tileHeight, p.across, p.down = false, p.width, p.height, 1, 1
		for _, at := range []int64{p.at(p.entries[tagInterchange], 0), p.at(p.entries[tagStripOffsets], 0)} {
			if at >= 8 && at+2 <= int64(len(p.data)) && p.data[at] == 0xff && p.data[at+1] == 0xd8 {
				c.file = p.data[at:]
				return c, nil
			}
		}
		return nil, unsupported("old-style JPEG data in pieces (compression 6)")
	}
	if t := p.entries[tagJPEGTables].value; len(t) > 4 && t[0] == 0xff && t[1] == 0xd8 {
		c.tables = bytes.TrimSuffix(t, []byte{0xff, 0xd9})
	}
	return c, nil
}

// whole decodes the JPEG file of old-style data. Its length tag is ignored, because writers disagree about its meaning.
func (c *codedJPEG) whole() (stream, error) { return c.decode(c.file, 0, c.page.width, c.page.height) }

// strip decodes a strip or tile of so many pixels and rows.
func (c *codedJPEG) strip(data []byte, plane, width, rows int) (stream, error) {
	if len(data) < 4 || data[0] != 0xff || data[1] != 0xd8 {
		return nil, fault("the JPEG data of a strip or tile do not begin as such")
	}
	if c.tables != nil {
		data = append(bytes.Clone(c.tables), data[2:]...)
	}
	return c.decode(data, plane, width, rows)
}

func (c *codedJPEG) decode(data []byte, plane, width, rows int) (stream, error) {
	h, err := jpeg.DecodeHeader(data)
	if err != nil {
		return nil, explainJPEG(err)
	}
	if want := c.page.perPixel(); len(h.Components) != want {
		return nil, fault("the JPEG data of a strip or tile have another number of components than the page")
	}
	if h.Width < width || h.Height < rows {
		return nil, fault("the JPEG data of a strip or tile are smaller than it")
	}
	// A JPEG header that claims far more pixels than the tile has is rejected before it costs memory.
	if int64(h.Width)*int64(h.Height) > 4*int64(max(width, 64))*int64(max(c.page.tileHeight, rows, 64)) {
		return nil, fault("the JPEG data of a strip or tile are much larger than it")
	}
	if err := c.decoder.Decode(&c.planes[plane], data, jpeg.Options{}); err != nil {
		return nil, explainJPEG(err)
	}
	return &jpegRows{planes: &c.planes[plane], convert: c.page.photometric == ycbcr && len(h.Components) == 3 &&
		(c.page.compression == jpegCompression || h.Color == jpeg.YCbCr)}, nil
}

func explainJPEG(err error) error {
	var feature *jpeg.UnsupportedError
	var truncated *jpeg.TruncatedError
	switch {
	case errors.As(err, &feature):
		return raster.Unsupportedf(format, "JPEG data with %s", feature.Feature)
	case errors.As(err, &truncated):
		return errShort
	}
	return fault(err.Error())
}

// jpegRows reads the rows of decoded planes, interleaved and at full resolution. It ignores Adobe segments: TIFF stores
// CMYK samples without inversion.
type jpegRows struct {
	planes  *jpeg.Planes
	convert bool // YCbCr to RGB
	y       int
	wide    [4][]byte // a row of each component at full resolution
	blend   []int32   // two rows of a component, weighted
}

func (s *jpegRows) read(dst []byte) error {
	components := s.planes.Components()
	n := len(components)
	width := len(dst) / n
	for i, plane := range components {
		s.wide[i] = s.resample(s.wide[i], plane, width)
		if !s.convert {
			for x, v := range s.wide[i][:width] {
				dst[n*x+i] = v
			}
		}
	}
	if s.convert {
		a, b, c := s.wide[0][:width], s.wide[1][:width], s.wide[2][:width]
		for i := range a {
			d := dst[3*i : 3*i+3]
			d[0], d[1], d[2] = toRGB(a[i], b[i], c[i])
		}
	}
	s.y++
	return nil
}

// toRGB converts YCbCr with the coefficients of JFIF.
func toRGB(y, cb, cr byte) (r, g, b byte) {
	l, u, v := int32(y)<<16+1<<15, int32(cb)-128, int32(cr)-128
	return byte(level(l + 91881*v)), byte(level(l - 22554*u - 46802*v)), byte(level(l + 116130*u))
}

// resample returns the current row of a component at full resolution. It interpolates linearly, as libjpeg does.
func (s *jpegRows) resample(dst []byte, p *jpeg.Plane, width int) []byte {
	full := s.planes
	if p.Width == full.Width && p.Height == full.Height || full.Color == jpeg.Gray {
		return p.Pix[s.y*p.Stride:][:width]
	}
	if len(dst) < width {
		dst = make([]byte, width)
	}
	if len(s.blend) < p.Width {
		s.blend = make([]int32, p.Width)
	}
	maxH, maxV := max(full.Y.H, full.Cb.H, full.Cr.H, full.K.H), max(full.Y.V, full.Cb.V, full.Cr.V, full.K.V)
	// The middle of row y lies at (y + ½)·V/maxV − ½ among the samples: in steps of 1/(2·maxV). Columns likewise.
	above, below, down := between(s.y, p.V, maxV, p.Height)
	top, low := p.Pix[above*p.Stride:][:p.Width], p.Pix[below*p.Stride:][:p.Width]
	blend, a, b := s.blend[:p.Width], int32(2*maxV-down), int32(down)
	for i := range blend {
		blend[i] = int32(top[i])*a + int32(low[i])*b
	}
	n := int32(4 * maxH * maxV)
	if maxH == 2*p.H && maxV != 3 { // the usual case: three quarters of the nearer sample and one of the farther
		shift := uint(bits.TrailingZeros(uint(8*maxV))) & 31
		half := int32(4 * maxV)
		before := blend[0]
		for i, v := range blend {
			after := blend[min(i+1, len(blend)-1)]
			if 2*i < width {
				dst[2*i] = byte((3*v + before + half) >> shift)
			}
			if 2*i+1 < width {
				dst[2*i+1] = byte((3*v + after + half) >> shift)
			}
			before = v
		}
		return dst
	}
	for x := range width {
		left, right, across := between(x, p.H, maxH, p.Width)
		dst[x] = byte((blend[left]*int32(2*maxH-across) + blend[right]*int32(across) + n/2) / n)
	}
	return dst
}

// between returns the two samples between which a pixel's middle lies, and how far from the first, in parts of 2·most.
func between(at, factor, most, size int) (first, second, part int) {
	twice := (2*at+1)*factor - most // 2·most times the place
	first = twice / (2 * most)
	if part = twice - first*2*most; twice < 0 {
		first, part = 0, 0
	}
	return min(first, size-1), min(first+1, size-1), part
}
