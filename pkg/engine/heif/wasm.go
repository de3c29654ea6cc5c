package heif

import (
	"errors"
	"fmt"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/wasm"
)

var (
	_ codec = (*wasmHEVC)(nil)
	_ codec = (*wasmAV1)(nil)
)

// newWASM starts a sandbox for pictures of a kind.
func newWASM(kind string) (codec, error) {
	module := wasm.HEVCDecoder
	if kind == "av01" {
		module = wasm.AV1Decoder
	}
	s, err := module.Start()
	if err != nil {
		return nil, err
	}
	if kind == "av01" {
		return &wasmAV1{s}, nil
	}
	return &wasmHEVC{s}, nil
}

// wasmHEVC decodes HEVC by libheif and libde265.
type wasmHEVC struct{ *wasm.Sandbox }

// Numbers of libheif's colour spaces and chroma formats.
const (
	heifYCbCr = 0
	heifRGB   = 1
	heifGray  = 2
	heif420   = 1
	heif422   = 2
	heif444   = 3
)

func (d *wasmHEVC) close() { d.Close() }

func (d *wasmHEVC) converts() bool { return false }

// stride returns the bytes of a row of 8-bit samples as libheif lays it out.
func stride(width int) int { return (max(width, 64) + 15) &^ 15 }

func (d *wasmHEVC) decode(it *item, c color, w, h int, _ fidelity) (*picture.Picture, error) {
	file := it.single(c)
	in, err := d.Write(file)
	if err != nil {
		return nil, err
	}
	defer d.Free(in)
	told, err := d.Allocate(5 * 4) // width, height, colour space, chroma, premultiplied
	if err != nil {
		return nil, err
	}
	defer d.Free(told)
	run := func(describe uint64, out uint64) error {
		ok, err := d.Call("decode", in, uint64(len(file)), describe, told, told+4, told+8, told+12, told+16, out)
		if err == nil && ok == 0 {
			err = errors.New("libheif cannot decode it")
		}
		return err
	}
	if err := run(1, 0); err != nil {
		return nil, err
	}
	says, err := d.Words(told, 4)
	if err != nil {
		return nil, err
	}
	if says[0] != w || says[1] != h {
		return nil, fmt.Errorf("libheif says %d×%d pixels, the header %d×%d", says[0], says[1], w, h)
	}
	across, down := 1, 1
	if says[2] == heifYCbCr && says[3] != heif444 {
		across = 2
	}
	if says[2] == heifYCbCr && says[3] == heif420 {
		down = 2
	}
	luma := stride(w) * h
	chromaStride, chromaHeight := stride((w+across-1)/across), (h+down-1)/down
	size := luma
	switch says[2] {
	case heifYCbCr:
		size += 2 * chromaStride * chromaHeight
	case heifRGB:
		size = (max(4*w, 64) + 15) &^ 15 * h
	}
	out, err := d.Allocate(size)
	if err != nil {
		return nil, err
	}
	defer d.Free(out)
	if err := run(0, out); err != nil {
		return nil, err
	}
	pix, err := d.View(out, size)
	if err != nil {
		return nil, err
	}
	switch says[2] {
	case heifYCbCr:
		p := &picture.Picture{Model: picture.YCbCr}
		p.Planes = append(p.Planes, copyPlane(pix, stride(w), w, h, 1, 1))
		for i := range 2 {
			p.Planes = append(p.Planes, copyPlane(pix[luma+i*chromaStride*chromaHeight:], chromaStride, w, h, across, down))
		}
		return p, nil
	case heifGray:
		return &picture.Picture{Model: picture.Gray, Planes: []picture.Plane{copyPlane(pix, stride(w), w, h, 1, 1)}}, nil
	case heifRGB:
		return interleaved(pix, (max(4*w, 64)+15)&^15, w, h, 1), nil
	}
	return nil, fmt.Errorf("libheif yields colour space %d", says[2])
}

// copyPlane copies a plane of a picture of w×h pixels out of memory that will go away.
func copyPlane(pix []byte, stride, w, h, across, down int) picture.Plane {
	p := emptyPlane(w, h, across, down)
	for y := range p.Height {
		copy(p.Pix[y*p.Stride:][:p.Width], pix[y*stride:])
	}
	return p
}

// interleaved returns the planes of RGBA samples. step is their bytes, of which the last is the highest.
func interleaved(pix []byte, stride, w, h, step int) *picture.Picture {
	p := &picture.Picture{Model: picture.RGB}
	for c := range 3 {
		to := emptyPlane(w, h, 1, 1)
		for y := range h {
			row := pix[y*stride:][:4*step*w]
			for x := range to.Pix[y*w:][:w] {
				to.Pix[y*w+x] = row[(4*x+c)*step+step-1]
			}
		}
		p.Planes = append(p.Planes, to)
	}
	return p
}

// wasmAV1 decodes AV1 by libavif and libaom, to RGB.
type wasmAV1 struct{ *wasm.Sandbox }

func (d *wasmAV1) close() { d.Close() }

func (d *wasmAV1) converts() bool { return true }

func (d *wasmAV1) decode(it *item, c color, w, h int, _ fidelity) (*picture.Picture, error) {
	file := it.single(c)
	in, err := d.Write(file)
	if err != nil {
		return nil, err
	}
	defer d.Free(in)
	told, err := d.Allocate(4*4 + 8) // width, height, depth, frames; a delay
	if err != nil {
		return nil, err
	}
	defer d.Free(told)
	run := func(describe uint64, out uint64) error {
		ok, err := d.Call("decode", in, uint64(len(file)), describe, 0, told, told+4, told+8, told+12, told+16, out)
		if err == nil && ok == 0 {
			err = errors.New("libavif cannot decode it")
		}
		return err
	}
	if err := run(1, 0); err != nil {
		return nil, err
	}
	says, err := d.Words(told, 3)
	if err != nil {
		return nil, err
	}
	if says[0] != w || says[1] != h {
		return nil, fmt.Errorf("libavif says %d×%d pixels, the header %d×%d", says[0], says[1], w, h)
	}
	step := 1
	if says[2] > 8 {
		step = 2
	}
	out, err := d.Allocate(4 * step * w * h)
	if err != nil {
		return nil, err
	}
	defer d.Free(out)
	if err := run(0, out); err != nil {
		return nil, err
	}
	pix, err := d.View(out, 4*step*w*h)
	if err != nil {
		return nil, err
	}
	return interleaved(pix, 4*step*w, w, h, step), nil
}
