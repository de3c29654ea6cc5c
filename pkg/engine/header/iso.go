package header

import (
	"bytes"
	"math"

	"github.com/imagefarm/imagefarm/pkg/format"
)

// readISO reads the item boxes of a HEIC or AVIF file, as far as its primary picture needs them.
//
//	ftyp  meta { pitm  iinf { infe… }  iloc  iprp { ipco { ispe irot imir colr … }  ipma } }
//
// HEIC's own decoder turns the picture, AVIF's does not: for HEIC, sizes are therefore those of the turned picture and
// the orientation stays 1. An EXIF orientation says nothing in either format.
func (i *Info) readISO(data []byte) error {
	meta, whole := child(data, "meta")
	if meta == nil || len(meta) < 4 {
		if !whole {
			return truncated("the header of the " + i.Format)
		}
		return corrupt("the %s has no meta box", i.Format)
	}
	i.Truncated = !whole
	meta = meta[4:]
	primary := primaryItem(meta)
	iprp, _ := child(meta, "iprp")
	ipco, _ := child(iprp, "ipco")
	properties := children(ipco)
	ipma, _ := child(iprp, "ipma")
	turns, mirror, mirrored := 0, 0, false
	for _, n := range associations(ipma, primary) {
		if n < 1 || n > len(properties) {
			continue
		}
		b := properties[n-1]
		switch {
		case b.kind == "ispe" && len(b.data) >= 12:
			i.Width, i.Height = be32(b.data[4:]), be32(b.data[8:])
		case b.kind == "irot" && len(b.data) >= 1:
			turns = int(b.data[0] & 3)
		case b.kind == "imir" && len(b.data) >= 1:
			mirrored, mirror = true, int(b.data[0]&1)
		case b.kind == "colr" && len(b.data) > 4:
			if t := string(b.data[:4]); t == "prof" || t == "rICC" {
				i.ICC = b.data[4:]
			} else if t == "nclx" && len(b.data) >= 11 {
				i.Matrix, i.Limited = be16(b.data[8:]), b.data[10]&0x80 == 0
			}
		}
	}
	if i.Width <= 0 || i.Height <= 0 || i.Width > math.MaxInt32 || i.Height > math.MaxInt32 {
		return corrupt("the %s says nothing of its size", i.Format)
	}
	i.isoMetadata(data, meta)
	o := isoOrientation(turns, mirrored, mirror)
	if i.Format == format.AVIF {
		i.Orientation = o
	} else if o >= 5 {
		i.Width, i.Height = i.Height, i.Width
	}
	return nil
}

// isoOrientation returns the EXIF number of a rotation by turns × 90° counter-clockwise, followed by a mirror along
// the vertical (0) or the horizontal (1) axis.
func isoOrientation(turns int, mirrored bool, axis int) int {
	o := [4]int{1, 8, 3, 6}[turns]
	if !mirrored {
		return o
	}
	if axis == 0 { // top and bottom change places
		return [4]int{4, 5, 2, 7}[turns]
	}
	return [4]int{2, 7, 4, 5}[turns]
}

type box struct {
	kind string
	data []byte
}

// children lists the boxes in data; whatever is malformed ends the list.
func children(data []byte) []box {
	var list []box
	for {
		b, rest, ok := nextBox(data)
		if !ok || len(list) == 1000 {
			return list
		}
		list, data = append(list, b), rest
	}
}

// child returns the first box of a kind, and whether the boxes before it (or all, where there is none) are whole.
func child(data []byte, kind string) (found []byte, whole bool) {
	for len(data) > 0 {
		b, rest, ok := nextBox(data)
		if !ok {
			return nil, false
		}
		if b.kind == kind {
			found = b.data
			for len(rest) > 0 {
				if _, rest, ok = nextBox(rest); !ok {
					return found, false
				}
			}
			return found, true
		}
		data = rest
	}
	return nil, true
}

func nextBox(data []byte) (b box, rest []byte, ok bool) {
	if len(data) < 8 {
		return box{}, nil, false
	}
	size, head := int64(be32(data)), int64(8)
	switch size {
	case 0:
		size = int64(len(data))
	case 1:
		if len(data) < 16 {
			return box{}, nil, false
		}
		size, head = int64(be32(data[8:]))<<32|int64(be32(data[12:])), 16
	}
	if size < head || size > int64(len(data)) {
		return box{}, nil, false
	}
	return box{string(data[4:8]), data[head:size]}, data[size:], true
}

func primaryItem(meta []byte) int {
	pitm, _ := child(meta, "pitm")
	switch {
	case len(pitm) >= 8 && pitm[0] > 0:
		return be32(pitm[4:])
	case len(pitm) >= 6:
		return be16(pitm[4:])
	}
	return -1
}

// associations returns the numbers of the properties of an item, from 1.
func associations(ipma []byte, item int) []int {
	if len(ipma) < 8 {
		return nil
	}
	wide, flags := ipma[0] > 0, ipma[3]&1 != 0
	entries, p := be32(ipma[4:]), ipma[8:]
	for range min(entries, 100_000) {
		id, n := 0, 2
		if wide {
			n = 4
		}
		if len(p) < n+1 {
			return nil
		}
		if wide {
			id = be32(p)
		} else {
			id = be16(p)
		}
		count := int(p[n])
		p = p[n+1:]
		var list []int
		for range count {
			switch {
			case flags && len(p) >= 2:
				list, p = append(list, be16(p)&0x7fff), p[2:]
			case !flags && len(p) >= 1:
				list, p = append(list, int(p[0]&0x7f)), p[1:]
			default:
				return nil
			}
		}
		if id == item {
			return list
		}
	}
	return nil
}

// isoMetadata finds the EXIF and XMP items.
func (i *Info) isoMetadata(data, meta []byte) {
	iinf, _ := child(meta, "iinf")
	iloc, _ := child(meta, "iloc")
	if len(iinf) < 6 {
		return
	}
	skip := 6
	if iinf[0] > 0 {
		skip = 8
	}
	for _, b := range children(iinf[min(skip, len(iinf)):]) {
		if b.kind != "infe" || len(b.data) < 12 || b.data[0] < 2 {
			continue
		}
		id, at := be16(b.data[4:]), 8
		if b.data[0] > 2 {
			id, at = be32(b.data[4:]), 10
		}
		if len(b.data) < at+4 {
			continue
		}
		switch string(b.data[at : at+4]) {
		case "Exif":
			if p := isoExtent(data, iloc, id); len(p) > 4 {
				if skip := be32(p); skip < len(p)-4 {
					i.EXIF = p[4+skip:]
				}
			}
		case "mime":
			if bytes.Contains(b.data[at:], []byte("application/rdf+xml")) {
				i.XMP = isoExtent(data, iloc, id)
			}
		}
	}
}

// isoExtent returns an item that is stored in the file in one piece.
func isoExtent(data, iloc []byte, item int) []byte {
	if len(iloc) < 8 {
		return nil
	}
	version := iloc[0]
	offsetSize, lengthSize := int(iloc[4]>>4), int(iloc[4]&15)
	baseSize, indexSize := int(iloc[5]>>4), int(iloc[5]&15)
	if offsetSize+lengthSize == 0 {
		return nil // extents of no bytes would be counted for ever
	}
	r := reader{p: iloc[6:]}
	idSize := 2
	if version == 2 {
		idSize = 4
	}
	if version == 0 {
		indexSize = 0
	}
	for range min(r.number(idSize), 100_000) {
		id := r.number(idSize)
		method := 0
		if version > 0 {
			method = r.number(2) & 15
		}
		r.number(2)
		base := r.number(baseSize)
		extents := r.number(2)
		for e := range extents {
			r.number(indexSize)
			offset, length := r.number(offsetSize), r.number(lengthSize)
			if r.short {
				return nil
			}
			from := base + offset
			if id == item && e == 0 && extents == 1 && method == 0 {
				if from < 0 || length < 0 || from > len(data) || length > len(data)-from {
					return nil
				}
				return data[from : from+length]
			}
		}
		if r.short {
			return nil
		}
	}
	return nil
}

// reader takes big-endian numbers from p.
type reader struct {
	p     []byte
	short bool
}

func (r *reader) number(size int) int {
	if size > 8 || size > len(r.p) {
		r.short = true
		return 0
	}
	n := 0
	for _, b := range r.p[:size] {
		n = n<<8 | int(b)
	}
	r.p = r.p[size:]
	return n
}
