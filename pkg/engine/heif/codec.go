package heif

import (
	"fmt"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// newCodec returns a codec for items of a kind, hvc1 or av01: our own for HEVC, and for AV1 libheif where it is
// installed and may be used, else one in WebAssembly.
func newCodec(kind string) (codec, error) {
	if kind == "hvc1" {
		return &own{}, nil
	}
	if lib, err := native.LibHEIF(); err == nil && lib.DecodesAV1 {
		return installed{lib}, nil
	}
	return newWASM(kind)
}

// DecodesAV1InSandbox reports whether this process decodes AVIF by wasm.AV1Decoder because no installed library does.
func DecodesAV1InSandbox() bool {
	lib, err := native.LibHEIF()
	return err != nil || !lib.DecodesAV1
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

// installed decodes by a libheif that is installed.
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

// sampling returns how a coded picture is sampled, by its configuration.
func (it *item) sampling() native.Sampling {
	if config := it.property("hvcC"); len(config) > 16 {
		return native.Sampling(config[16] & 3)
	}
	config := it.property("av1C")
	switch {
	case len(config) >= 3 && config[2]&0x10 != 0:
		return native.SamplingGray
	case len(config) < 3 || config[2]&0x0c == 0x0c:
		return native.Sampling420
	case config[2]&0x08 != 0:
		return native.Sampling422
	}
	return native.Sampling444
}
