// Package rows opens the decoders that yield a picture row by row, and turns their errors into rejections.
package rows

import (
	"errors"
	"image/color"
	"io"

	"github.com/imagefarm/imagefarm/pkg/bmp"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/jpeg"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/png"
	"github.com/imagefarm/imagefarm/pkg/raster"
	"github.com/imagefarm/imagefarm/pkg/tiff"
)

// Source is an engine.RowSource whose errors are rejections.
type Source struct {
	raster.Reader
}

// Inks reports whether the samples are four inks, of which the largest value is none (see raster.Options.KeepInks).
func (s *Source) Inks() bool {
	r, ok := s.Reader.(interface{ Inks() bool })
	return ok && r.Inks()
}

// Interlaced reports whether ReadRow holds much of the picture, which ReadParts does not (see raster.Scattered).
func (s *Source) Interlaced() bool {
	r, ok := s.Reader.(raster.Scattered)
	return ok && r.Interlaced()
}

// ReadParts passes the pixels of an interlaced picture to use in the order of the file. An error of the reader is an
// *outcome.Rejection.
func (s *Source) ReadParts(use func(raster.Part) error) error {
	if err := s.Reader.(raster.Scattered).ReadParts(use); err != nil {
		return Reject(err)
	}
	return nil
}

// Reads tells whether Open has the decoder for all files of a format. It has one for JPEG, too, which is slow and meant
// for files of 12 bits a sample.
func Reads(name string) bool {
	return name == format.PNG || name == format.TIFF || name == format.BMP
}

// Open opens data, which is of the named format. It reads the header, and rows as they are asked for. The error is an
// *outcome.Rejection, but for options that make no sense.
func Open(name string, data []byte, opt raster.Options) (*Source, error) {
	var r raster.Reader
	var err error
	switch name {
	case format.PNG:
		r, err = png.Open(data, opt)
	case format.TIFF:
		r, err = tiff.Open(data, opt)
	case format.BMP:
		r, err = bmp.Open(data, opt)
	case format.JPEG:
		r, err = openJPEG(data, opt)
	default:
		return nil, outcome.Reject(outcome.Unsupported, "no decoder for rows of %s", name)
	}
	if err != nil {
		return nil, Reject(err)
	}
	return &Source{r}, nil
}

func openJPEG(data []byte, opt raster.Options) (raster.Reader, error) {
	inks := opt.Inks
	if inks == nil {
		inks = func(dst, src []byte) {
			for i := 0; i+4 <= len(src); i += 4 {
				dst[i], dst[i+1], dst[i+2] = color.CMYKToRGB(src[i], src[i+1], src[i+2], src[i+3])
				dst[i+3] = 255
			}
		}
	}
	r, err := jpeg.OpenRows(data, jpeg.RowOptions{AcceptTruncated: opt.AcceptTruncated, Inks: inks})
	if err != nil {
		return nil, err
	}
	w, h := r.Size()
	return r, opt.CheckSize("JPEG", int64(w), int64(h))
}

// ReadRow implements engine.RowSource. The error is an *outcome.Rejection, and io.EOF behind the last row.
func (s *Source) ReadRow(dst []byte) error {
	if err := s.Reader.ReadRow(dst); err != nil {
		return Reject(err)
	}
	return nil
}

// Reject makes an *outcome.Rejection of an error of packages raster and jpeg. Other errors stay as they are.
func Reject(err error) error {
	var unsupported *raster.UnsupportedError
	var truncated *raster.TruncatedError
	var corrupt *raster.CorruptError
	var tooLarge *raster.TooLargeError
	switch {
	case errors.Is(err, io.EOF):
		return err
	case errors.As(err, &unsupported):
		return outcome.Reject(outcome.Unsupported, "%v", err)
	case errors.As(err, &truncated):
		return outcome.Reject(outcome.Truncated, "%v", err)
	case errors.As(err, &corrupt):
		return outcome.Reject(outcome.Corrupt, "%v", err)
	case errors.As(err, new(*jpeg.UnsupportedError)):
		return outcome.Reject(outcome.Unsupported, "%v", err)
	case errors.As(err, new(*jpeg.TruncatedError)):
		return outcome.Reject(outcome.Truncated, "%v", err)
	case errors.As(err, new(*jpeg.CorruptError)):
		return outcome.Reject(outcome.Corrupt, "%v", err)
	case errors.As(err, &tooLarge):
		return outcome.Reject(outcome.TooManyPixels, "%v", err)
	}
	return err
}
