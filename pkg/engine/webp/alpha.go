package webp

import (
	"encoding/binary"

	"github.com/imagefarm/imagefarm/pkg/raster"
	"github.com/imagefarm/imagefarm/pkg/vp8l"
)

// opacity reads the alpha that a lossy picture has in a chunk of its own, row by row.
//
//	reserved:2 preprocessing:2 filter:2 compression:2  { samples, or a VP8L stream without its header }
type opacity struct {
	filter     filter
	samples    []byte       // that are not compressed
	coded      *vp8l.Reader // or else
	row, above []byte
	first      bool
}

// filter says to what alpha is stored as differences. The first row always has differences to the left, the first
// column of other rows to the one above.
type filter byte

const (
	unfilteredAlpha filter = iota
	toLeft
	toAbove
	toBoth // minus the corner
)

// openOpacity reads what precedes the samples of w×h pixels.
func openOpacity(chunk []byte, w, h int) (*opacity, error) {
	if len(chunk) == 0 {
		return nil, raster.Truncatedf("WebP", "its alpha")
	}
	o := &opacity{filter: filter(chunk[0] >> 2 & 3), row: make([]byte, w), above: make([]byte, w), first: true}
	switch head, data := chunk[0], chunk[1:]; head & 3 {
	case 0:
		if len(data) < w*h {
			return nil, raster.Truncatedf("WebP", "its alpha")
		}
		o.samples = data
	case 1:
		coded, err := vp8l.OpenAlpha(data, w, h, raster.Options{MaxPixels: int64(w) * int64(h)})
		if err != nil {
			return nil, err
		}
		o.coded = coded
	default:
		return nil, raster.Corruptf("WebP", 0, "alpha of the unknown compression %d", head&3)
	}
	return o, nil
}

// next returns the next row, which is valid until the call after the next. There must be one.
func (o *opacity) next() ([]byte, error) {
	o.row, o.above = o.above, o.row
	if o.coded == nil {
		copy(o.row, o.samples)
		o.samples = o.samples[len(o.row):]
	} else if err := o.coded.ReadRow(o.row); err != nil {
		return nil, err
	}
	switch {
	case o.filter == unfilteredAlpha:
	case o.first:
		addLeft(o.row)
	default:
		o.filter.undo(o.row, o.above)
	}
	o.first = false
	return o.row, nil
}

// undo adds to a row what it is stored as a difference to.
func (f filter) undo(row, above []byte) {
	if f == toAbove {
		addAbove(row, above)
		return
	}
	row[0] += above[0]
	if f == toLeft {
		addLeft(row)
		return
	}
	left, corner := int(row[0]), int(above[0])
	for x, up := range above[1:len(row)] {
		left = int(row[1+x] + byte(min(max(left+int(up)-corner, 0), 255)))
		row[1+x], corner = byte(left), int(up)
	}
}

func addLeft(row []byte) {
	left := byte(0)
	for x, v := range row {
		left += v
		row[x] = left
	}
}

// addAbove adds eight samples at once: each sum without its highest bit, which then is that of all three.
func addAbove(row, above []byte) {
	const low = 0x7f7f7f7f7f7f7f7f
	above = above[:len(row)]
	for len(row) >= 8 {
		a, b := binary.LittleEndian.Uint64(row), binary.LittleEndian.Uint64(above)
		binary.LittleEndian.PutUint64(row, (a&low+b&low)^(a^b)&^low)
		row, above = row[8:], above[8:]
	}
	for x, v := range above {
		row[x] += v
	}
}
