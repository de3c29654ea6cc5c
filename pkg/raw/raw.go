// Package raw finds the previews in cameras' raw files: NEF, CR2, CR3, ARW, DNG, RAF, ORF, RW2, PEF and others that
// are built like TIFF. It decodes no pixel, neither of a preview nor of the sensor, trusts no offset, and looks at a
// bounded number of directories and previews.
package raw

import (
	"bytes"

	"github.com/imagefarm/imagefarm/pkg/tiff"
)

// File is what a raw file says of its picture.
type File struct {
	// Width and Height are the size of the picture that the camera took, as stored; 0 where nothing tells it. It may
	// include a few rows and columns that the camera's own pictures leave out.
	Width, Height int

	Orientation int  // 1 to 8 as EXIF numbers them; 0 where the file says nothing
	AdobeRGB    bool // the camera made its previews in Adobe RGB
	ICC         []byte
	XMP         []byte
	IPTC        []byte
	EXIF        []byte // a block of its own, made of what the file says, without a thumbnail and maker's notes

	Previews []Preview // in the order in which they were found
	Cut      bool      // a preview lies beyond the end of the file
}

// Preview is one of the pictures that the camera added: a JPEG or a page of the TIFF.
type Preview struct {
	JPEG []byte // begins with a JPEG, which may still be damaged or be no picture; nil for a page

	// Directory is the offset of a page's directory, and Width and Height are what it says.
	Directory     uint64
	Width, Height int
}

const (
	maxDirectories = 64
	maxPreviews    = 32
)

// Find returns what a raw file holds, or nil if data is no raw file. Where the file is damaged, Find returns what it
// found before.
func Find(data []byte) *File {
	switch {
	case bytes.HasPrefix(data, []byte("FUJIFILMCCD-RAW")):
		return findRAF(data)
	case len(data) > 12 && string(data[4:12]) == "ftypcrx ":
		return findCR3(data)
	}
	f := &finder{data: data}
	if !f.findTIFF() {
		return nil
	}
	return &f.File
}

// Versions of TIFF's header that stand for raw files.
const (
	versionORF = 0x4f52 // "RO"
	versionORS = 0x5352 // "RS"
	versionRW2 = 0x55
)

// finder finds previews in data.
type finder struct {
	File
	data []byte
	raw  bool // the file is a raw file

	pages bool // a page may be a preview

	block     *tiff.Block
	seen      map[uint64]bool
	exif, gps *tiff.Directory
}

// jpeg adds a preview of n bytes, if it may be a JPEG. Beyond the bound and beyond the file there are none.
func (f *finder) jpeg(at, n int64) {
	switch {
	case len(f.Previews) == maxPreviews || at < 1 || n < 4:
	case at > int64(len(f.data)) || n > int64(len(f.data))-at:
		f.Cut = true
	case bytes.HasPrefix(f.data[at:], []byte("\xff\xd8\xff")):
		f.Previews = append(f.Previews, Preview{JPEG: f.data[at : at+n]})
	}
}

// size takes the size of a picture, if it is larger than what is known.
func (f *finder) size(w, h int) {
	if w > 0 && h > 0 && w <= maxSide && h <= maxSide && w*h > f.Width*f.Height {
		f.Width, f.Height = w, h
	}
}

// maxSide is more than any camera's picture has.
const maxSide = 1 << 20

// Page returns a TIFF file whose first page is a preview that is a page. It copies the file.
func Page(data []byte, p Preview) []byte {
	b, err := tiff.ReadBlock(data, versionORF, versionORS, versionRW2)
	if err != nil {
		return nil
	}
	page := bytes.Clone(data)
	b.Order().PutUint16(page[2:], 42)
	b.Order().PutUint32(page[4:], uint32(p.Directory))
	return page
}
