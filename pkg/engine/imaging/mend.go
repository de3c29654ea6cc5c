package imaging

import (
	"bytes"
	"image"

	"github.com/gen2brain/jpegn"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// mendJPEG decodes as much as there is of a JPEG; the rest is gray.
func mendJPEG(data []byte) (image.Image, error) {
	img, err := jpegn.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, outcome.Reject(outcome.Truncated, "the JPEG ends before its picture begins: %v", err)
	}
	return img, nil
}
