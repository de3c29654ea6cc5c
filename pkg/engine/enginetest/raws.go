package enginetest

import (
	"bytes"
	"encoding/binary"
	"image"
)

// RAW is a small file built like one that a camera stores.
type RAW struct {
	Kind string // the extension, without a dot: "nef"
	Data []byte
}

// RAWs returns a file of every kind of raw file that is read. preview is the JPEG that each holds beside a smaller one,
// and full the size of the picture that the camera took. The files say orientation where the kind does so.
func RAWs(preview []byte, full image.Point, orientation int) []RAW {
	w, h, o := uint32(full.X), uint32(full.Y), uint32(orientation)
	small := JPEG(Quadrants(32, 24), JPEGOptions{})
	thumbnail := bytes.Repeat([]byte{200, 0, 0}, 32*24)
	sensor := bytes.Repeat([]byte{0x5a, 0x10}, 500)
	le, be := binary.LittleEndian, binary.BigEndian
	cfa := func(more ...field) []field {
		return append([]field{num(254, 4, 0), num(256, 4, w), num(257, 4, h), num(259, 3, 34713), num(262, 3, 32803),
			blob(273, sensor), num(279, 4, uint32(len(sensor)))}, more...)
	}
	rgb := []field{num(254, 4, 1), num(256, 4, 32), num(257, 4, 24), num(258, 3, 8, 8, 8), num(259, 3, 1),
		num(262, 3, 2), blob(273, thumbnail), num(274, 3, o), num(277, 3, 3), num(278, 4, 24),
		num(279, 4, uint32(len(thumbnail)))}
	jpeg := func(data []byte, first ...field) []field {
		return append(first, blob(513, data), num(514, 4, uint32(len(data))))
	}
	strip := func(data []byte, first ...field) []field {
		return append(first, blob(273, data), num(279, 4, uint32(len(data))))
	}
	camera := []field{text(271, "Maker"), num(274, 3, o), text(315, "Ada Painter")}
	exif := subs(34665, []field{num(33437, 5, 28, 10), num(40961, 3, 1), num(40962, 4, w), num(40963, 4, h)})
	return []RAW{
		{"nef", tiffLike(le, 42, "", append(rgb, text(271, "NIKON"),
			subs(330, jpeg(preview, num(254, 4, 1)), cfa()), exif))},
		{"cr2", tiffLike(le, 42, "CR\x02\x00\x00\x00\x00\x00",
			append(strip(preview, num(256, 4, w), num(257, 4, h), num(259, 3, 6)), append(camera, exif)...),
			jpeg(small), rgb, strip(losslessJPEG(), num(259, 3, 6)))},
		{"arw", tiffLike(le, 42, "", jpeg(preview, append([]field{num(254, 4, 1), num(259, 3, 6)},
			append(camera, subs(330, cfa()))...)...), jpeg(small, num(254, 4, 1), num(259, 3, 6)))},
		{"dng", tiffLike(be, 42, "", append(rgb, append(camera, num(50706, 1, 1, 4, 0, 0),
			subs(330, cfa(num(50720, 4, w, h)),
				strip(preview, num(254, 4, 1), num(259, 3, 7), num(262, 3, 6), num(278, 4, h))))...))},
		{"pef", tiffLike(be, 42, "", cfa(camera...), jpeg(small), jpeg(preview))},
		{"orf", tiffLike(le, 0x4f52, "", append(camera, num(256, 4, w), num(257, 4, h), num(259, 3, 1), num(262, 3, 1),
			blob(273, sensor), num(279, 4, uint32(len(sensor))), subs(34665, []field{olympusNote(preview)})))},
		{"rw2", tiffLike(le, 0x55, "", append(camera, num(2, 3, w+8), num(3, 3, h+6), num(4, 3, 4), num(5, 3, 6),
			num(6, 3, h+4), num(7, 3, w+6), field{tag: 46, kind: 7, data: preview}))},
		{"raf", raf(preview, full)},
		{"cr3", cr3(preview, small, full, tiffLike(be, 42, "", camera))},
	}
}

// losslessJPEG is what CR2 stores of the sensor: a JPEG that is no picture.
func losslessJPEG() []byte {
	return []byte("\xff\xd8\xff\xc3\x00\x0e\x0e\x10\x00\x10\x00\x02\x00\x11\x00\x01\x11\x00" +
		"\xff\xda\x00\x08\x01\x00\x00\x01\x00\x00")
}

// olympusNote is a maker's note whose directory names the preview, counted from the note's beginning.
func olympusNote(preview []byte) field {
	note := []byte("OLYMPUS\x00II\x03\x00")
	order := binary.LittleEndian
	note = append(note, 1, 0, 0x20, 0x20, 13, 0, 1, 0, 0, 0)
	note = order.AppendUint32(note, 12+2+12+4) // the camera settings
	note = append(note, 0, 0, 0, 0, 2, 0)
	from := uint32(len(note) + 24 + 4)
	for _, e := range [][2]uint32{{0x101, from}, {0x102, uint32(len(preview))}} {
		note = order.AppendUint16(order.AppendUint16(note, uint16(e[0])), 4)
		note = order.AppendUint32(order.AppendUint32(note, 1), e[1])
	}
	return field{tag: 37500, kind: 7, data: append(append(note, 0, 0, 0, 0), preview...)}
}

func raf(preview []byte, full image.Point) []byte {
	be := binary.BigEndian
	data := make([]byte, 120)
	copy(data, "FUJIFILMCCD-RAW 0201FF383501X-Test")
	be.PutUint32(data[84:], uint32(len(data)))
	be.PutUint32(data[88:], uint32(len(preview)))
	data = append(data, preview...)
	be.PutUint32(data[92:], uint32(len(data)))
	data = append(data, 0, 0, 0, 2)
	for tag, more := range []int{16, 0} { // the sensor's, and what the camera cuts out of it
		data = be.AppendUint16(be.AppendUint16(data, uint16(0x100+0x11*tag)), 4)
		data = be.AppendUint16(be.AppendUint16(data, uint16(full.Y+more)), uint16(full.X+more))
	}
	return data
}

func cr3(preview, small []byte, full image.Point, cmt1 []byte) []byte {
	be := binary.BigEndian
	box := func(kind string, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		return append(append(be.AppendUint32(nil, uint32(len(body)+8)), kind...), body...)
	}
	sized := func(n int, before string, after string, data []byte) []byte {
		return append(append(be.AppendUint32([]byte(before), uint32(n)), after...), data...)
	}
	build := func(at uint64) []byte {
		entry := make([]byte, 82)
		be.PutUint16(entry[24:], uint16(full.X))
		be.PutUint16(entry[26:], uint16(full.Y))
		table := box("stbl", box("stsd", []byte{0, 0, 0, 0, 0, 0, 0, 1}, box("CRAW", entry)),
			box("stsz", make([]byte, 4), be.AppendUint32(nil, uint32(len(preview))), []byte{0, 0, 0, 1}),
			box("co64", []byte{0, 0, 0, 0, 0, 0, 0, 1}, be.AppendUint64(nil, at)))
		thumbnail := box("THMB", sized(len(small), "\x00\x00\x00\x00\x00\x20\x00\x18", "\x00\x01\x00\x00", small))
		canon := box("uuid", []byte("\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48"),
			box("CMT1", cmt1), thumbnail)
		medium := box("uuid", []byte("\xea\xf4\x2b\x5e\x1c\x98\x4b\x88\xb9\xfb\xb7\xdc\x40\x6e\x4d\x16"),
			[]byte("\x00\x00\x00\x00\x00\x00\x00\x01"),
			box("PRVW", sized(len(small), "\x00\x00\x00\x00\x00\x01\x00\x20\x00\x18\x00\x01", "", small)))
		return bytes.Join([][]byte{box("ftyp", []byte("crx \x00\x00\x00\x01crx isom")),
			box("moov", canon, box("trak", box("mdia", box("minf", table)))), medium}, nil)
	}
	return append(build(uint64(len(build(0))+8)), box("mdat", preview)...)
}

// field is a tag of a directory of a file that is built like TIFF.
type field struct {
	tag, kind uint16
	data      []byte    // the value, where it is bytes
	numbers   []uint32  // the value, where it is numbers
	blob      []byte    // the value is the offset of these bytes
	subs      [][]field // the value is the offsets of these directories
}

func num(tag, kind uint16, numbers ...uint32) field {
	return field{tag: tag, kind: kind, numbers: numbers}
}
func text(tag uint16, s string) field        { return field{tag: tag, kind: 2, data: []byte(s + "\x00")} }
func blob(tag uint16, data []byte) field     { return field{tag: tag, kind: 4, blob: data} }
func subs(tag uint16, list ...[]field) field { return field{tag: tag, kind: 4, subs: list} }

// tiffLike writes a chain of directories behind a header with a version and more.
func tiffLike(order binary.ByteOrder, version uint16, more string, chain ...[]field) []byte {
	out := []byte("MM\x00\x00\x00\x00\x00\x00" + more)
	if order == binary.ByteOrder(binary.LittleEndian) {
		copy(out, "II")
	}
	order.PutUint16(out[2:], version)
	link := 4
	for _, dir := range chain {
		order.PutUint32(out[link:], uint32(len(out)))
		link = len(out) + 2 + 12*len(dir)
		out = directory(out, order, dir)
	}
	return out
}

// directory appends a directory, and what it refers to.
func directory(out []byte, order binary.ByteOrder, dir []field) []byte {
	at := len(out) + 2
	out = append(out, make([]byte, 2+12*len(dir)+4)...)
	order.PutUint16(out[at-2:], uint16(len(dir)))
	for _, f := range dir {
		var value []byte
		count := len(f.data)
		put := func(n uint32) {
			switch f.kind {
			case 1:
				value = append(value, byte(n))
			case 3:
				b := make([]byte, 2)
				order.PutUint16(b, uint16(n))
				value = append(value, b...)
			default:
				b := make([]byte, 4)
				order.PutUint32(b, n)
				value = append(value, b...)
			}
			count++
		}
		value = append(value, f.data...)
		for _, n := range f.numbers {
			put(n)
		}
		if f.blob != nil {
			put(uint32(len(out)))
			out = append(out, f.blob...)
		}
		for _, sub := range f.subs {
			put(uint32(len(out)))
			out = directory(out, order, sub)
		}
		if f.kind == 5 {
			count /= 2
		}
		order.PutUint16(out[at:], f.tag)
		order.PutUint16(out[at+2:], f.kind)
		order.PutUint32(out[at+4:], uint32(count))
		if copy(out[at+8:at+12], value); len(value) > 4 {
			order.PutUint32(out[at+8:], uint32(len(out)))
			out = append(out, value...)
		}
		at += 12
	}
	return out
}
