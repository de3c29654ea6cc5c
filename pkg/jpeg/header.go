package jpeg

// Header tells what a file holds, read from the segments in front of its first scan.
type Header struct {
	Width, Height   int // samples at full size
	Progressive     bool
	Arithmetic      bool        // coded arithmetically instead of by Huffman tables
	Precision       int         // bits of a sample
	Components      []Component // in the order of the frame header
	Color           Color
	RestartInterval int       // MCUs between restart markers, 0 for none; of the first scan
	JFIF            bool      // there is a JFIF APP0 segment
	AdobeTransform  int       // of the Adobe APP14 segment: 0, 1 or 2; -1 when there is none
	Segments        []Segment // the metadata, MaxSegments at most
}

// MaxSegments is how many segments of metadata are listed: a hundred times what any camera or program writes.
const MaxSegments = 4096

// Component describes one component of the frame.
type Component struct {
	ID   byte
	H, V int // sampling factors, 1..4
}

// Color tells what the components mean.
type Color int

const (
	Gray  Color = iota // one component
	YCbCr              // three components: BT.601, full range, as JFIF has it
	RGB                // three components: red, green and blue, coded as they are
	CMYK               // four components: inks, which Adobe's programs store as 255 less the ink
	YCCK               // four components: C, M and Y of CMYK coded as YCbCr, and K
)

func (c Color) String() string {
	if c < Gray || c > YCCK {
		return "unknown"
	}
	return [...]string{"gray", "YCbCr", "RGB", "CMYK", "YCCK"}[c]
}

// Segment is where a piece of metadata lies in the file.
type Segment struct {
	Marker byte // second byte of the marker: 0xE1 for APP1, 0xED for APP13, 0xFE for COM
	Kind   SegmentKind
	Offset int // of the content, past marker, length and signature, bytes from the start of the file
	Length int // of the content, bytes
}

// SegmentKind tells metadata apart by marker and signature.
type SegmentKind int

const (
	OtherSegment       SegmentKind = iota // an APPn of some other signature; Offset and Length include that
	EXIFSegment                           // APP1 "Exif\0\0": a TIFF structure
	XMPSegment                            // APP1: an XMP packet
	ExtendedXMPSegment                    // APP1: GUID, length, offset and a portion of extended XMP
	ICCSegment                            // APP2: sequence number and count, one byte each, and a part of the profile
	PhotoshopSegment                      // APP13 "Photoshop 3.0\0": image resources, IPTC among them
	CommentSegment                        // COM
)

// signatures tell the kinds of segments apart.
var signatures = [...]struct {
	marker    byte
	signature string
	kind      SegmentKind
}{
	{0xE1, "Exif\x00\x00", EXIFSegment},
	{0xE1, "http://ns.adobe.com/xap/1.0/\x00", XMPSegment},
	{0xE1, "http://ns.adobe.com/xmp/extension/\x00", ExtendedXMPSegment},
	{0xE2, "ICC_PROFILE\x00", ICCSegment},
	{0xED, "Photoshop 3.0\x00", PhotoshopSegment},
	{0xFE, "", CommentSegment},
}

// DecodeHeader reads the segments in front of the first scan and decodes nothing.
//
// The error is an *UnsupportedError, *TruncatedError or *CorruptError. The Header holds what was read until then:
// with an *UnsupportedError that is at least the size and the components, unless the feature is HeightAfterScan,
// and the metadata in front of the frame header.
func DecodeHeader(data []byte) (Header, error) {
	p := newParser(data)
	p.lists = true
	err := p.headers()
	return p.header, err
}

// color follows libjpeg: JFIF files are YCbCr, then the Adobe transform counts, then the names of the components.
func (h *Header) color() Color {
	c := h.Components
	switch {
	case len(c) == 1:
		return Gray
	case len(c) == 4 && h.AdobeTransform == 2:
		return YCCK
	case len(c) == 4:
		return CMYK
	case h.JFIF || len(c) != 3:
		return YCbCr
	case h.AdobeTransform == 0:
		return RGB
	case h.AdobeTransform < 0 && c[0].ID == 'R' && c[1].ID == 'G' && c[2].ID == 'B':
		return RGB
	}
	return YCbCr
}
