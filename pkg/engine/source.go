package engine

import (
	"context"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// PlaneSource decodes a picture that is coded in planes, or that is decoded as a whole anyway: JPEG, lossy
// WebP, HEIC, AVIF.
type PlaneSource interface {
	// Planes decodes the picture as it is stored, before any orientation. width and height say how fine the result must
	// be at least, in samples of its finest component; a decoder that saves time by that decodes a smaller picture, as
	// small as it can, and every other decodes the whole. 0×0 means the whole. The planes' spans say where the picture
	// lies among the samples. The caller may change the picture, and it stays as it is when the source is used again.
	//
	// The error is an *outcome.Rejection when the image is at fault, the context's cause when it ended while Planes waited
	// for its turn, and anything else when the farm is at fault.
	Planes(ctx context.Context, width, height int) (*picture.Picture, error)
}

// RowSource decodes a picture row by row, from the top, so that it is never in memory as a whole: PNG, TIFF, BMP, and
// WebP that is lossless or has alpha.
type RowSource interface {
	// Size returns the size of the picture as it is stored, before any orientation.
	Size() (width, height int)

	// Channels returns the samples of a pixel: 1 gray, 2 gray and alpha, 3 RGB, 4 RGB and alpha. Alpha is straight: the
	// other samples are not multiplied by it.
	Channels() int

	// Depth returns the bits of a sample, 8 or 16.
	Depth() int

	// ReadRow writes the next row to dst, which has width × channels × depth/8 bytes. Samples are interleaved, those of 16
	// bits big-endian. After an error the rows that were read before remain valid.
	ReadRow(dst []byte) error
}
