// Package header reads what an encoded image says of itself before its pixels: size, frames, orientation, and the
// metadata that travels with it. It decodes no pixel, allocates little, and trusts no length.
package header

import (
	"encoding/binary"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/engine/rows"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/raw"
)

// Info is what a header says. Slices point into the data that was read, where the format stores them whole.
type Info struct {
	Format      string // one of format.All, by name
	Coding      string // the format of Data
	Data        []byte // what is decoded: what was read, but the preview of a RAW
	Width       int    // as stored, pixels; at least 1
	Height      int
	Frames      int  // of an animation; 1 for a still
	Page        int  // what was read, of Pages
	Pages       int  // pages, frames or pictures in the file
	Animation   bool // of WebP: its pictures are frames, though it be a single one
	Orientation int  // 1 to 8 as EXIF numbers them; 1 where nothing is said
	Gray        bool
	CMYK        bool // its samples are four inks
	Alpha       bool // its samples may be transparent; said of PNG, HEIC and AVIF
	Truncated   bool // the container announces more bytes than there are

	EXIF []byte // a TIFF block, without any prefix
	XMP  []byte // an XML packet
	IPTC []byte // IIM records
	ICC  []byte // an ICC profile
	Text bool   // comments or other text is there

	JPEG     JPEG    // of a JPEG
	GainMap  GainMap // that comes with a JPEG
	Pictures bool    // others come behind a JPEG: of the other eye, of a burst
	Video    bool    // comes behind a JPEG or HEIC

	beside []string // what comes with the picture and is not read, by the names of Metadata
	iso    []byte   // what ISO 21496-1 says
	inside bool     // the JPEG is part of another, whose index is read

	// FullWidth and FullHeight are, of a RAW, the size of the picture of which the preview is one, about, as stored.
	// 0 where it is not known.
	FullWidth, FullHeight int
}

// JPEG is what the frame header of a JPEG says.
type JPEG struct {
	Components  int
	Progressive bool
	Arithmetic  bool // coded arithmetically instead of by Huffman tables
	Precision   int  // bits of a sample, 8 or 12
	Adobe       bool // an Adobe segment is there
	OneScan     bool // the first scan has all components, and the frame is not progressive
}

// Displayed returns the size after the orientation is applied.
func (i Info) Displayed() (width, height int) {
	if i.Orientation >= 5 {
		return i.Height, i.Width
	}
	return i.Width, i.Height
}

// ByRows reports whether package rows decodes the image.
func (i Info) ByRows() bool {
	return rows.Reads(i.Coding) || i.Coding == format.JPEG && i.JPEG.Precision == 12
}

// Metadata lists what the image carries beside its picture: "depth", "exif", "gain-map", "icc", "iptc", "matte",
// "pictures", "text", "video", "xmp"; sorted.
func (i Info) Metadata() []string {
	list := slices.Clone(i.beside)
	for _, m := range []struct {
		name string
		has  bool
	}{
		{"exif", i.EXIF != nil}, {"gain-map", i.GainMap.Data != nil}, {"icc", i.ICC != nil}, {"iptc", i.IPTC != nil},
		{"pictures", i.Pictures}, {"text", i.Text}, {"video", i.Video}, {"xmp", i.XMP != nil},
	} {
		if m.has {
			list = append(list, m.name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Read reads the header of an encoded image. The error is an *outcome.Rejection: what is no image, what is cut or
// damaged before its size is known, and, by name, what no engine reads.
func Read(data []byte) (Info, error) { return ReadPage(data, 0) }

// ReadPage reads the header of a page, counted from 0: the page of a TIFF, the frame of an animation, or the picture of
// a HEIC or AVIF, of which the primary one is the first. The error is as Read's.
func ReadPage(data []byte, page int) (Info, error) {
	info := Info{Format: format.Detect(data), Frames: 1, Orientation: 1, Data: data, Page: page, Pages: 1}
	info.Coding = info.Format
	var err error
	switch info.Format {
	case format.JPEG:
		err = info.readJPEG(data)
	case format.PNG:
		err = info.readPNG(data)
	case format.GIF:
		err = info.readGIF(data)
	case format.WebP:
		err = info.readWebP(data)
	case format.TIFF, format.RAW:
		if file := raw.Find(data); file != nil {
			err = info.readRAW(file)
		} else {
			err = info.readTIFF(data, page)
		}
	case format.BMP:
		err = info.readBMP(data)
	case format.JXL:
		err = info.readJXL(data)
	case format.HEIC, format.AVIF:
		err = info.readISO(data, page)
	default:
		if len(data) == 0 {
			return Info{}, outcome.Reject(outcome.NotAnImage, "no bytes")
		}
		return Info{}, outcome.Reject(outcome.NotAnImage, "the first bytes belong to no known format")
	}
	if err != nil {
		return Info{}, err
	}
	if info.Pages = max(info.Pages, info.Frames); page >= info.Pages {
		return Info{}, noSuchPage(page, info.Pages)
	}
	if info.Format != format.RAW {
		info.Coding = info.Format // HEIC may turn out to be AVIF
	}
	if info.ICC == nil && info.Coding == format.JPEG && info.JPEG.Components == 3 && adobeRGB(info.EXIF) {
		info.ICC = icc.AdobeRGB()
	}
	if info.Width < 1 || info.Height < 1 {
		return Info{}, outcome.Reject(outcome.Corrupt, "the header says %d×%d pixels", info.Width, info.Height)
	}
	return info, nil
}

func noSuchPage(page, pages int) error {
	if pages == 1 {
		return outcome.Reject(outcome.NoSuchPage,
			"there is no page %d: the file has one picture, which is page 0", page)
	}
	return outcome.Reject(outcome.NoSuchPage, "there is no page %d: the file has %d, numbered from 0", page, pages)
}

func truncated(what string) error { return outcome.Reject(outcome.Truncated, "ends within %s", what) }

func corrupt(format string, args ...any) error {
	return outcome.Reject(outcome.Corrupt, format, args...)
}

func unsupported(format string, args ...any) error {
	return outcome.Reject(outcome.Unsupported, format, args...)
}

func be16(b []byte) int { return int(binary.BigEndian.Uint16(b)) }
func be32(b []byte) int { return int(binary.BigEndian.Uint32(b)) }
func le16(b []byte) int { return int(binary.LittleEndian.Uint16(b)) }
func le24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
func le32(b []byte) int { return int(binary.LittleEndian.Uint32(b)) }
