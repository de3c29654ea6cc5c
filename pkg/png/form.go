package png

import (
	"encoding/binary"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// form is how a picture is written: the fewest channels and bits that hold it.
type form struct {
	header
	from   int // channels of the picture
	colors map[uint32]byte
}

// formOf looks at the picture for what it has not: colours, transparency, many colours.
func formOf(img *raster.Image, opt EncodeOptions) *form {
	f := &form{header: header{width: img.Width, height: img.Height, depth: img.Depth}, from: img.Channels}
	colored, transparent := isColored(img), isTransparent(img)
	if opt.KeepColors && img.Channels >= 3 {
		colored = true
	}
	switch {
	case colored && transparent:
		f.color = rgbAlpha
	case colored:
		f.color = rgb
	case transparent:
		f.color = grayAlpha
	default:
		f.color = gray
	}
	switch {
	case img.Depth == 16:
	case f.color == gray:
		f.lowerDepth(img)
	default:
		f.readColors(img)
	}
	return f
}

// isColored tells whether a pixel is not gray.
func isColored(img *raster.Image) bool {
	if img.Channels < 3 {
		return false
	}
	bytes := img.Depth / 8
	size := img.Channels * bytes
	for y := range img.Height {
		for row := img.Row(y); len(row) >= size; row = row[size:] {
			if row[0] != row[bytes] || row[0] != row[2*bytes] || row[bytes-1] != row[2*bytes-1] ||
				row[bytes-1] != row[3*bytes-1] {
				return true
			}
		}
	}
	return false
}

// isTransparent tells whether a pixel is not opaque.
func isTransparent(img *raster.Image) bool {
	if img.Channels&1 == 1 {
		return false
	}
	bytes := img.Depth / 8
	size := img.Channels * bytes
	for y := range img.Height {
		for row := img.Row(y); len(row) >= size; row = row[size:] {
			if row[size-1] != 255 || row[size-bytes] != 255 {
				return true
			}
		}
	}
	return false
}

// lowerDepth lowers the depth of gray where each level is one of fewer bits.
func (f *form) lowerDepth(img *raster.Image) {
	var seen [256]bool
	for y := range img.Height {
		for row := img.Row(y); len(row) >= img.Channels; row = row[img.Channels:] {
			seen[row[0]] = true
		}
	}
	for _, depth := range []int{1, 2, 4} {
		fits := true
		for v, there := range seen {
			fits = fits && (!there || v%(255/(1<<depth-1)) == 0)
		}
		if fits {
			f.depth = depth
			return
		}
	}
}

// readColors makes a palette where there are at most 256 colours, and it is shorter than what it saves.
func (f *form) readColors(img *raster.Image) {
	colors := make(map[uint32]byte, 257)
	var list []uint32
	last, some := uint32(0), false
	for y := range img.Height {
		for row := img.Row(y); len(row) >= img.Channels; row = row[img.Channels:] {
			c := f.at(row)
			if some && c == last {
				continue
			}
			last, some = c, true
			if _, there := colors[c]; !there {
				if len(list) == 256 {
					return
				}
				colors[c] = byte(len(list))
				list = append(list, c)
			}
		}
	}
	if img.Width*img.Height < 2*len(list) {
		return
	}
	// Colours with alpha come first, so that tRNS is short.
	next := 0
	for pass := range 2 {
		for _, c := range list {
			if opaque := c>>24 == 255; opaque == (pass == 1) {
				colors[c] = byte(next)
				next++
				f.palette = append(f.palette, byte(c), byte(c>>8), byte(c>>16))
				if !opaque {
					f.header.alpha = append(f.header.alpha, byte(c>>24))
				}
			}
		}
	}
	f.colors, f.color, f.depth = colors, paletted, 8
	for _, depth := range []int{4, 2, 1} {
		if len(list) <= 1<<depth {
			f.depth = depth
		}
	}
}

// at returns a pixel of 8 bits as one number: red in the lowest byte, alpha in the highest.
func (f *form) at(p []byte) uint32 {
	switch f.from {
	case 2:
		return uint32(p[0])*0x10101 | uint32(p[1])<<24
	case 3:
		return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | 255<<24
	}
	return binary.LittleEndian.Uint32(p)
}

// reduce writes a row in the form.
func (f *form) reduce(dst, row []byte) {
	bytes := max(1, f.depth/8)
	keep := f.stored() * bytes
	step := f.from * bytes
	switch {
	case f.color == paletted:
		f.index(dst, row)
	case f.depth < 8:
		f.pack(dst, row)
	case keep == step:
		copy(dst, row)
	case f.color == grayAlpha:
		for ; len(row) >= step; dst, row = dst[keep:], row[step:] {
			copy(dst[:bytes], row)
			copy(dst[bytes:keep], row[step-bytes:step])
		}
	case keep == 3 && step == 4:
		for ; len(row) >= 4; dst, row = dst[3:], row[4:] {
			dst[0], dst[1], dst[2] = row[0], row[1], row[2]
		}
	default:
		for ; len(row) >= step; dst, row = dst[keep:], row[step:] {
			copy(dst[:keep], row)
		}
	}
}

// index writes indices to the palette.
func (f *form) index(dst, row []byte) {
	last := f.at(row)
	i := f.colors[last]
	f.packed(dst, len(row)/f.from, func(x int) byte {
		if c := f.at(row[x*f.from:]); c != last {
			last, i = c, f.colors[c]
		}
		return i
	})
}

// pack writes gray of fewer bits.
func (f *form) pack(dst, row []byte) {
	scale := byte(255 / (1<<f.depth - 1))
	f.packed(dst, len(row)/f.from, func(x int) byte { return row[x*f.from] / scale })
}

// packed writes so many samples of 1 to 8 bits.
func (f *form) packed(dst []byte, width int, sample func(x int) byte) {
	acc, have := byte(0), 0
	for x := range width {
		acc = acc<<(f.depth&7) | sample(x)
		if have += f.depth; have == 8 {
			dst[0], dst = acc, dst[1:]
			acc, have = 0, 0
		}
	}
	if have > 0 {
		dst[0] = acc << (8 - have)
	}
}
