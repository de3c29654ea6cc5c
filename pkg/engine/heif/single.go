package heif

import (
	"encoding/binary"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/isobmff"
)

// single returns a file whose only item is a coded picture, so that a codec needs to know nothing of grids, crops,
// turns, brands or other items.
//
//	ftyp  meta { hdlr pitm iinf { infe } iprp { ipco { … } ipma } iloc }  mdat
//
// c goes into the file for codecs that convert to RGB.
func (it *item) single(c color) []byte {
	brand := format.HEIC // brands are called like the formats
	if it.kind == "av01" {
		brand = format.AVIF
	}
	var properties []isobmff.Box
	for _, b := range it.properties {
		switch b.Kind {
		case "ispe", "av1C", "a1op", "lsel", "a1lx":
			properties = append(properties, b)
		case "hvcC":
			properties = append(properties, isobmff.Box{Kind: "hvcC", Data: asColor(b.Data)}, depths(b.Data))
		}
	}
	properties = append(properties, isobmff.Box{Kind: "colr", Data: c.numbers()})
	var ipco []byte
	ipma := []byte{0, 0, 0, 0, 0, 0, 0, 1, 0, 1, byte(len(properties))}
	for i, b := range properties {
		ipco = appendBox(ipco, b.Kind, b.Data)
		number := byte(i + 1)
		if b.Kind == "hvcC" || b.Kind == "av1C" {
			number |= 0x80 // essential
		}
		ipma = append(ipma, number)
	}
	data := it.bytes()
	infe := append([]byte{2, 0, 0, 0, 0, 1, 0, 0}, it.kind+"\x00"...)
	iloc := []byte{0, 0, 0, 0, 0x44, 0, 0, 1, 0, 1, 0, 0, 0, 1}
	iloc = append(iloc, make([]byte, 8)...) // where the data are, and how many
	binary.BigEndian.PutUint32(iloc[len(iloc)-4:], uint32(len(data)))

	meta := []byte{0, 0, 0, 0}
	meta = appendBox(meta, "hdlr",
		[]byte("\x00\x00\x00\x00\x00\x00\x00\x00pict\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	meta = appendBox(meta, "pitm", []byte{0, 0, 0, 0, 0, 1})
	meta = appendBox(meta, "iinf", appendBox([]byte{0, 0, 0, 0, 0, 1}, "infe", infe))
	meta = appendBox(meta, "iprp", slices.Concat(appendBox(nil, "ipco", ipco), appendBox(nil, "ipma", ipma)))
	meta = appendBox(meta, "iloc", iloc) // last, so that its end is known
	out := appendBox(nil, "ftyp", []byte(brand+"\x00\x00\x00\x00mif1"+brand))
	out = appendBox(out, "meta", meta)
	binary.BigEndian.PutUint32(out[len(out)-8:], uint32(len(out)+8))
	return appendBox(out, "mdat", data)
}

// depths returns a pixi box for a configuration of HEVC: libheif reads no gray picture without one.
func depths(config []byte) isobmff.Box {
	if len(config) < 19 {
		return isobmff.Box{Kind: "pixi", Data: []byte{0, 0, 0, 0, 0}}
	}
	luma, chroma := 8+config[17]&7, 8+config[18]&7
	if config[16]&3 == 0 && luma == 8 {
		return isobmff.Box{Kind: "pixi", Data: []byte{0, 0, 0, 0, 1, luma}}
	}
	return isobmff.Box{Kind: "pixi", Data: []byte{0, 0, 0, 0, 3, luma, chroma, chroma}}
}

// asColor returns the configuration of a gray picture of more than 8 bits as if it had colours: libheif brings gray
// to 8 bits only on the way to colours.
func asColor(config []byte) []byte {
	if len(config) < 19 || config[16]&3 != 0 || config[17]&7 == 0 {
		return config
	}
	config = slices.Clone(config)
	config[16] |= 1 // 4:2:0
	return config
}

func appendBox(out []byte, kind string, data []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(8+len(data)))
	return append(append(out, kind...), data...)
}
