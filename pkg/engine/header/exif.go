package header

import "encoding/binary"

// TIFF tags that are read or written.
const (
	TagWidth       = 256
	TagHeight      = 257
	TagBits        = 258
	TagCompression = 259
	TagPhotometric = 262
	TagOrientation = 274
	TagSamples     = 277
	TagArtist      = 315
	TagXMP         = 700
	TagCopyright   = 33432
	TagIPTC        = 33723
	TagExif        = 34665
	TagICC         = 34675
	TagPixelX      = 40962
	TagPixelY      = 40963
	TagColorSpace  = 40961
	TagInterop     = 40965
)

// Entry is one entry of a TIFF directory.
type Entry struct {
	Tag, Type int
	Count     int
	At        int    // of the twelve bytes of the entry, in the block
	Value     []byte // the values' bytes, in the block's byte order
}

// typeSizes are the bytes of one value of each TIFF type.
func typeSize(t int) int {
	switch t {
	case 1, 2, 6, 7:
		return 1
	case 3, 8:
		return 2
	case 4, 9, 11, 13:
		return 4
	case 5, 10, 12:
		return 8
	}
	return 0
}

// Directory returns the byte order of a TIFF block and the entries of its first directory. An entry whose value lies
// outside of the block is left out. The order is nil where the block is none.
func Directory(block []byte) (binary.ByteOrder, []Entry) {
	if len(block) < 8 {
		return nil, nil
	}
	var order binary.ByteOrder
	switch string(block[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return nil, nil
	}
	return order, entries(block, order, int64(order.Uint32(block[4:])))
}

// DirectoryAt returns the entries of the directory at an offset.
func DirectoryAt(block []byte, order binary.ByteOrder, at int) []Entry {
	return entries(block, order, int64(at))
}

func entries(block []byte, order binary.ByteOrder, at int64) []Entry {
	if at < 8 || at+2 > int64(len(block)) {
		return nil
	}
	var list []Entry
	n := int(order.Uint16(block[at:]))
	for k := range n {
		p := int(at) + 2 + 12*k
		if p+12 > len(block) {
			break
		}
		e := Entry{Tag: int(order.Uint16(block[p:])), Type: int(order.Uint16(block[p+2:])), At: p}
		size := int64(order.Uint32(block[p+4:])) * int64(typeSize(e.Type))
		if size == 0 || size > int64(len(block)) {
			continue
		}
		e.Count = int(order.Uint32(block[p+4:]))
		from := int64(p) + 8
		if size > 4 {
			from = int64(order.Uint32(block[p+8:]))
		}
		if from+size > int64(len(block)) {
			continue
		}
		e.Value = block[from : from+size]
		list = append(list, e)
	}
	return list
}

// Int returns the first value of an integer entry, or -1.
func (e Entry) Int(order binary.ByteOrder) int {
	switch e.Type {
	case 1, 6, 7:
		return int(e.Value[0])
	case 3:
		return int(order.Uint16(e.Value))
	case 4, 13:
		return int(order.Uint32(e.Value))
	case 8: // some writers store positive numbers as signed ones
		return max(-1, int(int16(order.Uint16(e.Value))))
	case 9:
		return max(-1, int(int32(order.Uint32(e.Value))))
	}
	return -1
}

// Ints returns the values of an integer entry.
func (e Entry) Ints(order binary.ByteOrder) (list []int) {
	for rest := e.Value; len(rest) > 0; rest = rest[typeSize(e.Type):] {
		list = append(list, Entry{Type: e.Type, Value: rest}.Int(order))
	}
	return list
}

// Orientation returns the orientation that an EXIF block names, 1 to 8; 1 where it names none or nonsense.
func Orientation(exif []byte) int {
	order, list := Directory(exif)
	for _, e := range list {
		if e.Tag == TagOrientation {
			if o := e.Int(order); 1 <= o && o <= 8 {
				return o
			}
		}
	}
	return 1
}

// adobeRGB reports whether an EXIF block says that the samples are those of Adobe RGB: cameras mark that by R03 in the
// directory of interoperability, or by a colour space of 2.
func adobeRGB(exif []byte) bool {
	order, list := Directory(exif)
	for _, e := range list {
		if e.Tag != TagExif {
			continue
		}
		for _, e := range DirectoryAt(exif, order, e.Int(order)) {
			switch e.Tag {
			case TagColorSpace:
				if e.Int(order) == 2 {
					return true
				}
			case TagInterop:
				for _, e := range DirectoryAt(exif, order, e.Int(order)) {
					if e.Tag == 1 && string(e.Value) == "R03\x00" {
						return true
					}
				}
			}
		}
	}
	return false
}
