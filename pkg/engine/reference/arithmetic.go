package reference

import (
	"strings"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// Huffman returns the header of a JPEG whose data the decoders read. An arithmetic-coded JPEG is recoded with Huffman
// codes, without loss; every other header is returned unchanged. The error is an *outcome.Rejection.
func Huffman(info header.Info) (header.Info, error) {
	if !info.JPEG.Arithmetic {
		return info, nil
	}
	lib, err := native.LibTurboJPEG()
	if err != nil {
		return info, outcome.Reject(outcome.Unsupported, "arithmetic-coded JPEG needs libturbojpeg: %v", err)
	}
	data, err := lib.Huffman(info.Data)
	if err != nil && strings.Contains(err.Error(), "Premature end") {
		return info, outcome.Reject(outcome.Truncated, "the arithmetic-coded JPEG ends before its picture does")
	}
	if err != nil {
		return info, outcome.Reject(outcome.Corrupt, "the arithmetic-coded JPEG is damaged: %v", err)
	}
	info.Data, info.JPEG.Arithmetic, info.JPEG.Progressive, info.JPEG.OneScan = data, false, false, true
	return info, nil
}
