package reference

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/rows"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// decode decodes the frame of the page, or all frames, and passes each to use. An error of use ends the decoding and is
// returned unchanged; every other error is a rejection.
func (t *transform) decode(animate bool, use func(frame) error) error {
	var used error
	some, later := false, 0 // frames before the one that is wanted
	if t.info.Frames > 1 {
		later = t.info.Page
	}
	err := t.decodeFrames(animate || later > 0, func(f frame) error {
		if later > 0 {
			later--
			return nil
		}
		if size := f.img.Bounds().Size(); size.X != t.info.Width || size.Y != t.info.Height {
			return outcome.Reject(outcome.Corrupt, "decoded to %d×%d pixels, its header says %d×%d",
				size.X, size.Y, t.info.Width, t.info.Height)
		}
		if f.img, used = plain(f.img, t.inks); used != nil {
			return used
		}
		some = true
		if used = use(f); used == nil && t.info.Page > 0 {
			return errEnough
		}
		return used
	})
	if used != nil {
		return used
	}
	switch {
	case errors.Is(err, errEnough):
		return nil
	case err == nil && !some:
		return outcome.Reject(outcome.Truncated, "the %s ends before frame %d", t.info.Coding, t.info.Page)
	}
	return t.reject(err)
}

func (t *transform) decodeFrames(animate bool, use func(frame) error) error {
	accept := t.engine.limits.OnTruncated == engine.AcceptTruncated
	var img image.Image
	var err error
	switch t.info.Coding {
	case format.JPEG:
		switch {
		case t.info.ByRows():
			img, err = t.decodeRows(accept)
		case t.info.JPEG.Arithmetic:
			img, err = t.decodeArithmetic(accept)
		default:
			img, err = t.decodeJPEG(accept)
		}
	case format.PNG, format.TIFF, format.BMP:
		img, err = t.decodeRows(accept)
	case format.GIF:
		return t.decodeGIF(animate, accept, use)
	case format.WebP:
		if t.info.Animation {
			return t.decodeWebP(animate, accept, use)
		}
		img, err = webp.Decode(t.ctx, t.data, t.info.Width, t.info.Height)
	case format.HEIC, format.AVIF:
		img, err = t.decodeHEIF()
	case format.JXL:
		var p *picture.Picture
		if p, err = t.engine.planesJXL(t.ctx, t.data, t.info.Page); err == nil {
			img = imageOf(p)
		} else if t.ctx.Err() != nil {
			err = farmsFault{err}
		}
	default:
		err = outcome.Reject(outcome.Unsupported, "no decoder for %s", t.info.Coding)
	}
	if err != nil {
		return err
	}
	return use(frame{img: img})
}

// errEnough ends a decoding after the frames that are wanted.
var errEnough = errors.New("enough frames")

func (t *transform) decodeWebP(animate, accept bool, use func(frame) error) error {
	whole := 0
	err := webp.DecodeAll(t.ctx, t.data, t.info.Width, t.info.Height, func(f webp.Frame) error {
		if err := use(frame{f.Image, f.Delay, f.Loops}); err != nil {
			return err
		}
		whole++
		if !animate {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) || whole > 0 && accept && cutShort(err) {
		if err != nil && !errors.Is(err, errEnough) {
			t.warnings.Add("the animation ends early: %d frames of it were kept", whole)
		}
		return nil
	}
	return err
}

// decodeJPEG decodes with image/jpeg, which refuses truncated files. A file that lacks nothing but its end marker is
// complete.
func (t *transform) decodeJPEG(accept bool) (image.Image, error) {
	data := t.data
	if t.info.JPEG.Components == 4 && !t.info.JPEG.Adobe {
		// All programs read such a file as if it had Adobe's marker. image/jpeg requires the marker.
		return jpeg.Decode(io.MultiReader(strings.NewReader("\xff\xd8"+adobeSegment), bytes.NewReader(data[2:])))
	}
	const end = "\xff\xd9"
	var r io.Reader = bytes.NewReader(data)
	if t.info.JPEG.OneScan || t.info.JPEG.Progressive && !bytes.HasSuffix(data, []byte(end)) && wholeJPEG(data) {
		r = io.MultiReader(r, strings.NewReader(end))
	}
	img, err := jpeg.Decode(r)
	if err == nil {
		return img, nil
	}
	var unsupported jpeg.UnsupportedError
	if errors.As(err, &unsupported) || !jpegCutShort(data, err) {
		return nil, err
	}
	if accept {
		t.warnings.Add(missingIsGray)
		return mendJPEG(data, t.info.Width, t.info.Height, t.inks)
	}
	return nil, outcome.Reject(outcome.Truncated, "the JPEG ends before its picture does")
}

// adobeSegment says: four colours, no transform.
const adobeSegment = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"

// jpegCutShort reports whether a JPEG is truncated rather than damaged: the decoder reached the end of the data, or
// an end marker that some program appended after the cut.
func jpegCutShort(data []byte, err error) bool {
	if cutShort(err) || strings.Contains(err.Error(), "short Huffman data") {
		return true
	}
	scan := firstScan(data)
	if !strings.Contains(err.Error(), "missing 0xff00") || scan < 0 {
		return false
	}
	// The marker that the decoder met is the end if nothing but restarts comes before it.
	for at := scan + 2; at+1 < len(data); at++ {
		if m := data[at+1]; data[at] == 0xff && m != 0 && m != 0xff && m&0xf8 != 0xd0 {
			return m == 0xd9
		}
	}
	return true
}

// firstScan returns where the first scan begins, or −1; a thumbnail in a segment has scans of its own.
func firstScan(data []byte) int {
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		switch data[at+1] {
		case 0xff: // fill
			at++
		case 0xda:
			return at
		default:
			at += 2 + int(binary.BigEndian.Uint16(data[at+2:]))
		}
	}
	return -1
}

func cutShort(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// farmsFault marks an error of a decoder that is not the image's fault.
type farmsFault struct{ error }

// reject turns a decoder's error into a rejection, or returns the context's cause where it ended.
func (t *transform) reject(err error) error {
	err = rows.Reject(err)
	var rejection *outcome.Rejection
	var unsupportedJPEG jpeg.UnsupportedError
	var ours farmsFault
	switch {
	case err == nil:
		return nil
	case t.ctx.Err() != nil:
		return context.Cause(t.ctx)
	case errors.As(err, &ours):
		return ours.error
	case errors.As(err, &rejection):
		return rejection
	case errors.As(err, &unsupportedJPEG):
		return outcome.Reject(outcome.Unsupported, "%v", err)
	case cutShort(err), t.info.Truncated:
		return outcome.Reject(outcome.Truncated, "the %s ends before its picture does: %v", t.info.Coding, err)
	}
	return outcome.Reject(outcome.Corrupt, "%v", err)
}
