package imaging

import (
	"bytes"
	"image"

	"github.com/gen2brain/avif"
	"github.com/gen2brain/heic"
)

// HEIC and AVIF are decoded by libheif and libavif, translated to WebAssembly and run in a sandbox, which takes a
// second to start when the first such file comes, and half a gigabyte for a large one.

func (t *transform) decodeHEIC() (image.Image, error) {
	return heic.Decode(bytes.NewReader(t.data))
}

func (t *transform) decodeAVIF() (image.Image, error) {
	return avif.Decode(bytes.NewReader(t.data))
}

// avifSpeed trades speed for size, 0 to 10.
const avifSpeed = 8

func encodeAVIF(img *image.NRGBA, quality int) ([]byte, error) {
	var b bytes.Buffer
	err := avif.Encode(&b, img, avif.Options{
		Quality: quality, QualityAlpha: quality, Speed: avifSpeed, ChromaSubsampling: image.YCbCrSubsampleRatio420,
	})
	return b.Bytes(), err
}
