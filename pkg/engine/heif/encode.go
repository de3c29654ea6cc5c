package heif

import (
	"errors"
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Options tell how to encode a picture.
type Options struct {
	Quality  int             // 1 to 100
	Effort   int             // 0 (fast) to 9 (small)
	Sampling native.Sampling // the resolution of colour
}

// speed is how encoders call the opposite of effort, 0 to 9.
func (o Options) speed() int { return 9 - o.Effort }

// EncodeAVIF encodes a still, with a plane of alpha where anything is transparent.
func EncodeAVIF(img *image.NRGBA, opt Options) ([]byte, error) {
	if img.Rect.Empty() {
		return nil, errors.New("avif: no picture to encode")
	}
	if lib, err := native.LibHEIF(); err == nil && lib.EncodesAV1 {
		return lib.EncodeAVIF(planesOf(img, opt.Sampling), opt.Quality, opt.speed())
	}
	return encodeInSandbox(img, opt)
}

// encodeInSandbox encodes by libavif and libaom in WebAssembly.
func encodeInSandbox(img *image.NRGBA, opt Options) ([]byte, error) {
	p, err := avifEncodeProgram()
	if err != nil {
		return nil, err
	}
	s, err := p.start()
	if err != nil {
		return nil, err
	}
	defer s.close()
	w, h := img.Rect.Dx(), img.Rect.Dy()
	in, err := s.allocate(4 * w * h)
	if err != nil {
		return nil, err
	}
	pix, err := s.view(in, 4*w*h)
	if err != nil {
		return nil, err
	}
	for y := range h {
		premultiply(pix[4*w*y:][:4*w], img.Pix[y*img.Stride:])
	}
	size, err := s.allocate(8)
	if err != nil {
		return nil, err
	}
	chroma := map[native.Sampling]uint64{native.Sampling444: 1, native.Sampling422: 2, native.Sampling420: 3}
	at, err := s.call("encode", in, uint64(w), uint64(h), size, uint64(opt.Quality), uint64(opt.Quality),
		uint64(opt.speed()), chroma[opt.Sampling])
	if err != nil {
		return nil, err
	}
	n, err := s.words(size, 1)
	if err != nil || at == 0 || n[0] == 0 {
		return nil, errors.Join(errors.New("libavif cannot encode the picture"), err)
	}
	out, err := s.view(uint64(at), n[0])
	if err != nil {
		return nil, err
	}
	return append([]byte(nil), out...), nil
}

// premultiply writes a row of samples, colours times alpha.
func premultiply(to, from []byte) {
	for i := 0; i < len(to); i += 4 {
		a := uint32(from[i+3])
		for c := range 3 {
			to[i+c] = byte((uint32(from[i+c])*a + 127) / 255)
		}
		to[i+3] = byte(a)
	}
}

// planesOf converts to YCbCr in the full range of BT.601. A sample of colour is the mean of the one, two or four pixels
// that it covers.
func planesOf(img *image.NRGBA, s native.Sampling) *picture.Picture {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	across, down := 1, 1
	if s != native.Sampling444 {
		across = 2
	}
	if s == native.Sampling420 {
		down = 2
	}
	p := &picture.Picture{Model: picture.YCbCr, Planes: []picture.Plane{
		emptyPlane(w, h, 1, 1), emptyPlane(w, h, across, down), emptyPlane(w, h, across, down),
	}}
	luma, cb, cr := &p.Planes[0], &p.Planes[1], &p.Planes[2]
	for y := range h {
		row := img.Pix[y*img.Stride:][:4*w]
		to := luma.Pix[y*w:][:w]
		for x := range to {
			r, g, b := int(row[4*x]), int(row[4*x+1]), int(row[4*x+2])
			to[x] = byte((19595*r + 38470*g + 7471*b + 1<<15) >> 16)
		}
	}
	for y := range cb.Height {
		above, below := img.Pix[down*y*img.Stride:], img.Pix[min(down*y+down-1, h-1)*img.Stride:]
		for x := range cb.Width {
			left, right := 4*across*x, 4*min(across*x+across-1, w-1)
			sum := func(c int) int {
				return int(above[left+c]) + int(above[right+c]) + int(below[left+c]) + int(below[right+c])
			}
			r, g, b := sum(0), sum(1), sum(2)
			cb.Pix[y*cb.Stride+x] = clamp((-11059*r - 21709*g + 32768*b + 128<<18 + 1<<17) >> 18)
			cr.Pix[y*cr.Stride+x] = clamp((32768*r - 27439*g - 5329*b + 128<<18 + 1<<17) >> 18)
		}
	}
	if !img.Opaque() {
		alpha := emptyPlane(w, h, 1, 1)
		for y := range h {
			for x := range w {
				alpha.Pix[y*w+x] = img.Pix[y*img.Stride+4*x+3]
			}
		}
		p.Alpha = &alpha
	}
	return p
}

func clamp(v int) byte { return byte(min(255, max(0, v))) }
