// Package vp8l decodes VP8L, which is lossless WebP, row by row, so that its caller need not hold a whole picture in
// memory. It is plain Go, with assembly on amd64 for what takes most of the time.
//
//	r, err := vp8l.Open(stream, raster.Options{})
//	row := make([]byte, raster.RowSize(r))
//	for err == nil {
//		if err = r.ReadRow(row); err == nil {
//			use(row)
//		}
//	}
//	// err is io.EOF behind the last row
//
// OpenAlpha does the same for the opacity of a lossy WebP file, which is such a stream without a header.
//
// # Memory
//
// A VP8L stream is one long sequence of pixels, which may repeat what came at most 2^20 pixels before. So a Reader
// holds that many and what is decoded next, 12 MiB in all, or the whole picture where that is smaller: 4 bytes for each
// pixel. Beside it are the tables of prefix codes and the parameters of transforms, a pixel of these for each 16 of
// the picture at most. A stream can ask for 65,536 sets of codes, though none is known with more than a few thousand;
// the tables may take 64 MiB and 4 bytes for each pixel. Beyond that the stream is not supported.
//
// # How exact
//
// Pixels are those of libwebp. What libwebp decodes is decoded, and what it refuses as damaged is refused.
//
// # How it works
//
// A Reader decodes symbols to pixels of an image (pixels.go, literals.go) some rows ahead. A row that is asked for then
// goes through the inverse transforms (transform.go, predict.go), each of which writes to a row of its own: pixels of
// the image stay as they were coded, since others refer to them. Prefix codes are tables of two levels (codes.go),
// indexed by the next bits of a 64-bit window (bits.go) that holds enough for all symbols of a pixel.
//
// The assembly needs AVX2 and BMI2. The build tag purego leaves it out.
//
// Sources: RFC 9649, section 3; libwebp for what the RFC leaves open.
package vp8l
