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

// mendGIF cuts a GIF off after its last whole frame. Without one it returns data as it is.
func mendGIF(data []byte) []byte {
	if len(data) < 13 {
		return data
	}
	at, end := 13+colors(data[10]), 0
	for at+10 < len(data) {
		frame := data[at] == 0x2c
		switch {
		case frame:
			at += 11 + colors(data[at+9])
		case data[at] == 0x21:
			at += 2
		default:
			at = len(data)
		}
		for at < len(data) && data[at] != 0 {
			at += 1 + int(data[at])
		}
		at++
		if frame && at <= len(data) {
			end = at
		}
	}
	if end == 0 {
		return data
	}
	return append(bytes.Clone(data[:end]), 0x3b)
}

// colors returns the bytes of a GIF's colour table.
func colors(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}
