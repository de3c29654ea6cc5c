// Package vp8 decodes and encodes the key frames of VP8, which are the pictures of lossy WebP files. It decodes by rows
// of macroblocks, so that its caller need not hold a whole picture in memory. It is plain Go, with assembly on amd64
// for what takes most of the time.
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
// # The encoder
//
//	frame, err := vp8.Encode(img, vp8.EncodeOptions{Quality: 80, Effort: 4})
//
// Encode makes the decisions that libwebp makes at the same quality and method, in its order: macroblocks are analysed
// and grouped in segments (encanalyze.go), which have quantizers and filters (encsegment.go). Modes are chosen by
// distortion and by what they cost (encdecide.go, encblock.go, enccolor.go, enccost.go). From effort 5 on, the levels
// of a block are chosen together (enctrellis.go). The bits of coefficients are kept until their probabilities are known
// (enctokens.go), and then written (encframe.go).
//
// It differs from libwebp in what bits cost: it computes the costs from the arithmetic coder, where libwebp has tables
// with a few errors. Files have the same size within 2 %, and the same PSNR within 0.1 dB. At effort 5 their PSNR is
// higher, because libwebp diffuses the errors of colour twice.
//
// Sources: RFC 6386; libwebp (src/enc, src/dsp) for the encoder, and for what the RFC leaves open at the right edge.
// The licence of libwebp is in pkg/engine/wasm/modules/LICENSE.libwebp.
package vp8
