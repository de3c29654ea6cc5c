package raw

import (
	"bytes"

	"github.com/imagefarm/imagefarm/pkg/tiff"
)

// nikon reads the colour space in a maker's note, if it is one of Nikon: EXIF does not tell it in every NEF.
//
//	"Nikon\0" version:32 block
func (f *finder) nikon(note []byte) {
	const header, colorSpace, adobeRGB = 10, 0x1e, 2
	if !bytes.HasPrefix(note, []byte("Nikon\x00")) || len(note) < header {
		return
	}
	block, err := tiff.ReadBlock(note[header:])
	if err != nil {
		return
	}
	if d, err := block.Directory(block.First); err == nil {
		f.AdobeRGB = f.AdobeRGB || d.Int(colorSpace, 0) == adobeRGB
	}
}
