package heif

import (
	"errors"
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/wasm"
)

// Options tell how to encode a picture.
type Options struct {
	Quality int // 1 to 100
	Effort  int // 0 (fast) to 9 (small)
	Chroma  picture.Chroma
}

// speed is how encoders call the opposite of effort, 0 to 9.
func (o Options) speed() int { return 9 - o.Effort }

// EncodeAVIF encodes a still, with a plane of alpha where anything is transparent.
func EncodeAVIF(img *image.NRGBA, opt Options) ([]byte, error) {
	if img.Rect.Empty() {
		return nil, errors.New("avif: no picture to encode")
	}
	if lib, err := native.LibHEIF(); err == nil && lib.EncodesAV1 {
		return lib.EncodeAVIF(picture.FromNRGBA(img, opt.Chroma), opt.Quality, opt.speed())
	}
	return encodeInSandbox(img, opt)
}

// EncodesAV1InSandbox reports whether this process encodes AVIF by wasm.AV1Encoder because no installed library does.
func EncodesAV1InSandbox() bool {
	lib, err := native.LibHEIF()
	return err != nil || !lib.EncodesAV1
}

// encodeInSandbox encodes by libavif and libaom in WebAssembly.
func encodeInSandbox(img *image.NRGBA, opt Options) ([]byte, error) {
	s, err := wasm.AV1Encoder.Start()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	w, h := img.Rect.Dx(), img.Rect.Dy()
	in, err := s.Allocate(4 * w * h)
	if err != nil {
		return nil, err
	}
	pix, err := s.View(in, 4*w*h)
	if err != nil {
		return nil, err
	}
	for y := range h {
		premultiply(pix[4*w*y:][:4*w], img.Pix[y*img.Stride:])
	}
	size, err := s.Allocate(8)
	if err != nil {
		return nil, err
	}
	chroma := map[picture.Chroma]uint64{{}: 1, {HalfAcross: true}: 2, picture.Quarter: 3}
	at, err := s.Call("encode", in, uint64(w), uint64(h), size, uint64(opt.Quality), uint64(opt.Quality),
		uint64(opt.speed()), chroma[opt.Chroma])
	if err != nil {
		return nil, err
	}
	n, err := s.Words(size, 1)
	if err != nil || at == 0 || n[0] == 0 {
		return nil, errors.Join(errors.New("libavif cannot encode the picture"), err)
	}
	out, err := s.View(uint64(at), n[0])
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
