package engine

// RowSource decodes a picture row by row, from the top, so that it is never in memory as a whole: PNG, TIFF, BMP, the
// first frame of a GIF, and WebP that is lossless or has alpha.
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
