package vp8

import "math"

// The settings that libwebp has unless it is told otherwise (src/enc/config_enc.c).
const (
	spatialShaping = 50 // how differently segments are quantized, percent
	filterStrength = 60 // percent
)

// encodedSegment is a group of macroblocks that are about as easy to compress.
type encodedSegment struct {
	alpha int // how much coarser it may be quantized than the mean: -127 to 127
	beta  int // how complex it is, 0 to 255: complex ones are smoothed less

	quantizer int // index, 0 to 127
	filter    int // level, 0 to 63

	luma, second, color quantMatrix
	// What a bit counts beside distortion: where a mode is chosen among those of luma as a whole, of 4×4 blocks and of
	// colour, and between the first two.
	lambdaWhole, lambdaBlock, lambdaColor, lambdaMode int
	lambdaSpectral                                    int // what spectral distortion counts beside a squared error
	lambdaTrellisWhole, lambdaTrellisBlock            int

	flatDistortion int // beyond it, a macroblock without detail makes its steps count in steepest
	steepest       int // the largest step between flat blocks, in units of the second-order quantizer
}

// setSegments derives the quantizers and filters of all segments from a quality (libwebp's VP8SetSegmentParams).
func (e *encoder) setSegments() {
	base := compression(float64(e.opt.Quality) / 100)
	const amplitude = 0.9 * spatialShaping / 100 / 128
	for i := range e.segments[:e.segmentCount] {
		s := &e.segments[i]
		s.quantizer = min(max(int(127*(1-math.Pow(base, 1-amplitude*float64(s.alpha)))), 0), 127)
	}
	e.baseQuantizer = e.segments[0].quantizer
	for i := e.segmentCount; i < segments; i++ {
		e.segments[i].quantizer = e.baseQuantizer
	}
	// Colour that is hard to predict is quantized more finely, and its mean always.
	const middle, usual, finest, coarsest = 64, 100 - 30, -4, 6
	e.colorAC = (e.colorAlpha - middle) * (coarsest - finest) / usual * spatialShaping / 100
	e.colorAC = min(max(e.colorAC, finest), coarsest)
	e.colorDC = -4 * spatialShaping / 100
	for i := range e.segments {
		e.segments[i].setFilter()
	}
	e.mergeSegments()
	for i := range e.segments[:e.segmentCount] {
		e.setSteps(&e.segments[i])
	}
}

// compression maps a quality from 0 to 1 to what is kept, of which the quantizer is the rest. 0.75 is the middle, as
// with JPEG. The size of a file grows with the cube of it.
func compression(quality float64) float64 {
	linear := 2*quality - 1
	if quality < 0.75 {
		linear = quality * 2 / 3
	}
	return math.Cbrt(linear)
}

// setFilter derives how strongly edges are smoothed: as the quantizer leaves steps.
func (s *encodedSegment) setFilter() {
	step := min(int(acSteps[s.quantizer])>>2, 63)
	s.filter = min(step*5*filterStrength/(256+s.beta), 63)
	if s.filter < 2 {
		s.filter = 0 // too weak to be seen, so decoders are spared the work
	}
}

// mergeSegments makes one segment of those that have the same quantizer and filter.
func (e *encoder) mergeSegments() {
	var to [segments]uint8
	n := 0
	for i := range e.segmentCount {
		s := &e.segments[i]
		same := 0
		for same < n && (e.segments[same].quantizer != s.quantizer || e.segments[same].filter != s.filter) {
			same++
		}
		to[i] = uint8(same)
		if same == n {
			e.segments[n] = *s
			n++
		}
	}
	if n == e.segmentCount {
		return
	}
	for i := range e.macroblocks {
		e.macroblocks[i].segment = to[e.macroblocks[i].segment]
	}
	for i := n; i < e.segmentCount; i++ {
		e.segments[i] = e.segments[n-1]
	}
	e.segmentCount = n
}

// setSteps sets the quantizer's steps and what goes by them.
func (e *encoder) setSteps(s *encodedSegment) {
	q := s.quantizer
	s.luma = newQuantMatrix(dcSteps[q], acSteps[q], matrixLuma)
	s.second = newQuantMatrix(2*dcSteps[q], max(8, uint16(int(acSteps[q])*155/100)), matrixSecond)
	s.color = newQuantMatrix(dcSteps[min(max(q+e.colorDC, 0), 117)], acSteps[min(max(q+e.colorAC, 0), 127)], matrixColor)
	block, whole, color := s.luma.mean(), s.second.mean(), s.color.mean()
	s.lambdaBlock = max(3*block*block>>7, 1)
	s.lambdaWhole = max(3*whole*whole, 1)
	s.lambdaColor = max(3*color*color>>6, 1)
	s.lambdaMode = max(block*block>>7, 1)
	s.lambdaTrellisBlock = max(7*block*block>>3, 1)
	s.lambdaTrellisWhole = max(whole*whole>>2, 1)
	shaping := 0
	if e.opt.Effort >= spectralEffort {
		shaping = spatialShaping
	}
	s.lambdaSpectral = max(shaping*block>>5, 1)
	s.flatDistortion = 20 * int(s.luma.q[0])
	s.steepest = 0
}

// The kinds of matrices, which differ in how much is rounded down.
const (
	matrixLuma = iota
	matrixSecond
	matrixColor
)

// sharpenBits are the bits of fraction of sharpening.
const sharpenBits = 11

// roundings are added, in 1/256 of a step, before the first coefficient and the others are rounded down. They are less
// than half, because small levels cost much for what they are worth.
var roundings = [3][2]uint32{matrixLuma: {96, 110}, matrixSecond: {96, 108}, matrixColor: {110, 115}}

// sharpening is by what coefficients of luma are raised before they are quantized, in steps: high frequencies would
// suffer most from rounding.
var sharpening = [16]uint32{0, 30, 60, 90, 30, 60, 90, 90, 60, 90, 90, 90, 90, 90, 90, 90}

// newQuantMatrix returns the matrix of a kind with the steps of the first coefficient and of the others.
func newQuantMatrix(dc, ac uint16, kind int) quantMatrix {
	var m quantMatrix
	for i := range m.q {
		step, rounding := uint32(ac), roundings[kind][1]
		if i == 0 {
			step, rounding = uint32(dc), roundings[kind][0]
		}
		m.q[i] = uint16(step)
		m.iq[i] = uint16(1 << quantFix / step)
		m.bias[i] = rounding << (quantFix - 8)
		m.zthresh[i] = (1<<quantFix - 1 - m.bias[i]) / uint32(m.iq[i])
		if kind == matrixLuma {
			m.sharpen[i] = uint16(sharpening[i] * step >> sharpenBits)
		}
	}
	return m
}

// mean returns the mean step.
func (m *quantMatrix) mean() int { return (int(m.q[0]) + 15*int(m.q[1]) + 8) >> 4 }

// adjustFilters strengthens the filters of segments where flat blocks would leave steps that they do not smooth. It
// returns the strongest.
func (e *encoder) adjustFilters() int {
	strongest := 0
	for i := range e.segments {
		s := &e.segments[i]
		s.filter = max(s.filter, min(s.steepest*int(s.second.q[1])>>3, 63))
		strongest = max(strongest, s.filter)
	}
	return strongest
}
