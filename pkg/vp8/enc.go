package vp8

import (
	"errors"
	"fmt"
	"image"
)

// EncodeOptions tell how to encode.
type EncodeOptions struct {
	Quality int // 0 (small) to 100, as libwebp counts
	Effort  int // 0 (fast) to 6 (small), as libwebp's method; those below 3 are as 3
}

// The efforts from which on more is done.
const (
	spectralEffort = 4 // errors of detail count as such
	trellisLast    = 5 // luma is quantized by a trellis once its modes are chosen
	trellisAll     = 6 // and before
	mostEffort     = trellisAll
)

// Validate says what is wrong with the options.
func (o EncodeOptions) Validate() error {
	if o.Quality < 0 || o.Quality > 100 {
		return fmt.Errorf("vp8: quality %d is not from 0 to 100", o.Quality)
	}
	if o.Effort < 0 || o.Effort > mostEffort {
		return fmt.Errorf("vp8: effort %d is not from 0 to %d", o.Effort, mostEffort)
	}
	return nil
}

// maxEncodedSide is the largest width and height of a frame.
const maxEncodedSide = 1<<14 - 1

// mostFirstPartition is how many bytes precede the coefficients at most: the frame has 19 bits for that.
const mostFirstPartition = 1<<19 - 1

// diffusedQuality is the highest quality at which errors of colour are diffused: beyond, there are none to speak of.
const diffusedQuality = 98

// Encode encodes a picture of 4:2:0 as a key frame: the data of a chunk "VP8 " of a WebP file. Samples are in the
// limited range. The picture's bounds begin at 0,0.
func Encode(img *image.YCbCr, opt EncodeOptions) ([]byte, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	if err := checkPicture(img); err != nil {
		return nil, err
	}
	return newEncoder(img, opt).encode()
}

func (e *encoder) encode() ([]byte, error) {
	e.analyze()
	e.setSegments()
	e.setSegmentTree()
	for e.code() {
	}
	return e.frame()
}

func checkPicture(img *image.YCbCr) error {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if img.Rect.Min != (image.Point{}) || w < 1 || h < 1 || w > maxEncodedSide || h > maxEncodedSide {
		return fmt.Errorf("vp8: cannot encode a picture with bounds %v", img.Rect)
	}
	cw, ch := (w+1)/2, (h+1)/2
	if img.SubsampleRatio != image.YCbCrSubsampleRatio420 || img.YStride < w || img.CStride < cw ||
		len(img.Y) < (h-1)*img.YStride+w || min(len(img.Cb), len(img.Cr)) < (ch-1)*img.CStride+cw {
		return errors.New("vp8: the picture lacks samples")
	}
	return nil
}

// encodedMacroblock is what is coded of a macroblock, but for its coefficients.
type encodedMacroblock struct {
	modes   [16]mode // of the blocks of luma; the first is that of all if it is whole
	color   mode
	whole   bool
	segment uint8
	alpha   uint8 // how easily it is compressed
}

// encoder encodes one picture.
type encoder struct {
	img          *image.YCbCr
	opt          EncodeOptions
	across, down int // macroblocks

	macroblocks   []encodedMacroblock
	segments      [segments]encodedSegment
	segmentCount  int
	segmentTree   [segments - 1]uint8
	mapped        bool  // macroblocks say to which segment they belong
	mapCost       int64 // what that costs
	baseQuantizer int
	colorAlpha    int // mean of all macroblocks
	colorDC       int // what is added to the quantizer's index for the means of colour
	colorAC       int // and for the rest
	filter        int

	probs  tokenProbs
	costs  [4]planeCosts
	tokens tokenBuffer

	built *image.YCbCr // of whole macroblocks, where the reconstruction goes before its edges are smoothed; nil: nowhere

	// mostHeader limits what the modes of the blocks of a macroblock cost. It is lowered until what precedes the
	// coefficients fits into its partition.
	mostHeader int64
	mostModes  int64 // how many bytes the modes of all macroblocks may take

	// The macroblock that is coded, and what those before it left.
	x, y        int
	above       []neighbor
	left        neighbor
	tops        [3][]byte // the lowest row of the macroblocks above
	border      border
	diffuses    bool
	errorsAbove []colorErrors
	errorsLeft  colorErrors

	src, bufferA, bufferB [bufferSize]byte
	out, spare            []byte // of bufferA and bufferB
	pred                  [predictionsSize]byte
	around                [37]byte
	edge                  [16]byte
	trials                blockTrials
	coefs                 [16 * 16]int16
	choices               [2]choice
	luma, trial           *choice
	colors                [2]colorChoice
	color, colorTrial     *colorChoice
}

func newEncoder(img *image.YCbCr, opt EncodeOptions) *encoder {
	e := &encoder{
		img: img, opt: opt, across: (img.Rect.Dx() + 15) / 16, down: (img.Rect.Dy() + 15) / 16,
		diffuses: opt.Quality <= diffusedQuality,
		// 16 bits for each block are more than a mode can cost. The header takes less than the two kilobytes that are left.
		mostHeader: 16 * 16 * 256, mostModes: mostFirstPartition - 2048,
	}
	e.macroblocks = make([]encodedMacroblock, e.across*e.down)
	e.above = make([]neighbor, e.across)
	e.errorsAbove = make([]colorErrors, e.across)
	e.tops = [3][]byte{make([]byte, 16*e.across+4), make([]byte, 8*e.across), make([]byte, 8*e.across)}
	e.out, e.spare = e.bufferA[:], e.bufferB[:]
	e.luma, e.trial = &e.choices[0], &e.choices[1]
	e.color, e.colorTrial = &e.colors[0], &e.colors[1]
	return e
}

// code decides how all macroblocks are coded, and records their coefficients. It reports whether that has to be done
// again.
func (e *encoder) code() (again bool) {
	e.probs = defaultTokenProbs
	e.setCosts()
	e.tokens.clear()
	clear(e.above)
	clear(e.errorsAbove)
	for i := range e.segments {
		e.segments[i].steepest = 0
	}
	for _, top := range e.tops {
		for x := range top {
			top[x] = 127
		}
	}
	// Costs go by the bits counted so far, which are looked at eight times.
	refresh := max(len(e.macroblocks)/8, 96)
	left := refresh
	header := e.mapCost
	for y := range e.down {
		e.left, e.errorsLeft = neighbor{}, colorErrors{}
		for x := range e.across {
			if left--; left < 0 {
				e.tokens.chooseProbs(&e.probs)
				e.setCosts()
				left = refresh
			}
			e.load(x, y)
			e.startMacroblock()
			m := &e.macroblocks[y*e.across+x]
			e.decide(&e.segments[m.segment])
			e.record(m)
			header += e.luma.header + e.color.header
			e.keepBorder()
			if e.built != nil {
				e.keepBuilt()
			}
		}
	}
	if header>>11 > e.mostModes && e.mostHeader > 0 {
		e.mostHeader /= 2
		return true
	}
	e.tokens.chooseProbs(&e.probs)
	e.filter = e.adjustFilters()
	return false
}

func (e *encoder) setCosts() {
	for i := range e.costs {
		e.costs[i].set(&e.probs[i])
	}
}

// record keeps the decisions about a macroblock: for the header, and for those that follow.
func (e *encoder) record(m *encodedMacroblock) {
	c, above, left := e.luma, &e.above[e.x], &e.left
	m.whole, m.color = c.whole, e.color.mode
	plane, first := planeLuma, 0
	if c.whole {
		m.modes[0] = c.mode
		above.modes = [4]mode{c.mode, c.mode, c.mode, c.mode}
		left.modes = above.modes
		plane, first = planeAfterSecond, 1
		any := c.coded>>24 != 0
		e.tokens.block(planeSecond, &c.second, 0, any, above.second+left.second)
		above.second = uint8(one(any))
		left.second = above.second
	} else {
		m.modes = c.modes
		above.modes = [4]mode(c.modes[12:])
		left.modes = [4]mode{c.modes[3], c.modes[7], c.modes[11], c.modes[15]}
	}
	for i := range 16 {
		x, y, any := i&3, i>>2, c.coded>>i&1
		e.tokens.block(plane, blockOf(c.levels[:], i), first, any != 0, above.luma[x]+left.luma[y])
		above.luma[x], left.luma[y] = uint8(any), uint8(any)
	}
	for i := range 8 {
		x, y, any := i>>2*2+i&1, i>>2*2+i>>1&1, e.color.coded>>i&1
		e.tokens.block(planeColor, blockOf(e.color.levels[:], i), 0, any != 0, above.color[x]+left.color[y])
		above.color[x], left.color[y] = uint8(any), uint8(any)
	}
}
