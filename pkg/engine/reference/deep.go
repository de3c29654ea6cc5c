package reference

import (
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/png"
	"github.com/imagefarm/imagefarm/pkg/tiff"
)

// encodeDeep encodes a picture of 16 bits a sample.
func (o *Output) encodeDeep() ([]byte, error) {
	if o.Format != format.TIFF {
		e := o.png
		if e == nil {
			e = new(png.Encoder)
		}
		return e.Encode(*o.Deep, png.EncodeOptions{KeepColors: o.Colored, Level: pngLevel(o.Coding)})
	}
	return tiff.Encode(*o.Deep)
}
