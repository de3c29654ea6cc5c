// Package format tells image formats apart by their first bytes. It imports no decoder, so that whoever finds images
// can sort out what is none without linking one.
package format

import "bytes"

// Formats that Detect knows.
const (
	JPEG = "jpeg"
	PNG  = "png"
	GIF  = "gif"
	WebP = "webp"
	TIFF = "tiff"
	BMP  = "bmp"
	HEIC = "heic"
	AVIF = "avif"
)

// HeadSize is the number of leading bytes that Detect looks at.
const HeadSize = 64

// All returns every format that Detect knows.
func All() []string { return []string{JPEG, PNG, GIF, WebP, TIFF, BMP, HEIC, AVIF} }

// Detect returns the format that the first bytes of a file name, or "". No more than HeadSize bytes are looked at; with
// fewer, the answer may be "".
func Detect(head []byte) string {
	if len(head) > HeadSize {
		head = head[:HeadSize]
	}
	has := func(at int, magic string) bool {
		return len(head) >= at+len(magic) && string(head[at:at+len(magic)]) == magic
	}
	switch {
	case has(0, "\xff\xd8\xff"):
		return JPEG
	case has(0, "\x89PNG\r\n\x1a\n"):
		return PNG
	case has(0, "GIF87a"), has(0, "GIF89a"):
		return GIF
	case has(0, "RIFF") && has(8, "WEBP"):
		return WebP
	case has(0, "II*\x00"), has(0, "MM\x00*"), has(0, "II+\x00"), has(0, "MM\x00+"): // the last two are BigTIFF
		return TIFF
	case has(0, "BM") && len(head) >= 18 && bitmapHeader(head[14:18]):
		return BMP
	case has(4, "ftyp"):
		return isoBrand(head)
	}
	return ""
}

// bitmapHeader reports whether b is the length of a header that a bitmap can have; text can begin with BM too.
func bitmapHeader(b []byte) bool {
	if b[1] != 0 || b[2] != 0 || b[3] != 0 {
		return false
	}
	switch b[0] {
	case 12, 16, 40, 52, 56, 64, 108, 124:
		return true
	}
	return false
}

// isoBrand looks at the major brand and then at the compatible ones; mif1 and msf1 say nothing about the coding.
func isoBrand(head []byte) string {
	size := len(head)
	if n := int(head[0])<<24 | int(head[1])<<16 | int(head[2])<<8 | int(head[3]); n < size {
		size = n
	}
	generic := ""
	for at := 8; at+4 <= size; at += 4 {
		if at == 12 { // the minor version
			continue
		}
		brand := head[at : at+4]
		switch string(brand) {
		case "avif", "avis":
			return AVIF
		case "heic", "heix", "hevc", "hevx", "heim", "heis", "hevm", "hevs":
			return HEIC
		}
		if at == 8 && (bytes.Equal(brand, []byte("mif1")) || bytes.Equal(brand, []byte("msf1"))) {
			generic = HEIC
		}
	}
	return generic
}
