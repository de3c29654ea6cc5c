package raw

import (
	"encoding/binary"

	"github.com/imagefarm/imagefarm/pkg/isobmff"
	"github.com/imagefarm/imagefarm/pkg/tiff"
)

// The boxes of Canon's own in a CR3.
const (
	uuidCanon   = "\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48" // CMT1, CMT2, CMT4, THMB; in moov
	uuidPreview = "\xea\xf4\x2b\x5e\x1c\x98\x4b\x88\xb9\xfb\xb7\xdc\x40\x6e\x4d\x16" // 8 bytes, PRVW
	uuidXMP     = "\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac"
)

// findCR3 reads Canon's file of boxes. A track may hold a JPEG of the full size, and PRVW a smaller one.
//
//	ftyp
//	moov { uuid { CMT1 CMT2 CMT4 THMB }  trak { mdia { minf { stbl { stsd stsz co64 } } } } … }
//	uuid { PRVW }
//	mdat
func findCR3(data []byte) *File {
	f := &finder{data: data}
	top, whole := isobmff.Children(data)
	f.Cut = !whole
	for _, b := range top {
		switch {
		case b.Kind == "moov":
			inside, _ := isobmff.Children(b.Data)
			for _, b := range inside {
				if b.Kind == "trak" {
					f.track(b.Data)
				} else if b.Kind == "uuid" && len(b.Data) > 16 && string(b.Data[:16]) == uuidCanon {
					f.canon(b.Data[16:])
				}
			}
		case b.Kind == "uuid" && len(b.Data) > 24 && string(b.Data[:16]) == uuidPreview:
			f.boxed(b.Data[24:], "PRVW", 12)
		case b.Kind == "uuid" && len(b.Data) > 16 && string(b.Data[:16]) == uuidXMP:
			f.XMP = b.Data[16:]
		}
	}
	return &f.File
}

// canon reads the box of metadata: blocks like TIFF, of one directory each, and the thumbnail.
func (f *finder) canon(data []byte) {
	list, _ := isobmff.Children(data)
	var first *tiff.Directory
	var order binary.ByteOrder
	for _, b := range list {
		block, err := tiff.ReadBlock(b.Data)
		if err != nil {
			continue
		}
		d, err := block.Directory(block.First)
		if err != nil || order != nil && order != block.Order() {
			continue
		}
		switch b.Kind {
		case "CMT1":
			first, order = d, block.Order()
			if o := d.Int(tagOrientation, 0); 1 <= o && o <= 8 {
				f.Orientation = o
			}
		case "CMT2":
			f.exif, order = d, block.Order()
			f.aboutEXIF(block)
		case "CMT3": // the maker's note
			const colorSpace, adobeRGB = 0xb4, 2
			f.AdobeRGB = f.AdobeRGB || d.Int(colorSpace, 0) == adobeRGB
		case "CMT4":
			f.gps, order = d, block.Order()
		}
	}
	if first != nil {
		f.finishEXIF(order, first)
	}
	f.boxed(data, "THMB", 8)
}

// boxed adds the JPEG of a box, whose length stands at an offset of its data.
//
//	PRVW  0:32 1:16 width:16 height:16 1:16 length:32 JPEG
//	THMB  version:32 width:16 height:16 length:32 1:16 0:16 JPEG
func (f *finder) boxed(data []byte, kind string, at int) {
	list, _ := isobmff.Children(data)
	b := isobmff.Child(list, kind)
	if len(b) < 20 {
		return
	}
	n := int64(binary.BigEndian.Uint32(b[at:]))
	from := int64(cap(f.data)-cap(b)) + 16
	f.jpeg(from, min(n, int64(len(b)-16)))
}

// track adds the first sample of a track, and takes the size from its description.
func (f *finder) track(data []byte) {
	for _, kind := range []string{"mdia", "minf", "stbl"} {
		list, _ := isobmff.Children(data)
		data = isobmff.Child(list, kind)
	}
	table, _ := isobmff.Children(data)
	be := binary.BigEndian
	if stsd := isobmff.Child(table, "stsd"); len(stsd) > 8 {
		list, _ := isobmff.Children(stsd[8:])
		if entry := isobmff.Child(list, "CRAW"); len(entry) >= 28 {
			f.size(int(be.Uint16(entry[24:])), int(be.Uint16(entry[26:])))
		}
	}
	stsz, co64 := isobmff.Child(table, "stsz"), isobmff.Child(table, "co64")
	if len(stsz) < 12 || len(co64) < 16 {
		return
	}
	n := be.Uint32(stsz[4:]) // of all samples, or 0
	if n == 0 && len(stsz) >= 16 {
		n = be.Uint32(stsz[12:])
	}
	if at := be.Uint64(co64[8:]); at < 1<<62 {
		f.jpeg(int64(at), int64(n))
	}
}
