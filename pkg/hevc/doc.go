// Package hevc decodes still pictures of HEVC, H.265: what HEIC files hold. It is plain Go, with assembly
// on amd64 for the larger transforms and for output.
//
//	var dec hevc.Decoder
//	p, err := dec.Decode(config, data, hevc.Options{})
//
// Samples are those that are coded, as 8-bit ones: of deeper ones the upper 8 bits.
//
// # What is decoded
//
// Pictures of I slices, in gray, 4:2:0, 4:2:2 and 4:4:4 with 8 to 12 bits of luma and of chroma: the profiles Main,
// Main 10, Main Still Picture, and those of the format range extensions that have no extended precision. Of the tools
// of the range extensions, prediction across components and offsets of chroma's quantizers for each unit are left out,
// and scaling lists beside large blocks without transform. Anything else is a *raster.UnsupportedError before a sample
// is decoded: slices that are predicted from other pictures, separate colour planes, screen content, more layers.
//
// # How exact
//
// Samples are those of the standard to the bit, as libde265 decodes them. Three faults of libde265 1.0.11 are not
// repeated: it has no scaling lists for 32×32 samples of chroma, loses sample adaptive offset beside slices, and
// predicts the first quantizer of a dependent slice segment from that of the slice. Options.Unfiltered leaves out the
// in-loop filters. Assembly and plain Go agree to the bit.
//
// # Damage
//
// Arithmetic coding has few codes that cannot be: most damage but that of headers is decoded to some picture. What is
// noticed are slices that end too early, a *raster.TruncatedError, and numbers out of range, a *raster.CorruptError.
//
// # How it works
//
// A coding tree block is parsed (tree.go, unit.go, transformtree.go, residual.go) by an arithmetic decoder that has 64
// bits at hand (cabac.go), and each transform block is at once predicted (predict.go) and completed (transform.go) in a
// band of samples: a row of coding tree blocks, or of tiles where several are side by side. Samples are predicted from
// ones that are not filtered; so a copy of the band's last row is kept. A band that is whole is deblocked (deblock.go),
// and offset on its way into the picture (offset.go).
//
// The assembly needs AVX2. The build tag purego leaves it out.
//
// Source: ITU-T H.265, of whose clauses the comments give the numbers.
package hevc
