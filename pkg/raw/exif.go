package raw

import (
	"encoding/binary"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/tiff"
)

// maxEXIF is the most that a block may have, bytes: a JPEG's segment holds no more.
const maxEXIF = 60_000

// finishEXIF makes a block of what describes the photograph: camera, time, exposure, place, owner. What describes how
// the raw file is stored stays away, and so do the maker's notes, whose offsets would be wrong.
func (f *finder) finishEXIF(order binary.ByteOrder, first *tiff.Directory) {
	b := &blockWriter{order: order, out: []byte("MM\x00*\x00\x00\x00\x08")}
	if order == binary.LittleEndian {
		copy(b.out, "II*\x00\x08\x00\x00\x00")
	}
	var head, exif, gps []tiff.Value
	for v := range first.Values() {
		switch {
		case v.Tag == tagMake || v.Tag == tagMake+1 || v.Tag == 270 || v.Tag == tagOrientation,
			282 <= v.Tag && v.Tag <= 283, v.Tag == 296, v.Tag == 305, v.Tag == 306, v.Tag == 315, v.Tag == 33432:
			head = append(head, v)
		}
	}
	if f.exif != nil {
		for v := range f.exif.Values() {
			switch v.Tag {
			case tagMakerNote, tagInterop, tagPixelWidth, tagPixelHeight:
			default:
				exif = append(exif, v)
			}
		}
	}
	if f.gps != nil {
		for v := range f.gps.Values() {
			gps = append(gps, v)
		}
	}
	size := 0
	for _, v := range slices.Concat(head, exif, gps) {
		size += 12 + len(v.Bytes)
	}
	if 0 < size && size <= maxEXIF {
		b.write(head, exif, gps)
		f.EXIF = b.out
	}
}

// blockWriter writes a block of a directory and its two subdirectories.
type blockWriter struct {
	order binary.ByteOrder
	out   []byte
}

func (b *blockWriter) write(head, exif, gps []tiff.Value) {
	links := make(map[uint16]int) // where the offset of a subdirectory is to be
	for _, sub := range []struct {
		tag  uint16
		list []tiff.Value
	}{{tagEXIF, exif}, {tagGPS, gps}} {
		if len(sub.list) > 0 {
			head = append(head, tiff.Value{Tag: sub.tag, Type: 4, Count: 1, Bytes: make([]byte, 4)})
		}
	}
	b.directory(head, links)
	for _, sub := range []struct {
		tag  uint16
		list []tiff.Value
	}{{tagEXIF, exif}, {tagGPS, gps}} {
		if at, ok := links[sub.tag]; ok {
			b.order.PutUint32(b.out[at:], uint32(len(b.out)))
			b.directory(sub.list, links)
		}
	}
}

// directory appends a directory and the values that are too long for it. It notes where the links to others stand.
func (b *blockWriter) directory(list []tiff.Value, links map[uint16]int) {
	place := len(b.out) + 2
	b.out = append(b.out, make([]byte, 2+12*len(list)+4)...)
	b.order.PutUint16(b.out[place-2:], uint16(len(list)))
	for i, v := range list {
		at := place + 12*i
		b.order.PutUint16(b.out[at:], v.Tag)
		b.order.PutUint16(b.out[at+2:], v.Type)
		b.order.PutUint32(b.out[at+4:], uint32(v.Count))
		if v.Tag == tagEXIF || v.Tag == tagGPS {
			links[v.Tag] = at + 8
		}
		if len(v.Bytes) <= 4 {
			copy(b.out[at+8:], v.Bytes)
			continue
		}
		b.order.PutUint32(b.out[at+8:], uint32(len(b.out)))
		b.out = append(b.out, v.Bytes...)
		if len(b.out)%2 == 1 {
			b.out = append(b.out, 0)
		}
	}
}
