// Package jpeg decodes JPEG images at the size that is needed: whole, or any number of eighths of it in each
// direction, to planes of Y, Cb and Cr. It is made for thumbnails and other reduced copies of photographs, where
// most of a full decode would be thrown away, and is faster there than libjpeg-turbo; it is plain Go, with
// assembly for the transforms and the loop around them on amd64.
//
//	var d jpeg.Decoder     // keeps its tables and memory; one for each goroutine
//	var planes jpeg.Planes // likewise
//	err := d.Decode(&planes, data, jpeg.Options{Scale: jpeg.Eighth})
//	luma := planes.Y.Pix[y*planes.Y.Stride:][:planes.Y.Width]
//
// Encoder is the way back: planes become a JPEG with Huffman tables of its own. Its transform is libjpeg's slow integer
// one (jfdctint), to the bit. Symbols of a baseline file are counted and kept while blocks are transformed, so that the
// tables cost no second pass over the picture (encodescan.go). Trellis quantization (trellis.go) and progressive files
// (progression.go), whose scans are the smallest of those that are tried, keep all coefficients (encodewhole.go).
//
// DecodeHeader reads size, sampling and colour, and where EXIF, XMP, ICC profile, Photoshop resources and comments
// lie, and decodes nothing. Decode allocates as much as the header announces, up to 65,535×65,535 samples for a
// component: a caller that does not trust its images asks DecodeHeader first.
//
// # What is decoded
//
// Baseline, extended-sequential and progressive coding of 8 bits, by Huffman tables or arithmetic; one component,
// three or four, with sampling factors of 1 to 4 in any combination; restart intervals; scans interleaved or not.
// Tables that are left out are those of T.81 annex K. Components are given as they are coded: Planes.Color tells
// whether they are YCbCr or, by an Adobe segment or their names, RGB, and four components CMYK or YCCK.
//
// Rows decodes 12 bits, too, row by row. Lossless and hierarchical coding and a height that follows the first scan
// (DNL) are an *UnsupportedError that names the feature. Neither orientation nor colour profile is applied.
//
// # How exact
//
// Each component is decoded at its own resolution, to ceil(its size × scale) samples.
//
// Full equals libjpeg's slow integer transform (jidctint, libjpeg-turbo's default) to the bit. Eighth is the mean
// of each 8×8 block as libjpeg's 1×1 transform gives it, to the bit. (libjpeg itself, asked for 1/8, transforms
// subsampled components to 2×2 samples and more, to save upsampling; here they become 1×1.) The scales between are
// inverse DCTs of 2×2 to 7×7 points over the lowest frequencies, the others dropped. libjpeg's reduced transforms
// weigh in some of those, and differ by about 50 dB in photographs, 36 in single ones; what is made from these
// planes is nearer to what is made from a full decode. Samples that no encoder of 8-bit images gives rise to, far
// out of range, are limited to 0..255, where libjpeg's plain C code may wrap around.
//
// Options.SkipRefinement trades exactness at Quarter for speed: about 50 dB between the planes of photographs.
//
// # Damage
//
// Errors are an *UnsupportedError, a *TruncatedError or a *CorruptError, of these types and no others but for
// invalid Options. With the latter two the planes hold what was decoded. In a sequential image what is missing is
// mid-gray (128), the rest of the restart interval or of the scan; decoding goes on behind the next restart marker.
// In a progressive image what is missing is detail, or gray.
//
// A sequential image is truncated when a sample is missing, not when only its end marker is. A progressive image
// without its end marker is truncated unless its scans code every bit of every coefficient: one cannot know what
// else would have come. It is so at every scale alike, even if the scale needs none of the scans concerned. An image
// of arithmetic coding without its end marker is always truncated, since its coder leaves zeros at the end out. On
// the other hand damage inside scans that a scale does not need is not seen at that scale. Bytes between segments
// are passed over, as libjpeg does. More than three bytes, zeros not counted, behind the last MCU of a scan or of a
// restart interval are damage: CorruptError.Surplus.
//
// # How it works
//
// The parser (parse.go, frame.go) lists the segments and scans of the file without looking into the scans. Of a
// progressive file only those are decoded that the scale needs (selection.go): at Eighth, those of the DC
// coefficients.
//
// The data of a scan is moved, without its stuffed zeros, through a window of 64 KB (segment.go), from which a
// 64-bit reader takes bits without branches (bits.go). Tables (tables.go) decode several symbols at once: DC
// difference and what follows, one or two AC coefficients, or as many symbols as fit when they need only be passed
// over, which is what happens to all that the scale does not need. Where that goes wrong, a block is decoded again
// symbol by symbol (recover.go).
//
// sequential.go, eighths.go and blocks.go decode sequential scans straight to samples; progressive.go,
// progressivedc.go and progressiveac.go gather coefficients, those that the scale needs by value, of the others no
// more than which are zero. careful.go and arithmetic.go decode, symbol by symbol, what these do not take; rows.go
// makes rows of it. idct.go has the transforms, idct_amd64.s the same ones for AVX2. The build tag purego leaves
// assembly out.
//
// Sources: ITU-T T.81; libjpeg-turbo's jidctint.c and jidctred.c for the arithmetic.
package jpeg
