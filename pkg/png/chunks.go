package png

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

const (
	format    = "PNG"
	signature = "\x89PNG\r\n\x1a\n"
)

// chunk is one chunk of a file.
//
//	length:32 kind:4 data crc:32
type chunk struct {
	kind []byte
	at   int    // where its data begins in the file
	data []byte // the data, as far as the file has it
	end  int    // where the next chunk begins
	cut  bool   // the file ends before the data does, or before the CRC
	sum  bool   // the CRC is right
}

// chunkAt reads the chunk at an offset. It returns false where the file ends before a chunk's head does. The CRC of
// large chunks is as expensive as a copy, so each chunk is read once.
func chunkAt(file []byte, at int) (chunk, bool, error) {
	if at+8 > len(file) {
		return chunk{}, false, nil
	}
	size := int64(binary.BigEndian.Uint32(file[at:]))
	if size > 1<<31-1 {
		return chunk{}, false, raster.Corruptf(format, int64(at), "a chunk has the length %d", size)
	}
	c := chunk{kind: file[at+4 : at+8], at: at + 8}
	end := int64(c.at) + size
	if end+4 > int64(len(file)) {
		c.data, c.end, c.cut = file[c.at:min(end, int64(len(file)))], len(file), true
		return c, true, nil
	}
	c.data, c.end = file[c.at:end], int(end)+4
	c.sum = crc32.ChecksumIEEE(file[at+4:end]) == binary.BigEndian.Uint32(file[end:])
	return c, true, nil
}

// ancillary tells whether a reader may ignore the chunk.
func (c chunk) ancillary() bool { return c.kind[0]&0x20 != 0 }

// header holds the content of the chunks that precede the pixels.
//
//	IHDR  width:32 height:32 depth:8 color:8 compression:8 filter:8 interlace:8
type header struct {
	width, height int
	depth         int // bits of a sample as stored: 1, 2, 4, 8 or 16
	color         int // one of the constants below
	interlaced    bool
	palette       []byte // three bytes for each colour, nil where there is none
	alpha         []byte // tRNS: an alpha for each of the first colours
	keyed         bool   // tRNS: the colour key is transparent
	key           [3]uint16
	pixels        int // where the first IDAT chunk begins
}

// Colour types.
const (
	gray      = 0
	rgb       = 2
	paletted  = 3
	grayAlpha = 4
	rgbAlpha  = 6
)

// stored returns how many samples a pixel has in the file.
func (h *header) stored() int {
	return [7]int{gray: 1, rgb: 3, paletted: 1, grayAlpha: 2, rgbAlpha: 4}[h.color]
}

// rowBytes returns the bytes of a row of so many pixels in the file, without the filter's.
func (h *header) rowBytes(width int) int { return (width*h.stored()*h.depth + 7) / 8 }

// pixelBytes returns the bytes between a sample and that of the pixel before, at least 1.
func (h *header) pixelBytes() int { return max(1, h.stored()*h.depth/8) }

// readHeader reads the chunks up to the first IDAT.
func (r *Reader) readHeader() error {
	if len(r.file) < len(signature) || string(r.file[:len(signature)]) != signature {
		if len(r.file) < len(signature) && r.file != nil && signature[:len(r.file)] == string(r.file) {
			return raster.Truncatedf(format, "the signature")
		}
		return raster.Corruptf(format, 0, "the signature is missing")
	}
	at := len(signature)
	for first := true; ; first = false {
		c, ok, err := chunkAt(r.file, at)
		switch {
		case err != nil:
			return err
		case !ok || c.cut && string(c.kind) != "IDAT":
			return raster.Truncatedf(format, "the header")
		case first && string(c.kind) == "CgBI":
			return raster.Unsupportedf(format, "a CgBI chunk (Apple's own variant)")
		case first && string(c.kind) != "IHDR":
			return raster.Corruptf(format, int64(at), "the first chunk is %q, not IHDR", c.kind)
		case string(c.kind) == "IDAT":
			if r.color == paletted && r.palette == nil {
				return raster.Corruptf(format, int64(at), "the palette is missing")
			}
			r.pixels = at
			return nil
		case !c.sum && !c.ancillary():
			return raster.Corruptf(format, int64(at), "the CRC of %s is wrong", c.kind)
		case !c.sum:
			r.warnf("chunk %s was ignored: its CRC is wrong", c.kind)
		default:
			if err := r.readChunk(c, first); err != nil {
				return err
			}
		}
		at = c.end
	}
}

func (r *Reader) readChunk(c chunk, first bool) error {
	switch string(c.kind) {
	case "IHDR":
		if !first {
			return raster.Corruptf(format, int64(c.at), "a second IHDR")
		}
		return r.readIHDR(c)
	case "PLTE":
		return r.readPLTE(c)
	case "tRNS":
		r.readTRNS(c)
	case "IEND":
		return raster.Truncatedf(format, "the header: there are no pixels")
	default:
		if !c.ancillary() {
			return raster.Unsupportedf(format, "the critical chunk %q", c.kind)
		}
	}
	return nil
}

func (r *Reader) readIHDR(c chunk) error {
	if len(c.data) != 13 {
		return raster.Corruptf(format, int64(c.at), "IHDR has %d bytes, not 13", len(c.data))
	}
	width, height := binary.BigEndian.Uint32(c.data), binary.BigEndian.Uint32(c.data[4:])
	if err := r.opt.CheckSize(format, int64(width), int64(height)); err != nil {
		return err
	}
	r.width, r.height = int(width), int(height)
	r.depth, r.color = int(c.data[8]), int(c.data[9])
	known := map[int][]int{gray: {1, 2, 4, 8, 16}, rgb: {8, 16}, paletted: {1, 2, 4, 8}, grayAlpha: {8, 16},
		rgbAlpha: {8, 16}}
	valid := false
	for _, depth := range known[r.color] {
		valid = valid || depth == r.depth
	}
	switch {
	case !valid:
		return raster.Corruptf(format, int64(c.at), "colour type %d with %d bits a sample", r.color, r.depth)
	case c.data[10] != 0:
		return raster.Unsupportedf(format, "compression method %d", c.data[10])
	case c.data[11] != 0:
		return raster.Unsupportedf(format, "filter method %d", c.data[11])
	case c.data[12] > 1:
		return raster.Unsupportedf(format, "interlace method %d", c.data[12])
	}
	r.interlaced = c.data[12] == 1
	return nil
}

func (r *Reader) readPLTE(c chunk) error {
	switch colors := len(c.data) / 3; {
	case r.color != paletted:
		return nil // a suggested palette, which no pixel refers to
	case r.palette != nil:
		return raster.Corruptf(format, int64(c.at), "a second palette")
	case len(c.data)%3 != 0 || colors == 0 || colors > 256:
		return raster.Corruptf(format, int64(c.at), "the palette has %d bytes", len(c.data))
	case colors > 1<<r.depth:
		r.warnf("the palette has %d colours and %d bits a pixel: the surplus was ignored", colors, r.depth)
		r.palette = c.data[:3<<r.depth]
	default:
		r.palette = c.data
	}
	return nil
}

// readTRNS reads which colours are transparent. It ignores a chunk that does not fit the colour type, as libpng does.
func (r *Reader) readTRNS(c chunk) {
	switch {
	case r.color == paletted && r.palette != nil && len(c.data) <= len(r.palette)/3:
		r.alpha = c.data
	case r.color == gray && len(c.data) == 2, r.color == rgb && len(c.data) == 6:
		r.keyed = true
		for i := range len(c.data) / 2 {
			r.key[i] = binary.BigEndian.Uint16(c.data[2*i:]) & (1<<r.depth - 1)
		}
	default:
		r.warnf("chunk tRNS was ignored: it does not fit colour type %d", r.color)
	}
}
