// Package vp8 decodes the key frames of VP8, which are the pictures of lossy WebP files, by rows of macroblocks, so
// that its caller need not hold a whole picture in memory. It is plain Go, with assembly on amd64 for what takes most
// of the time.
//
//	r, err := vp8.Open(frame, vp8.Options{})
//	for err == nil {
//		var b vp8.Band
//		if b, err = r.Next(); err == nil {
//			use(b)
//		}
//	}
//	// err is io.EOF behind the last row
//
// Samples are Y, Cb and Cr in the limited range, as they are coded: black is 16 and white 235. Cb and Cr have half of
// the width and height.
//
// # How exact
//
// Samples are those of RFC 6386 to the bit, as libwebp and golang.org/x/image decode them. Only where a stream that no
// encoder writes has coefficients beyond 16 bits may assembly and plain Go differ. Options.Unfiltered leaves out the
// smoothing of edges between blocks: a fifth of the time, for pictures that are made much smaller.
//
// # Damage
//
// The arithmetic coding of VP8 has no codes that cannot be: all damage but that of headers is decoded to some picture.
// What is noticed is a partition that ends too early, by more than a byte: a *raster.TruncatedError.
//
// # How it works
//
// A macroblock is parsed (modes.go, coefficients.go) by an arithmetic decoder that has 64 bits at hand (bits.go), and
// at once predicted and completed (predict.go, transform.go) in a row of macroblocks with a row of samples above.
// Samples are predicted from ones that are not smoothed; so smooth.go has a copy of the row, and half a row before.
// The assembly needs AVX2, BMI2 and LZCNT. The build tag purego leaves it out.
//
// Sources: RFC 6386; libwebp for what the RFC leaves open at the right edge.
package vp8
