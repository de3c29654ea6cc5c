package pipeline

import (
	"github.com/imagefarm/imagefarm/pkg/engine/resample"
	"github.com/imagefarm/imagefarm/pkg/jpeg"
)

// space is the memory of one transform, used again by the next.
type space struct {
	decoder   jpeg.Decoder
	decoded   jpeg.Planes
	resampler resample.Resampler
	pieces    [][]byte // of planes: of variants, on their way and done
	given     int      // how many pieces the transform has
	encoder   jpeg.Encoder

	largest int // bytes that the largest transform needed
	smaller int // transforms since one needed at least half of that
}

// The engine frees a space that holds more than alwaysKept after maxSmaller transforms that needed less than half of
// it.
const (
	alwaysKept = 16 << 20 // bytes
	maxSmaller = 32
)

// memory returns n bytes that the transform owns until it ends. They hold arbitrary data.
func (s *space) memory(n int) []byte {
	if s.given == len(s.pieces) {
		s.pieces = append(s.pieces, nil)
	}
	if p := s.pieces[s.given]; cap(p) < n {
		s.pieces[s.given] = make([]byte, n)
	}
	s.given++
	return s.pieces[s.given-1][:n]
}

// used takes the memory back at the end of a transform that needed about so many bytes. It reports whether to use
// the space again.
func (s *space) used(need int) bool {
	s.given = 0
	s.smaller++
	if need >= s.largest/2 {
		s.smaller = 0
	}
	s.largest = max(s.largest, need)
	return s.largest <= alwaysKept || s.smaller < maxSmaller
}

// need is about how many bytes the transform takes up, most of them in the decoder: of every sample a byte, and of a
// progressive image the coefficient, and for each block which are not zero.
func (t *transform) need() int {
	samples := 0
	for _, c := range t.space.decoded.Components() {
		samples += len(c.Pix)
	}
	if t.info.JPEG.Progressive {
		blocks := 3 * t.info.Width * t.info.Height / 64
		samples = 3*samples + 10*blocks
	}
	for _, p := range t.space.pieces[:t.space.given] {
		samples += len(p)
	}
	return samples
}
