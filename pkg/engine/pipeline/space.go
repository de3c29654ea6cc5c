package pipeline

import (
	"bytes"

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
	written   bytes.Buffer

	largest int // bytes that the hungriest transform needed
	modest  int // transforms since one needed half as much
}

// What a space holds of large images is given up after so many transforms that needed less than half of it.
const (
	alwaysKept = 16 << 20 // bytes that are not worth giving up
	patience   = 32
)

// memory returns n bytes that are the transform's until it ends. What lies in them is left from before.
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

// used takes the memory back, notes what a transform needed, about, and reports whether the space is worth being used
// again.
func (s *space) used(need int) bool {
	s.given = 0
	s.modest++
	if need >= s.largest/2 {
		s.modest = 0
	}
	s.largest = max(s.largest, need)
	return s.largest <= alwaysKept || s.modest < patience
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
