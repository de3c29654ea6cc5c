package webp

import (
	"bytes"
	"errors"

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

// Numbers of libwebp's kinds of samples.
const (
	rgba    = 0
	yuv420A = 4 // planes of luma, two of colour, and alpha
)

// encodeInSandbox encodes a picture by libwebp in WebAssembly. rows are all of its samples.
func encodeInSandbox(rows [][]byte, samples uint64, width, height int, opt Options) ([]byte, error) {
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
	total := 0
	for _, row := range rows {
		total += len(row)
	}
	in, err := s.Allocate(total)
	if err != nil {
		return nil, err
	}
	to, err := s.View(in, total)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		to = to[copy(to, row):]
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
	at, err := s.Call("encode", in, uint64(width), uint64(height), size, samples, uint64(o.Quality), uint64(o.Method),
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
