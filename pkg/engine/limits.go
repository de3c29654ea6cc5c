package engine

import (
	"fmt"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Values of Limits.OnTruncated.
const (
	RejectTruncated = "reject"
	AcceptTruncated = "accept"
)

// WithDefaults returns l with every zero field replaced by its default.
func (l Limits) WithDefaults() Limits {
	if l.MaxBytes == 0 {
		l.MaxBytes = 64 << 20
	}
	if l.MaxPixels == 0 {
		l.MaxPixels = 250e6
	}
	if l.MaxSide == 0 {
		l.MaxSide = 65535
	}
	if l.MaxFrames == 0 {
		l.MaxFrames = 1000
	}
	if l.OnTruncated == "" {
		l.OnTruncated = RejectTruncated
	}
	return l
}

// Validate says in a sentence which field cannot be.
func (l Limits) Validate() error {
	switch {
	case l.MaxBytes < 0:
		return fmt.Errorf("MaxBytes is %d: it cannot be negative", l.MaxBytes)
	case l.MaxPixels < 0:
		return fmt.Errorf("MaxPixels is %d: it cannot be negative", l.MaxPixels)
	case l.MaxSide < 0:
		return fmt.Errorf("MaxSide is %d: it cannot be negative", l.MaxSide)
	case l.MaxFrames < 0:
		return fmt.Errorf("MaxFrames is %d: it cannot be negative", l.MaxFrames)
	case l.OnTruncated != "" && l.OnTruncated != RejectTruncated && l.OnTruncated != AcceptTruncated:
		return fmt.Errorf("OnTruncated is %q: it must be %q or %q", l.OnTruncated, RejectTruncated, AcceptTruncated)
	}
	return nil
}

// Check reads the header of an encoded image and rejects what is beyond the limits, before a pixel is decoded.
// page is which picture of the file will be decoded, from 0; animate says that all frames will be kept. The error is an
// *outcome.Rejection.
func (l Limits) Check(data []byte, page int, animate bool) (header.Info, error) {
	l = l.WithDefaults()
	if n := int64(len(data)); n > l.MaxBytes {
		return header.Info{}, outcome.Reject(outcome.TooLarge, "%d bytes, more than %d", n, l.MaxBytes)
	}
	info, err := header.ReadPage(data, page)
	if err != nil {
		return header.Info{}, err
	}
	if info.Width > l.MaxSide || info.Height > l.MaxSide {
		return header.Info{}, outcome.Reject(outcome.TooManyPixels, "%d×%d pixels, a side has more than %d",
			info.Width, info.Height, l.MaxSide)
	}
	pixels := int64(info.Width) * int64(info.Height)
	if pixels > l.MaxPixels {
		return header.Info{}, outcome.Reject(outcome.TooManyPixels, "%d×%d pixels, more than %d",
			info.Width, info.Height, l.MaxPixels)
	}
	if info.Frames > l.MaxFrames {
		return header.Info{}, outcome.Reject(outcome.AnimatedTooLong, "%d frames, more than %d", info.Frames, l.MaxFrames)
	}
	if animate && pixels > l.MaxPixels/int64(info.Frames) {
		return header.Info{}, outcome.Reject(outcome.TooManyPixels, "%d frames of %d×%d pixels, more than %d pixels",
			info.Frames, info.Width, info.Height, l.MaxPixels)
	}
	return info, nil
}

// CheckVariant follows the sizes through operations of a variant that begin with a picture of w×h pixels, and
// rejects what becomes too large, for the limits or for the format that the variant is encoded in. frames is how
// many the output has. It stops at an operation whose size depends on the pixels: whoever runs that one calls
// CheckVariant for those after it.
func (l Limits) CheckVariant(v recipe.Variant, to string, frames, w, h int, ops []recipe.Op) error {
	l = l.WithDefaults()
	for _, o := range ops {
		if o.Word == recipe.Fill { // between scaling and cutting
			cw, ch := o.Cover(w, h, v.Enlarge)
			if int64(cw)*int64(ch) > l.MaxPixels {
				return outcome.RejectVariant(v.Name, outcome.TooManyPixels, "variant %s would have %d×%d pixels", v.Name, cw, ch)
			}
		}
		var exact bool
		if w, h, exact = o.Size(w, h, v.Enlarge); !exact {
			return nil
		}
		if int64(w)*int64(h) > l.MaxPixels || w > l.MaxSide || h > l.MaxSide {
			return outcome.RejectVariant(v.Name, outcome.TooManyPixels, "variant %s would have %d×%d pixels", v.Name, w, h)
		}
	}
	if side := format.Of(to).MaxSide; w > side || h > side {
		return outcome.RejectVariant(v.Name, outcome.TooManyPixels,
			"variant %s would have %d×%d pixels, and a side in %s at most %d",
			v.Name, w, h, to, side)
	}
	if frames > 1 && int64(w)*int64(h) > l.MaxPixels/int64(frames) {
		return outcome.RejectVariant(v.Name, outcome.TooManyPixels,
			"variant %s would have %d frames of %d×%d pixels", v.Name, frames, w, h)
	}
	return nil
}
