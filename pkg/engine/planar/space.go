package planar

import (
	"bytes"

	"github.com/imagefarm/imagefarm/pkg/jpeg"
)

// space is the memory of one transform, used again by the next.
type space struct {
	decoder   jpeg.Decoder
	decoded   jpeg.Planes
	resampler resampler
	pictures  [][]byte // the planes of the variants, one piece of memory for each picture
	turned    []byte   // those of the variant whose orientation was applied
	studio    []byte   // those of the variant that becomes WebP
	written   bytes.Buffer

	largest int // bytes that the hungriest transform needed
	modest  int // transforms since one needed half as much
}

// What a space holds of large images is given up after so many transforms that needed less than half of it.
const (
	alwaysKept = 16 << 20 // bytes that are not worth giving up
	patience   = 32
)

// used notes what a transform needed, about, and reports whether the space is worth being used again.
func (s *space) used(need int) bool {
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
	samples := len(t.space.decoded.Y.Pix) + len(t.space.decoded.Cb.Pix) + len(t.space.decoded.Cr.Pix)
	if !t.info.JPEG.Progressive {
		return samples
	}
	blocks := 3 * t.info.Width * t.info.Height / 64
	return 3*samples + 10*blocks
}

// picture returns number i of the pictures in this memory.
func (s *space) picture(i, w, h int, gray bool) *picture {
	for len(s.pictures) <= i {
		s.pictures = append(s.pictures, nil)
	}
	s.pictures[i] = grow(s.pictures[i], pictureSize(w, h, gray))
	return newPicture(s.pictures[i], w, h, gray)
}
