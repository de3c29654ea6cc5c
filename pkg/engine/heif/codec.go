package heif

import (
	"fmt"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// newCodec returns a codec for items of a kind, hvc1 or av01: our own for HEVC, and for AV1 libdav1d where it is
// installed and may be used, else one in WebAssembly.
func newCodec(kind string) (codec, error) {
	if kind == "hvc1" {
		return &own{}, nil
	}
	if lib, err := native.LibDav1d(); err == nil {
		return dav1d{lib}, nil
	}
	return newWASM(kind)
}

// DecodesAV1InSandbox reports whether this process decodes AVIF by wasm.AV1Decoder because no installed library does.
func DecodesAV1InSandbox() bool {
	_, err := native.LibDav1d()
	return err != nil
}

// newStandIn returns a codec for HEVC that our own does not decode.
func newStandIn() (codec, error) {
	if lib, err := native.LibHEIF(); err == nil && lib.DecodesHEVC {
		return &checked{installed: installed{lib}}, nil
	}
	return newWASM("hvc1")
}

// checked decodes HEVC by an installed libheif. A picture that this one refuses goes to the codec in WebAssembly, so
// that an old library makes no image corrupt.
type checked struct {
	installed
	sandbox codec // started for the first picture that is refused
}

func (c *checked) decode(it *item, told color, w, h int, how fidelity) (*picture.Picture, error) {
	p, err := c.installed.decode(it, told, w, h, how)
	if err == nil {
		return p, nil
	}
	if c.sandbox == nil {
		sandbox, starting := newWASM("hvc1")
		if starting != nil {
			return nil, err
		}
		c.sandbox = sandbox
	}
	return c.sandbox.decode(it, told, w, h, how)
}

func (c *checked) close() {
	if c.sandbox != nil {
		c.sandbox.close()
	}
}

// installed decodes HEVC by a libheif that is installed.
type installed struct{ lib *native.HEIF }

var _ codec = installed{}

func (c installed) decode(it *item, told color, w, h int, _ fidelity) (*picture.Picture, error) {
	p, err := c.lib.Decode(it.single(told), it.sampling())
	if err != nil {
		return nil, err
	}
	if p.Width() < w || p.Height() < h {
		return nil, fmt.Errorf("libheif decodes %d×%d pixels, the header says %d×%d", p.Width(), p.Height(), w, h)
	}
	return p, nil
}

func (installed) close() {}

func (installed) converts() bool { return false }

// dav1d decodes AV1 by a libdav1d that is installed.
type dav1d struct{ lib *native.Dav1d }

var _ codec = dav1d{}

func (c dav1d) decode(it *item, _ color, w, h int, how fidelity) (*picture.Picture, error) {
	opt := native.Dav1dOptions{MaxPixels: int64(w) * int64(h), Unfiltered: how.unfiltered}
	if point := it.property("a1op"); len(point) > 0 {
		opt.OperatingPoint = int(point[0] & 31)
	}
	return c.lib.Decode(it.bytes(), opt)
}

func (dav1d) close() {}

func (dav1d) converts() bool { return false }

// sampling returns how a picture coded in HEVC is sampled, by its configuration.
func (it *item) sampling() native.Sampling {
	if config := it.property("hvcC"); len(config) > 16 {
		return native.Sampling(config[16] & 3)
	}
	return native.Sampling420
}
