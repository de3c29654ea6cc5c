// Package heif reads HEIC and AVIF: pictures in items of an ISO file, coded in HEVC or AV1.
//
// The package reads the container itself: which item is the primary picture, of which tiles it is made, how it is
// cropped and turned, and where its opacity, thumbnail, profile and metadata are. A codec (see codec.go) sees one
// coded picture at a time, in a file written for it, and yields the planes as they are coded. So codecs agree on
// everything but the coding, and no more than one tile is decoded at once.
package heif

import (
	"slices"

	"github.com/imagefarm/imagefarm/pkg/isobmff"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// File is the description of the items of a file. Parse makes it; nothing changes it.
type File struct {
	data    []byte
	video   bool // comes beside the pictures
	items   map[int]*item
	primary *item // as the file says
	shown   *item // what Image and Planes are about
}

// item is a coded picture, a picture derived from others, or metadata.
type item struct {
	id         int
	kind       string // hvc1, av01, grid, Exif, mime, …
	content    string // of mime: the content type
	properties []isobmff.Box
	refs       map[string][]int // from this item, by the kind of reference
	hidden     bool             // not to be shown by itself
	extents    [][]byte
	length     int  // of all extents together
	cut        bool // an extent lies outside of the file
}

// Parse reads the boxes that describe a file's items. The error is an *outcome.Rejection.
func Parse(data []byte) (*File, error) {
	top, whole := isobmff.Children(data)
	f := &File{data: data, items: make(map[int]*item)}
	meta := isobmff.Child(top, "meta")
	if len(meta) < 4 {
		switch {
		case !whole:
			return nil, outcome.Reject(outcome.Truncated, "ends within the boxes of its header")
		case isobmff.Child(top, "moov") != nil:
			return nil, outcome.Reject(outcome.Unsupported, "an image sequence without a still picture")
		}
		return nil, outcome.Reject(outcome.Corrupt, "it has no meta box")
	}
	boxes, _ := isobmff.Children(meta[4:])
	f.readItems(isobmff.Child(boxes, "iinf"))
	f.readReferences(isobmff.Child(boxes, "iref"))
	f.readLocations(isobmff.Child(boxes, "iloc"), isobmff.Child(boxes, "idat"))
	f.readProperties(isobmff.Child(boxes, "iprp"))
	f.primary = f.items[primaryID(isobmff.Child(boxes, "pitm"))]
	if f.primary == nil {
		return nil, outcome.Reject(outcome.Corrupt, "its primary picture is missing")
	}
	f.shown = f.primary
	for _, b := range top { // a sequence, or the video of a motion photo
		f.video = f.video || b.Kind == "moov" || b.Kind == "mpvd"
	}
	return f, nil
}

// get returns the item of a number, and makes it where no box has named it yet.
func (f *File) get(id int) *item {
	it := f.items[id]
	if it == nil {
		it = &item{id: id, refs: make(map[string][]int)}
		f.items[id] = it
	}
	return it
}

func primaryID(pitm []byte) int {
	switch {
	case len(pitm) >= 8 && pitm[0] > 0:
		return be32(pitm[4:])
	case len(pitm) >= 6:
		return be16(pitm[4:])
	}
	return -1
}

// readItems reads what each item is.
//
//	infe { version:8 flags:24 id:16|32 protection:16 kind:32 name content_type … }
func (f *File) readItems(iinf []byte) {
	skip := 6
	if len(iinf) > 0 && iinf[0] > 0 {
		skip = 8
	}
	if len(iinf) < skip {
		return
	}
	list, _ := isobmff.Children(iinf[skip:])
	for _, b := range list {
		if b.Kind != "infe" || len(b.Data) < 12 || b.Data[0] < 2 {
			continue
		}
		id, at := be16(b.Data[4:]), 8
		if b.Data[0] > 2 {
			id, at = be32(b.Data[4:]), 10
		}
		if len(b.Data) < at+4 {
			continue
		}
		it := f.get(id)
		it.kind, it.hidden = string(b.Data[at:at+4]), b.Data[3]&1 != 0
		if rest := b.Data[at+4:]; it.kind == "mime" {
			if name := slices.Index(rest, 0); name >= 0 {
				rest = rest[name+1:]
				if end := slices.Index(rest, 0); end >= 0 {
					rest = rest[:end]
				}
				it.content = string(rest)
			}
		}
	}
}

// readReferences reads which items an item is made of, or belongs to.
func (f *File) readReferences(iref []byte) {
	if len(iref) < 4 {
		return
	}
	size := 2
	if iref[0] > 0 {
		size = 4
	}
	list, _ := isobmff.Children(iref[4:])
	for _, b := range list {
		r := reader{p: b.Data}
		from := r.number(size)
		var to []int
		for range r.number(2) {
			id := r.number(size)
			if r.short {
				break
			}
			to = append(to, id)
		}
		it := f.get(from)
		it.refs[b.Kind] = append(it.refs[b.Kind], to...)
	}
}

// readLocations finds the bytes of each item, in the file or in the idat box.
func (f *File) readLocations(iloc, idat []byte) {
	if len(iloc) < 8 {
		return
	}
	version := iloc[0]
	offsetSize, lengthSize := int(iloc[4]>>4), int(iloc[4]&15)
	baseSize, indexSize := int(iloc[5]>>4), int(iloc[5]&15)
	r := reader{p: iloc[6:]}
	idSize := 2
	if version == 2 {
		idSize = 4
	}
	if version == 0 {
		indexSize = 0
	}
	for range r.number(idSize) {
		it := &item{} // the place of an item that is listed for the second time does not count
		if id := r.number(idSize); !r.short {
			it = f.get(id)
		}
		method := 0
		if version > 0 {
			method = r.number(2) & 15
		}
		r.number(2) // a number of a data reference
		base := r.number(baseSize)
		from := f.data
		if method == 1 {
			from = idat
		}
		for range r.number(2) {
			r.number(indexSize)
			at, length := base+r.number(offsetSize), r.number(lengthSize)
			if r.short || offsetSize+lengthSize == 0 {
				break // extents of no bytes would be counted for ever
			}
			if lengthSize == 0 || length == 0 && method == 0 {
				length = len(from) - at
			}
			if method > 1 || at < 0 || length < 0 || at > len(from) || length > len(from)-at ||
				it.length+length > len(f.data) || len(it.extents) == isobmff.Most {
				it.cut = true
				continue
			}
			it.extents = append(it.extents, from[at:at+length])
			it.length += length
		}
		if r.short {
			return
		}
	}
}

// readProperties gives each item its properties. There may be several lists of them.
func (f *File) readProperties(iprp []byte) {
	boxes, _ := isobmff.Children(iprp)
	properties, _ := isobmff.Children(isobmff.Child(boxes, "ipco"))
	for _, b := range boxes {
		if b.Kind == "ipma" && len(b.Data) >= 8 {
			f.associate(b.Data, properties)
		}
	}
}

// associate reads which properties items have, by numbers from 1.
func (f *File) associate(ipma []byte, properties []isobmff.Box) {
	r := reader{p: ipma[8:]}
	idSize, size, mask := 2, 1, 0x7f
	if ipma[0] > 0 {
		idSize = 4
	}
	if ipma[3]&1 != 0 {
		size, mask = 2, 0x7fff
	}
	for range be32(ipma[4:]) {
		id := r.number(idSize)
		count := r.number(1)
		if r.short {
			return
		}
		it := f.get(id)
		for range count {
			if n := r.number(size) & mask; n >= 1 && n <= len(properties) && len(it.properties) < isobmff.Most {
				it.properties = append(it.properties, properties[n-1])
			}
		}
	}
}

// bytes returns the data of an item, which may lie in several pieces.
func (it *item) bytes() []byte {
	if len(it.extents) == 1 {
		return it.extents[0]
	}
	return slices.Concat(it.extents...)
}

// property returns the data of the item's first property of a kind.
func (it *item) property(kind string) []byte { return isobmff.Child(it.properties, kind) }

// size returns the width and height that the item's ispe property says, or zeros.
func (it *item) size() (w, h int) {
	if b := it.property("ispe"); len(b) >= 12 {
		return be32(b[4:]), be32(b[8:])
	}
	return 0, 0
}
