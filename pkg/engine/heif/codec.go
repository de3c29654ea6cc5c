package heif

import (
	"fmt"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// newCodec returns a codec for items of a kind, hvc1 or av01: libheif where it is installed and may be used, else one in
// WebAssembly.
func newCodec(kind string) (codec, error) {
	if lib, err := native.LibHEIF(); err == nil && (kind == "hvc1" && lib.DecodesHEVC || kind == "av01" && lib.DecodesAV1) {
		return installed{lib}, nil
	}
	return newWASM(kind)
}

// installed decodes by a libheif that is installed.
type installed struct{ lib *native.HEIF }

var _ codec = installed{}

func (c installed) decode(file []byte, w, h int) (*picture.Picture, error) {
	f, err := Parse(file)
	if err != nil {
		return nil, err
	}
	p, err := c.lib.Decode(file, f.primary.sampling())
	if err != nil {
		return nil, err
	}
	if p.Width() < w || p.Height() < h {
		return nil, fmt.Errorf("libheif decodes %d×%d pixels, the header says %d×%d", p.Width(), p.Height(), w, h)
	}
	return p, nil
}

func (c installed) close() {}

func (c installed) converts() bool { return false }

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
