package tiff

import (
	"fmt"
	"math"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// Header describes one page.
type Header struct {
	Width, Height int
	Pages         int  // in the file
	Orientation   int  // 1 to 8 as EXIF numbers them; 1 where nothing is said
	Gray          bool // the page has no colours
	CMYK          bool // its samples are inks
	Alpha         bool

	ICC, XMP, IPTC []byte // nil where there is none
	EXIF           bool   // there is an EXIF directory, an artist or a copyright
}

// page is a directory, checked: this package supports every feature that it uses.
type page struct {
	*directory
	width, height int

	compression  compression
	photometric  photometric
	bits         int // of a sample
	samples      int // of a pixel
	sampleFormat sampleFormat
	planar       bool // each sample has strips or tiles of its own
	predictor    int
	reversed     bool  // FillOrder 2: the first pixel is in the lowest bit of a byte
	alpha        alpha // the meaning of the first extra sample
	colors       int   // samples that are colours, or the index to the palette

	tiled                 bool
	tileWidth, tileHeight int // of a strip: the width, and the rows of all but the last
	across, down          int // tiles in each direction
	subX, subY            int // pixels that share a colour, for YCbCr without JPEG; otherwise 1

	warnings []string
}

type sampleFormat int

const (
	unsigned sampleFormat = 1
	signed   sampleFormat = 2
	floating sampleFormat = 3
	unknown  sampleFormat = 4
)

// alpha is the meaning of the sample that follows the colours.
type alpha int

const (
	noAlpha         alpha = iota // none, or of unspecified meaning
	associatedAlpha              // colours are multiplied by it
	straightAlpha
)

type photometric int

const (
	minIsWhite photometric = 0
	minIsBlack photometric = 1
	rgb        photometric = 2
	paletted   photometric = 3
	mask       photometric = 4
	separated  photometric = 5
	ycbcr      photometric = 6
	cieLab     photometric = 8
	iccLab     photometric = 9
	ituLab     photometric = 10
	cfa        photometric = 32803
	logL       photometric = 32844
	logLuv     photometric = 32845
	linearRaw  photometric = 34892
)

// ReadHeader reads the directory of a page, counted from 0. Its errors are those of Open.
func ReadHeader(data []byte, number int) (Header, error) {
	p, pages, err := readPage(data, raster.Options{Page: number, MaxPixels: math.MaxInt64})
	if err != nil {
		return Header{}, err
	}
	h := Header{
		Width: p.width, Height: p.height, Pages: pages, Orientation: 1, Alpha: p.alpha != noAlpha,
		CMYK: p.photometric == separated,
		Gray: p.photometric == minIsWhite || p.photometric == minIsBlack || p.photometric == mask,
		ICC:  p.entries[34675].value, XMP: p.entries[700].value, IPTC: p.entries[33723].value,
	}
	if o := p.int(tagOrientation, 1); 1 <= o && o <= 8 {
		h.Orientation = o
	}
	for _, tag := range []uint16{315, 33432, 34665} { // artist, copyright, EXIF
		h.EXIF = h.EXIF || p.has(tag)
	}
	return h, nil
}

// Pages counts the pages of a file. It stops at a directory that cannot be read. The error is that of a header.
func Pages(data []byte) (int, error) {
	f, first, err := openFile(data)
	if err != nil {
		return 0, err
	}
	return f.pages(first), nil
}

func readPage(data []byte, opt raster.Options) (*page, int, error) {
	f, first, err := openFile(data)
	if err != nil {
		return nil, 0, err
	}
	d, err := f.page(first, opt.Page)
	if err != nil {
		return nil, 0, err
	}
	p := &page{directory: d}
	if d.lost != 0 {
		return nil, 0, raster.Truncatedf(format, "the values of tag %d", d.lost)
	}
	if err := p.read(opt); err != nil {
		return nil, 0, err
	}
	return p, f.pages(first), nil
}

func unsupported(feature string, args ...any) error {
	return raster.Unsupportedf(format, feature, args...)
}

func (p *page) read(opt raster.Options) error {
	if !p.has(tagWidth) || !p.has(tagHeight) {
		return raster.Corruptf(format, 0, "the directory has no width or no height")
	}
	width, height := p.at(p.entries[tagWidth], 0), p.at(p.entries[tagHeight], 0)
	if err := opt.CheckSize(format, width, height); err != nil {
		return err
	}
	if width > math.MaxInt32 || height > math.MaxInt32 {
		return &raster.TooLargeError{Format: format, Width: width, Height: height, MaxPixels: math.MaxInt32}
	}
	p.width, p.height = int(width), int(height)
	for _, step := range []func() error{p.readCompression, p.readSamples, p.readColors, p.readPredictor, p.readLayout} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (p *page) readSamples() error {
	p.samples = p.int(tagSamples, 1)
	if bits := p.entries[tagBits]; !p.has(tagSamples) && bits.count > 1 {
		p.samples = bits.count
	}
	if p.samples < 1 || p.samples > 64 {
		return unsupported("%d samples a pixel", p.samples)
	}
	p.bits = p.int(tagBits, 1)
	for i := range min(p.samples, p.entries[tagBits].count) {
		if b := int(p.at(p.entries[tagBits], i)); b != p.bits {
			return unsupported("samples of %d and of %d bits", p.bits, b)
		}
	}
	if p.samples*p.bits > 512 {
		return unsupported("%d samples of %d bits", p.samples, p.bits)
	}
	p.sampleFormat = sampleFormat(p.int(tagSampleFormat, int(unsigned)))
	switch p.sampleFormat {
	case unsigned, unknown:
		if p.bits < 1 || p.bits > 16 && p.bits != 24 && p.bits != 32 && p.bits != 64 {
			return unsupported("%d bits a sample", p.bits)
		}
	case floating:
		if p.bits != 16 && p.bits != 24 && p.bits != 32 && p.bits != 64 {
			return unsupported("floating-point samples of %d bits", p.bits)
		}
	case signed:
		return unsupported("signed samples")
	case 5, 6:
		return unsupported("complex samples")
	default:
		return unsupported("samples of format %d", p.sampleFormat)
	}
	p.planar = p.int(tagPlanar, 1) == 2 && p.samples > 1
	p.reversed = p.int(tagFillOrder, 1) == 2
	return nil
}

func (p *page) readColors() error {
	p.photometric = photometric(p.int(tagPhotometric, -1))
	if !p.has(tagPhotometric) {
		p.photometric = minIsBlack
		switch {
		case p.compression.fax():
			p.photometric = minIsWhite
		case p.samples >= 3:
			p.photometric = rgb
		}
	}
	p.subX, p.subY = 1, 1
	p.colors = 1
	switch p.photometric {
	case minIsWhite, minIsBlack, mask:
	case rgb, cieLab, iccLab:
		p.colors = 3
	case paletted:
		if p.bits > 8 {
			return unsupported("a palette and %d bits a sample", p.bits)
		}
		if n := p.entries[tagColorMap].count; n < 3<<p.bits || p.entries[tagColorMap].kind != 3 {
			return raster.Corruptf(format, 0, "the palette has %d values, and %d bits a sample need %d", n, p.bits, 3<<p.bits)
		}
	case separated:
		if set := p.int(tagInkSet, 1); set != 1 {
			return unsupported("inks that are not CMYK")
		}
		p.colors = 4
	case ycbcr:
		p.colors = 3
		if p.compression == jpegCompression || p.compression == oldJPEG {
			break
		}
		p.subX, p.subY = p.int(tagSubsampling, 2), 2
		if e := p.entries[tagSubsampling]; e.count > 1 {
			p.subY = int(p.at(e, 1))
		}
		valid := func(n int) bool { return n == 1 || n == 2 || n == 4 }
		if !valid(p.subX) || !valid(p.subY) {
			return unsupported("colours subsampled %d×%d", p.subX, p.subY)
		}
		if p.bits != 8 || p.samples != 3 {
			return unsupported("YCbCr of %d samples of %d bits", p.samples, p.bits)
		}
		if p.planar && (p.subX > 1 || p.subY > 1) {
			return unsupported("subsampled colours in separate planes")
		}
	case ituLab:
		return unsupported("ITU L*a*b* colours")
	case cfa, linearRaw:
		return unsupported("a camera's raw data")
	case logL, logLuv:
		return unsupported("LogLuv colours")
	default:
		return unsupported("photometric interpretation %d", p.photometric)
	}
	if p.samples < p.colors {
		return raster.Corruptf(format, 0, "%d samples a pixel, and its colours need %d", p.samples, p.colors)
	}
	if (p.photometric == cieLab || p.photometric == iccLab) &&
		(p.bits != 8 && p.bits != 16 || p.sampleFormat == floating) {
		return unsupported("L*a*b* colours of %d bits", p.bits)
	}
	if p.sampleFormat == floating && p.photometric == paletted {
		return unsupported("a palette and floating-point samples")
	}
	p.readAlpha()
	return nil
}

func (p *page) readAlpha() {
	if p.samples == p.colors {
		return
	}
	extra := p.entries[tagExtraSamples]
	switch {
	case extra.count == 0:
		p.alpha = straightAlpha // Pillow does the same
	case p.at(extra, 0) == 1:
		p.alpha = associatedAlpha
	case p.at(extra, 0) == 2:
		p.alpha = straightAlpha
	}
}

func (p *page) readPredictor() error {
	p.predictor = p.int(tagPredictor, 1)
	if !p.compression.predicts() {
		p.predictor = 1
	}
	switch p.predictor {
	case 1:
	case 2:
		if p.bits != 8 && p.bits != 16 && p.bits != 32 && p.bits != 64 {
			return unsupported("a predictor of samples of %d bits", p.bits)
		}
	case 3:
		if p.sampleFormat != floating {
			return raster.Corruptf(format, 0, "a floating-point predictor of integers")
		}
	default:
		return unsupported("predictor %d", p.predictor)
	}
	return nil
}

func (p *page) readLayout() error {
	p.tiled = p.has(tagTileOffsets) || p.has(tagTileWidth)
	if p.tiled {
		p.tileWidth, p.tileHeight = p.int(tagTileWidth, 0), p.int(tagTileHeight, 0)
		const most, pixel = 1 << 16, 16 // a row of tiles is held, so its pixels are bounded
		if bytes := p.samples * p.bits / 8; bytes > pixel {
			return unsupported("tiles of %d bytes a pixel", bytes)
		}
		if p.tileWidth < 1 || p.tileHeight < 1 || p.tileWidth > most || p.tileHeight > most {
			return raster.Corruptf(format, 0, "tiles of %d×%d pixels", p.tileWidth, p.tileHeight)
		}
	} else {
		p.tileWidth, p.tileHeight = p.width, p.height
		if rows := p.at(p.entries[tagRowsPerStrip], 0); rows >= 0 && rows < int64(p.height) {
			p.tileHeight = int(rows)
		}
		if p.tileHeight < 1 {
			return raster.Corruptf(format, 0, "strips of %d rows", p.tileHeight)
		}
	}
	if p.tileWidth%p.subX != 0 && p.tiled || p.tileHeight%p.subY != 0 && p.tileHeight < p.height {
		return raster.Corruptf(format, 0, "tiles or strips that part pixels of one colour")
	}
	p.across, p.down = (p.width+p.tileWidth-1)/p.tileWidth, (p.height+p.tileHeight-1)/p.tileHeight
	if p.compression == oldJPEG {
		return nil
	}
	if offsets, need := p.offsets(), p.across*p.down*p.planes(); offsets.count < need {
		return raster.Corruptf(format, 0, "the offsets of %d strips or tiles of %d", offsets.count, need)
	}
	return nil
}

// planes returns the number of separately stored planes: 1 where the samples of a pixel are stored together.
func (p *page) planes() int {
	if p.planar {
		return p.samples
	}
	return 1
}

func (p *page) offsets() entry {
	if p.tiled {
		if e := p.entries[tagTileOffsets]; e.count > 0 {
			return e
		}
	}
	return p.entries[tagStripOffsets]
}

func (p *page) counts() entry {
	if p.tiled {
		if e := p.entries[tagTileCounts]; e.count > 0 {
			return e
		}
	}
	return p.entries[tagStripCounts]
}

func (p *page) warnf(text string, args ...any) {
	if len(p.warnings) < 10 {
		p.warnings = append(p.warnings, fmt.Sprintf(text, args...))
	}
}
