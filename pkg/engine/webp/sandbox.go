package webp

import (
	"bytes"
	"errors"
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/wasm"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// EncodesInSandbox reports whether this process encodes lossless pictures and alpha by wasm.WebPEncoder because no
// library is installed.
func EncodesInSandbox() bool {
	_, err := native.LibWebP()
	return err != nil
}

// rgba is libwebp's number of the kind of samples that encodeInSandbox gives it.
const rgba = 0

// encodeInSandbox encodes a picture by libwebp in WebAssembly.
func encodeInSandbox(img *image.NRGBA, opt Options) ([]byte, error) {
	const without = "the codec that this process uses (libwebp in WebAssembly) has no %s; an installed libwebp has"
	switch {
	case opt.Loss > 0:
		return nil, outcome.Reject(outcome.Unsupported, without, "near-lossless")
	case opt.SharpYUV:
		return nil, outcome.Reject(outcome.Unsupported, without, "sharp-yuv")
	}
	s, err := wasm.WebPEncoder.Start()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	width, height := img.Rect.Dx(), img.Rect.Dy()
	total := 4 * width * height
	in, err := s.Allocate(total)
	if err != nil {
		return nil, err
	}
	to, err := s.View(in, total)
	if err != nil {
		return nil, err
	}
	for y := range height {
		to = to[copy(to, img.Pix[y*img.Stride:][:4*width]):]
	}
	size, err := s.Allocate(8)
	if err != nil {
		return nil, err
	}
	o, lossless := opt.native(), uint64(0)
	if o.Lossless {
		lossless = 1
	}
	const exact = 0 // colours of what is wholly transparent need not stay
	at, err := s.Call("encode", in, uint64(width), uint64(height), size, rgba, uint64(o.Quality), uint64(o.Method),
		lossless, exact)
	if err != nil {
		return nil, err
	}
	n, err := s.Words(size, 1)
	if err != nil || at == 0 || n[0] == 0 {
		return nil, errors.Join(errors.New("libwebp cannot encode the picture"), err)
	}
	out, err := s.View(uint64(at), n[0])
	return bytes.Clone(out), err
}
