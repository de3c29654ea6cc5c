// Package format is the one table of image formats: their names and extensions, how their first bytes tell them, and
// what can be read, written and carried. It imports no decoder, so a package that looks for images links none.
package format

import (
	"path"
	"slices"
	"strings"
)

// The formats' names, by which headers, recipes and results call them.
const (
	JPEG = "jpeg"
	PNG  = "png"
	GIF  = "gif"
	WebP = "webp"
	TIFF = "tiff"
	BMP  = "bmp"
	HEIC = "heic"
	AVIF = "avif"
	JXL  = "jxl"
	RAW  = "raw" // what cameras store beside JPEG; the preview inside is read
)

// Format is a row of the table. The zero Format is that of an unknown name: it is neither read nor written.
type Format struct {
	Name       string
	Extensions []string // lower case, with the dot; an output takes the first
	Read       bool     // some engine decodes it
	Browser    bool     // browsers show it

	// What follows is about outputs; it is zero where Written is false.
	Written   bool
	Quality   int  // the default, 1 to 100; 0: the encoder has no quality
	Effort    int  // the default of the encoder's trade of time for size
	MaxEffort int  // the most of it; 0: the encoder has none
	Animates  bool // an output can keep all frames
	MaxSide   int  // the largest width and height, pixels
	Alpha     bool // an output keeps transparent pixels
	ICC       bool // an output carries a colour profile,
	EXIF      bool // an EXIF block,
	XMP       bool // an XMP packet,
	IPTC      bool // IPTC records

	matches func(head []byte) bool // head is cut to HeadSize
}

// table has the formats in the order in which documents list them and Detect asks them.
var table = []Format{
	{
		Name: JPEG, Extensions: []string{".jpg", ".jpeg", ".jpe", ".jfif"}, Read: true, Browser: true,
		Written: true, Quality: 85, MaxSide: 65535, ICC: true, EXIF: true, XMP: true, IPTC: true,
		matches: begins("\xff\xd8\xff"),
	},
	{
		Name: PNG, Extensions: []string{".png"}, Read: true, Browser: true,
		Written: true, MaxSide: 65535, Alpha: true, ICC: true, EXIF: true, XMP: true,
		matches: begins("\x89PNG\r\n\x1a\n"),
	},
	{
		Name: WebP, Extensions: []string{".webp"}, Read: true, Browser: true,
		Written: true, Quality: 80, Effort: 4, MaxEffort: 6, Animates: true, MaxSide: 16383,
		Alpha: true, ICC: true, EXIF: true, XMP: true,
		matches: func(head []byte) bool { return has(head, 0, "RIFF") && has(head, 8, "WEBP") },
	},
	{
		Name: GIF, Extensions: []string{".gif"}, Read: true, Browser: true,
		Written: true, Animates: true, MaxSide: 65535, Alpha: true,
		matches: begins("GIF87a", "GIF89a"),
	},
	{
		Name: TIFF, Extensions: []string{".tiff", ".tif"}, Read: true,
		Written: true, MaxSide: 65535, Alpha: true,
		matches: func(head []byte) bool { // the last two are BigTIFF
			return begins("II*\x00", "MM\x00*", "II+\x00", "MM\x00+")(head) && !isCR2(head)
		},
	},
	{
		Name: AVIF, Extensions: []string{".avif"}, Read: true, Browser: true,
		Written: true, Quality: 60, Effort: 1, MaxEffort: 9, MaxSide: 65535, Alpha: true,
		matches: func(head []byte) bool { return brandFormat(head) == AVIF },
	},
	{
		Name: BMP, Extensions: []string{".bmp", ".dib"}, Read: true, Browser: true,
		matches: isBitmap,
	},
	{
		Name: HEIC, Extensions: []string{".heic", ".heif", ".hif"}, Read: true,
		matches: func(head []byte) bool { return brandFormat(head) == HEIC },
	},
	{
		Name: JXL, Extensions: []string{".jxl"}, Read: true,
		matches: begins("\xff\x0a", "\x00\x00\x00\x0cJXL \r\n\x87\n"), // bare, and in boxes
	},
	{
		// NEF, ARW, DNG and PEF begin as every TIFF; only their directories tell them.
		Name: RAW, Extensions: []string{".nef", ".nrw", ".cr2", ".cr3", ".arw", ".sr2", ".dng", ".raf", ".orf", ".rw2",
			".rwl", ".pef", ".srw", ".3fr"}, Read: true,
		matches: func(head []byte) bool {
			return isCR2(head) || has(head, 4, "ftypcrx ") || begins("FUJIFILMCCD-RAW", "IIRO", "IIRS", "MMOR", "IIU\x00")(head)
		},
	},
}

// All returns every format, in the order of the documents.
func All() []Format { return slices.Clone(table) }

// Of returns the format of a name, or the zero Format where no format is called so.
func Of(name string) Format {
	for _, f := range table {
		if f.Name == name {
			return f
		}
	}
	return Format{}
}

// Written returns the names of the formats that can be written.
func Written() []string {
	var names []string
	for _, f := range table {
		if f.Written {
			names = append(names, f.Name)
		}
	}
	return names
}

// OfFile returns the format that the extension of a file's name stands for, or the zero Format where it stands for
// none. Case does not matter.
func OfFile(filename string) Format {
	ext := strings.ToLower(Extension(filename))
	for _, f := range table {
		if slices.Contains(f.Extensions, ext) {
			return f
		}
	}
	return Format{}
}

// Extension returns the extension of a slash-separated file name, with its dot and as it is written. A name whose only
// dot comes first has none.
func Extension(filename string) string {
	ext := path.Ext(filename)
	if stem := filename[:len(filename)-len(ext)]; stem == "" || strings.HasSuffix(stem, "/") {
		return ""
	}
	return ext
}
