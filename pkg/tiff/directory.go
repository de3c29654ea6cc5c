package tiff

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

const format = "TIFF"

// Tags that are read.
const (
	tagWidth        = 256
	tagHeight       = 257
	tagBits         = 258
	tagCompression  = 259
	tagPhotometric  = 262
	tagFillOrder    = 266
	tagStripOffsets = 273
	tagOrientation  = 274
	tagSamples      = 277
	tagRowsPerStrip = 278
	tagStripCounts  = 279
	tagPlanar       = 284
	tagT4Options    = 292
	tagPredictor    = 317
	tagColorMap     = 320
	tagTileWidth    = 322
	tagTileHeight   = 323
	tagTileOffsets  = 324
	tagTileCounts   = 325
	tagInkSet       = 332
	tagExtraSamples = 338
	tagSampleFormat = 339
	tagLeast        = 340
	tagGreatest     = 341
	tagJPEGTables   = 347
	tagInterchange  = 513
	tagCoefficients = 529
	tagSubsampling  = 530
	tagReference    = 532
)

// file is a TIFF file in memory.
//
//	"II" or "MM"  42:16  offset of the first directory:32
//	"II" or "MM"  43:16  8:16  0:16  offset of the first directory:64       (BigTIFF)
type file struct {
	data  []byte
	order binary.ByteOrder
	big   bool
}

// directory is one directory: a page.
//
//	count:16  { tag:16 type:16 count:32 value or offset:32 }  offset of the next directory:32
//	count:64  { tag:16 type:16 count:64 value or offset:64 }  offset of the next directory:64   (BigTIFF)
type directory struct {
	*file
	entries map[uint16]entry
	lost    uint16 // a baseline tag whose values lie beyond the end of the file; 0 if there is none
}

// entry holds the values of a tag.
type entry struct {
	kind  uint16
	count int
	value []byte // in the file's byte order
	from  uint64 // where the value is in the file
}

// openFile reads the header. A version of others stands for 42: that of a camera's raw file.
func openFile(data []byte, others ...uint16) (*file, uint64, error) {
	f := &file{data: data}
	if len(data) < 8 {
		return nil, 0, raster.Truncatedf(format, "the header")
	}
	switch string(data[:2]) {
	case "II":
		f.order = binary.LittleEndian
	case "MM":
		f.order = binary.BigEndian
	default:
		return nil, 0, raster.Corruptf(format, 0, "the byte order is missing")
	}
	version := f.order.Uint16(data[2:])
	if slices.Contains(others, version) {
		version = 42
	}
	switch version {
	case 42:
		return f, uint64(f.order.Uint32(data[4:])), nil
	case 43:
		if len(data) < 16 {
			return nil, 0, raster.Truncatedf(format, "the header")
		}
		if size := f.order.Uint16(data[4:]); size != 8 {
			return nil, 0, raster.Unsupportedf(format, "offsets of %d bytes", size)
		}
		f.big = true
		return f, f.order.Uint64(data[8:]), nil
	}
	return nil, 0, raster.Corruptf(format, 2, "the version is %d, neither 42 nor 43", version)
}

// maxPages bounds the number of directories that are followed: a longer chain is a loop.
const maxPages = 1 << 16

// page returns the directory of a page, counted from 0.
func (f *file) page(first uint64, page int) (*directory, error) {
	at := first
	for i := range page {
		next, err := f.following(at)
		if err != nil {
			return nil, err
		}
		if at = next; at == 0 || i == maxPages {
			return nil, raster.Unsupportedf(format, "page %d asked for, and %d in the file,", page, i+1)
		}
	}
	return f.directory(at)
}

// pages counts the directories. It stops at a directory that cannot be read or that it has already counted.
func (f *file) pages(first uint64) int {
	seen := make(map[uint64]bool)
	for at := first; at != 0 && !seen[at] && len(seen) < maxPages; {
		next, err := f.following(at)
		if err != nil {
			break
		}
		seen[at] = true
		at = next
	}
	return len(seen)
}

// sizes returns the bytes of a directory's count and of an entry.
func (f *file) sizes() (head, entry uint64) {
	if f.big {
		return 8, 20
	}
	return 2, 12
}

// counted returns the number of entries of the directory at an offset.
func (f *file) counted(at uint64) (uint64, error) {
	head, _ := f.sizes()
	have := uint64(len(f.data))
	if at < 8 {
		return 0, raster.Corruptf(format, 4, "a directory begins at byte %d", at)
	}
	if at > have || have-at < head {
		return 0, raster.Truncatedf(format, "the directory at byte %d", at)
	}
	count := uint64(0)
	if f.big {
		count = f.order.Uint64(f.data[at:])
	} else {
		count = uint64(f.order.Uint16(f.data[at:]))
	}
	if count == 0 || count > math.MaxUint16 {
		return 0, raster.Corruptf(format, int64(at), "a directory has %d entries", count)
	}
	return count, nil
}

// following returns the offset of the directory that follows the one at an offset, 0 for none.
func (f *file) following(at uint64) (uint64, error) {
	count, err := f.counted(at)
	if err != nil {
		return 0, err
	}
	head, size := f.sizes()
	at += head + count*size
	switch have := uint64(len(f.data)); {
	case at > have:
		return 0, raster.Truncatedf(format, "a directory")
	case f.big && have-at >= 8:
		return f.order.Uint64(f.data[at:]), nil
	case !f.big && have-at >= 4:
		return uint64(f.order.Uint32(f.data[at:])), nil
	}
	return 0, nil // some writers omit this field
}

// directory reads the directory at an offset.
func (f *file) directory(at uint64) (*directory, error) {
	count, err := f.counted(at)
	if err != nil {
		return nil, err
	}
	d := &directory{file: f, entries: make(map[uint16]entry)}
	head, size := f.sizes()
	p := at + head
	for ; count > 0 && uint64(len(f.data))-p >= size; count-- {
		d.add(p)
		p += size
	}
	if count > 0 {
		return nil, raster.Truncatedf(format, "the directory at byte %d", at)
	}
	return d, nil
}

// typeSize returns the bytes of one value of a type, 0 for an unknown type.
func typeSize(kind uint16) uint64 {
	sizes := [...]uint64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8,
		18: 8}
	if int(kind) < len(sizes) {
		return sizes[kind]
	}
	return 0
}

// add reads an entry. It keeps those values that lie within the file.
func (d *directory) add(place uint64) {
	p := d.data[place:]
	tag, kind := d.order.Uint16(p), d.order.Uint16(p[2:])
	var count uint64
	inline, from := p[8:12], place+8
	if d.big {
		count, inline, from = d.order.Uint64(p[4:]), p[12:20], place+12
	} else {
		count = uint64(d.order.Uint32(p[4:]))
	}
	each := typeSize(kind)
	have := uint64(len(d.data))
	if each == 0 || count == 0 {
		return
	}
	if _, twice := d.entries[tag]; twice {
		return
	}
	whole := count
	count = min(count, have/each) // the file cannot hold more
	e := entry{kind: kind, count: int(count), from: from}
	if count*each <= uint64(len(inline)) {
		e.value = inline[:count*each]
	} else {
		at := uint64(d.offset(inline))
		if at >= have {
			at = have
		}
		e.count = int(min(count, (have-at)/each))
		e.value, e.from = d.data[at:at+uint64(e.count)*each], at
	}
	if baseline := tag <= tagReference; baseline && uint64(e.count) < whole {
		d.lost = tag
	}
	d.entries[tag] = e
}

func (d *directory) offset(p []byte) uint64 {
	if d.big {
		return d.order.Uint64(p)
	}
	return uint64(d.order.Uint32(p))
}

// at returns an integer value of an entry. It returns −1 if the value is missing, no integer, or too large.
func (d *directory) at(e entry, i int) int64 {
	if i >= e.count {
		return -1
	}
	switch e.kind {
	case 1, 7:
		return int64(e.value[i])
	case 3:
		return int64(d.order.Uint16(e.value[2*i:]))
	case 4, 13:
		return int64(d.order.Uint32(e.value[4*i:]))
	case 6:
		return max(-1, int64(int8(e.value[i])))
	case 8:
		return max(-1, int64(int16(d.order.Uint16(e.value[2*i:]))))
	case 9:
		return max(-1, int64(int32(d.order.Uint32(e.value[4*i:]))))
	case 16, 17, 18:
		if v := d.order.Uint64(e.value[8*i:]); v < 1<<62 {
			return int64(v)
		}
	}
	return -1
}

// int returns the first value of a tag, or the default if the tag is missing or no integer.
func (d *directory) int(tag uint16, otherwise int) int {
	if v := d.at(d.entries[tag], 0); v >= 0 && v <= math.MaxInt32 {
		return int(v)
	}
	return otherwise
}

// float returns a rational or floating-point value of a tag, or the default if the tag is missing.
func (d *directory) float(tag uint16, i int, otherwise float64) float64 {
	e := d.entries[tag]
	if i >= e.count {
		return otherwise
	}
	switch e.kind {
	case 5:
		if n, m := d.order.Uint32(e.value[8*i:]), d.order.Uint32(e.value[8*i+4:]); m != 0 {
			return float64(n) / float64(m)
		}
		return otherwise
	case 11:
		return float64(math.Float32frombits(d.order.Uint32(e.value[4*i:])))
	case 12:
		return math.Float64frombits(d.order.Uint64(e.value[8*i:]))
	}
	if v := d.at(e, i); v >= 0 {
		return float64(v)
	}
	return otherwise
}

func (d *directory) has(tag uint16) bool { return d.entries[tag].count > 0 }
