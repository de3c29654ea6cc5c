package header

import (
	"bytes"
	"encoding/binary"

	"github.com/imagefarm/imagefarm/pkg/engine/heif"
)

const (
	// MPFPrefix begins the segment of an index of pictures.
	MPFPrefix = "MPF\x00"

	// ISOPrefix begins the segment of what ISO 21496-1 says of a gain map, in the picture and in the map.
	ISOPrefix = "urn:iso:std:iso:ts:21496:-1\x00"

	// GainMapNamespace is that of a gain map's properties in XMP.
	GainMapNamespace = "http://ns.adobe.com/hdr-gain-map/1.0/"
)

// GainMap is a second picture in a JPEG that says how much brighter each part of the first is on a bright screen
// (Ultra HDR).
type GainMap struct {
	Data   []byte // a JPEG; nil: there is none
	Width  int
	Height int
	XMP    []byte // the map's own packet
	ISO    []byte // what ISO 21496-1 says in the map's segment, or nil
	Base   []byte // and in the picture's
}

// maxPictures bounds how many of the pictures in a JPEG are looked at.
const maxPictures = 100

// readMPF reads the index of the pictures in a JPEG, whose offsets count from its beginning, which is at base of data.
//
//	entry { kind:32 size:32 offset:32 0:32 }
func (i *Info) readMPF(data []byte, base int) {
	block := data[base:]
	order, entries := Directory(block)
	for _, e := range entries {
		const list, size = 0xb002, 16
		if e.Tag != list {
			continue
		}
		for n := 1; n < len(e.Value)/size && n < maxPictures; n++ { // the first is the picture itself
			p := e.Value[n*size:]
			kind, length, at := order.Uint32(p)&0xffffff, int64(order.Uint32(p[4:])), int64(order.Uint32(p[8:]))
			if kind == 0x010001 || kind == 0x010002 { // smaller versions of the first
				continue
			}
			if at < 1 || at > int64(len(block)) || length < 4 || length > int64(len(block))-at {
				continue
			}
			if !i.readGainMap(block[at : at+length]) {
				i.Pictures = true
			}
		}
	}
}

// readGainMap reports whether a picture is a gain map. The first is kept, but for Apple's, whose meaning depends on
// what cameras do not document.
func (i *Info) readGainMap(data []byte) bool {
	m := Info{Frames: 1, Orientation: 1, inside: true}
	if !bytes.HasPrefix(data, []byte("\xff\xd8\xff")) || m.readJPEG(data) != nil {
		return false
	}
	if bytes.Contains(m.XMP, []byte("urn:com:apple:photo:2020:aux:hdrgainmap")) {
		i.beside = append(i.beside, heif.GainMap)
		return true
	}
	if !bytes.Contains(m.XMP, []byte(GainMapNamespace)) && m.iso == nil {
		return false
	}
	if i.GainMap.Data == nil && m.Width > 0 && m.Height > 0 {
		i.GainMap = GainMap{Data: data, Width: m.Width, Height: m.Height, XMP: m.XMP, ISO: m.iso, Base: i.iso}
	}
	return true
}

// isMotionPhoto reports whether an XMP packet says that a video comes behind the picture: a motion photo.
func isMotionPhoto(xmp []byte) bool {
	for _, name := range []string{"MotionPhoto", "MicroVideo"} {
		for _, form := range []string{`="1"`, `='1'`, `>1<`} {
			if bytes.Contains(xmp, []byte(":"+name+form)) {
				return true
			}
		}
	}
	return false
}

// MPF returns the index of two pictures, the first of which has size bytes, and the second, length bytes, comes right
// behind it. The index begins at an offset of the first.
func MPF(at, size, length int) []byte {
	be := binary.BigEndian
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x03" +
		"\xb0\x00\x00\x07\x00\x00\x00\x040100" +
		"\xb0\x01\x00\x04\x00\x00\x00\x01\x00\x00\x00\x02" +
		"\xb0\x02\x00\x07\x00\x00\x00\x20\x00\x00\x00\x32" +
		"\x00\x00\x00\x00")
	const primary = 0x030000
	for _, n := range []int{primary, size, 0, 0, 0, length, size - at, 0} {
		b = be.AppendUint32(b, uint32(n))
	}
	return b
}
