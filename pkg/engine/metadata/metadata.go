// Package metadata chooses what of an image's metadata its variants keep, and puts it into them.
package metadata

import (
	"encoding/binary"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Set is metadata for one output. Empty parts are left out.
type Set struct {
	EXIF []byte // a TIFF block
	XMP  []byte // a packet
	IPTC []byte // IIM records; only JPEG carries them
	ICC  []byte // a profile

	Gain []byte // a gain map, as a JPEG with metadata of its own; only JPEG carries it
	ISO  []byte // what ISO 21496-1 says of it in the picture, or in the map
}

// Select returns what a variant keeps of an input's metadata. The profile is not its business. upright says that the
// orientation was applied, so that no tag may ask for it again; width and height are the output's.
func Select(info header.Info, strip string, upright bool, width, height int) Set {
	switch strip {
	case recipe.StripKeep:
		orientation := info.Orientation // of HEIC and AVIF, the container's, whatever EXIF says
		if upright {
			orientation = 1
		}
		s := Set{XMP: withoutStale(thumbnails().ReplaceAll(info.XMP, nil)), IPTC: info.IPTC}
		if info.Format == format.TIFF {
			s.EXIF = copyrightEXIF(info.EXIF) // the tags are the picture's own directory
		} else {
			s.EXIF = keptEXIF(info.EXIF, orientation, width, height)
		}
		if upright {
			s.XMP = orientationAttribute().ReplaceAll(s.XMP, []byte("${1}1${2}"))
		}
		return s
	case recipe.StripCopyright:
		return Set{EXIF: copyrightEXIF(info.EXIF), XMP: copyrightXMP(info.XMP), IPTC: copyrightIPTC(info.IPTC)}
	}
	return Set{}
}

// thumbnails are the input's picture, encoded in its XMP.
var thumbnails = lazily(`(?s)<(?:xmp|xap):Thumbnails\b.*?</(?:xmp|xap):Thumbnails\s*>`)

var orientationAttribute = lazily(`(tiff:Orientation(?:="|='|>\s*))[2-8]("|'|\s*<)`)

// Embed puts s into an encoded image, as far as its format carries it, and returns it with the names of what it now
// carries, as header.Info.Metadata spells them.
func Embed(data []byte, outputFormat string, s Set) ([]byte, []string, error) {
	carries := format.Of(outputFormat)
	if carries.Name == format.AVIF {
		out, names := embedAVIF(data, s)
		return out, names, nil
	}
	s = s.carriedBy(carries)
	switch carries.Name {
	case format.JPEG:
		return embedJPEG(data, s)
	case format.PNG:
		return embedPNG(data, s), s.names(), nil
	case format.WebP:
		out, err := webp.Embed(data, webp.Metadata{ICC: s.ICC, EXIF: s.EXIF, XMP: s.XMP})
		return out, s.names(), err
	}
	return data, nil, nil
}

// carriedBy returns s without the parts that outputs of a format do not carry.
func (s Set) carriedBy(f format.Format) Set {
	if !f.ICC {
		s.ICC = nil
	}
	if !f.EXIF {
		s.EXIF = nil
	}
	if !f.XMP {
		s.XMP = nil
	}
	if !f.IPTC {
		s.IPTC = nil
	}
	if f.Name != format.JPEG {
		s.Gain, s.ISO = nil, nil
	}
	return s
}

func (s Set) names() []string {
	return header.Info{
		EXIF: s.EXIF, XMP: s.XMP, IPTC: s.IPTC, ICC: s.ICC, GainMap: header.GainMap{Data: s.Gain},
	}.Metadata()
}

// keptEXIF returns a copy of a block whose orientation and pixel size are the output's, and that names no thumbnail,
// which would be the input's.
func keptEXIF(block []byte, orientation, width, height int) []byte {
	order, entries := header.Directory(block)
	if len(entries) == 0 {
		return nil
	}
	block = withoutThumbnail(block, order)
	if order, entries = header.Directory(block); len(entries) == 0 {
		return nil // it lay over what is worth keeping
	}
	out := slices.Clone(block) // what is read stays as it was while this is written to
	set := func(e header.Entry, n int) {
		switch e.Type { // those of which header.Entry.Int, and some other readers, take the first value
		case 1, 6, 7:
			out[e.At+8] = byte(min(n, 255))
		case 3, 8:
			order.PutUint16(out[e.At+8:], uint16(min(n, 65535)))
		case 4, 9, 13:
			order.PutUint32(out[e.At+8:], uint32(n))
		default:
			return
		}
		order.PutUint32(out[e.At+4:], 1)
	}
	for _, e := range entries { // before the rest: in a damaged block its directory may lie over the others
		if e.Tag != header.TagExif {
			continue
		}
		for _, e := range header.DirectoryAt(block, order, e.Int(order)) {
			switch e.Tag {
			case header.TagPixelX:
				set(e, width)
			case header.TagPixelY:
				set(e, height)
			case header.TagColorSpace: // the profile of the output says what its colours are, or they are those of sRGB
				if e.Int(order) == 2 {
					set(e, 65535)
				}
			case header.TagInterop:
				for _, e := range header.DirectoryAt(block, order, e.Int(order)) {
					if e.Tag == 1 && string(e.Value) == "R03\x00" {
						copy(out[e.At+8:], "R98")
					}
				}
			}
		}
	}
	for _, e := range entries {
		switch e.Tag {
		case header.TagOrientation:
			set(e, orientation)
		case header.TagWidth:
			set(e, width)
		case header.TagHeight:
			set(e, height)
		}
	}
	return out
}

// The tags of a thumbnail's place and length in the directory that follows the first: of a JPEG, and of strips.
const (
	tagStrips       = 273
	tagStripLengths = 279
	tagJPEG         = 513
	tagJPEGLength   = 514
)

// withoutThumbnail returns a copy of a block in which no second directory is named, and the pictures that it leads
// to are overwritten with zeros, or cut off where nothing comes after them.
func withoutThumbnail(block []byte, order binary.ByteOrder) []byte {
	out := slices.Clone(block)
	first := int(order.Uint32(block[4:]))
	next := first + 2 + 12*int(order.Uint16(block[first:]))
	if next+4 > len(block) {
		return out
	}
	values := make(map[int][]int)
	for _, e := range header.DirectoryAt(block, order, int(order.Uint32(block[next:]))) {
		values[e.Tag] = e.Ints(order)
	}
	order.PutUint32(out[next:], 0)
	for _, tags := range [][2]int{{tagStrips, tagStripLengths}, {tagJPEG, tagJPEGLength}} {
		from, length := values[tags[0]], values[tags[1]]
		for i := range min(len(from), len(length)) {
			if from[i] < 8 || from[i] > len(out) || length[i] < 0 {
				continue
			}
			if end := from[i] + length[i]; end >= len(out) {
				out = out[:from[i]]
			} else {
				clear(out[from[i]:end])
			}
		}
	}
	return out
}

// copyrightEXIF returns a block with the artist and the copyright of another, or nil where that has neither.
func copyrightEXIF(block []byte) []byte {
	_, entries := header.Directory(block)
	var kept []header.Entry
	for _, e := range entries {
		if (e.Tag == header.TagArtist || e.Tag == header.TagCopyright) && e.Type == 2 && len(e.Value) < 16<<10 {
			kept = append(kept, e)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	order := binary.LittleEndian
	out := []byte("II*\x00\x08\x00\x00\x00")
	out = order.AppendUint16(out, uint16(len(kept)))
	var values []byte
	start := 8 + 2 + 12*len(kept) + 4
	for _, e := range kept {
		out = order.AppendUint16(out, uint16(e.Tag))
		out = order.AppendUint16(out, 2)
		out = order.AppendUint32(out, uint32(len(e.Value)))
		if len(e.Value) <= 4 {
			out = append(out, append(slices.Clone(e.Value), 0, 0, 0, 0)[:4]...)
			continue
		}
		out = order.AppendUint32(out, uint32(start+len(values)))
		values = append(values, e.Value...)
		if len(values)%2 == 1 {
			values = append(values, 0)
		}
	}
	return append(append(out, 0, 0, 0, 0), values...)
}

// copyrightIPTC keeps the by-line, its title, credit, source and copyright notice, and the character set.
//
//	{ 1C record:8 dataset:8 length:16 data }
func copyrightIPTC(records []byte) []byte {
	var out []byte
	owned := false
	for p := records; len(p) >= 5 && p[0] == 0x1c; {
		n := int(binary.BigEndian.Uint16(p[3:]))
		if n >= 0x8000 || 5+n > len(p) {
			break
		}
		charset := p[1] == 1 && p[2] == 90
		if charset || p[1] == 2 && slices.Contains([]byte{80, 85, 110, 115, 116}, p[2]) {
			out = append(out, p[:5+n]...)
			owned = owned || !charset
		}
		p = p[5+n:]
	}
	if !owned {
		return nil
	}
	return out
}

// copyrightXMP returns a packet with the creator and the rights of another, or nil where that has neither.
func copyrightXMP(packet []byte) []byte {
	text := string(packet)
	var attributes, elements strings.Builder
	for _, m := range rightsAttribute().FindAllStringSubmatch(text, 20) {
		attributes.WriteString("\n  " + m[1])
	}
	for _, name := range []string{
		"dc:creator", "dc:rights", "xmpRights:WebStatement", "xmpRights:Marked", "xmpRights:UsageTerms",
		"xmpRights:Owner", "photoshop:Credit",
	} {
		if from := strings.Index(text, "<"+name+">"); from >= 0 {
			if n := strings.Index(text[from:], "</"+name+">"); n >= 0 && n < 16<<10 {
				elements.WriteString("  " + text[from:from+n] + "</" + name + ">\n")
			}
		}
	}
	if attributes.Len()+elements.Len() == 0 {
		return nil
	}
	out := `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
 <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"` +
		attributes.String() + ">\n" + elements.String() + " </rdf:Description>\n</rdf:RDF></x:xmpmeta>"
	if !wellFormed(out) {
		return nil
	}
	return []byte(out)
}

var rightsAttribute = lazily(`\s((?:xmpRights:(?:WebStatement|Marked|Owner)|photoshop:Credit)="[^"<]*")`)

// lazily compiles when it is first needed: each child process would do it as it starts, and most need it never.
func lazily(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}
