package heif

import "encoding/binary"

// box is one box of an ISO file: size:32 kind:32 data.
type box struct {
	kind string
	data []byte
}

// most is how many boxes, items or properties are read of one list; what comes after them is left out.
const most = 10_000

// children lists the boxes in data. whole is false where the list ends within a box.
func children(data []byte) (list []box, whole bool) {
	for len(data) > 0 && len(list) < most {
		b, rest, ok := nextBox(data)
		if !ok {
			return list, false
		}
		list, data = append(list, b), rest
	}
	return list, true
}

// child returns the first box of a kind among others, without the version and flags with which a full box begins.
func child(list []box, kind string) []byte {
	for _, b := range list {
		if b.kind == kind {
			return b.data
		}
	}
	return nil
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

// reader takes big-endian numbers from p. After the end it gives zeros and sets short.
type reader struct {
	p     []byte
	short bool
}

func (r *reader) number(size int) int {
	if size > 8 || size > len(r.p) {
		r.p, r.short = nil, true
		return 0
	}
	n := 0
	for _, b := range r.p[:size] {
		n = n<<8 | int(b)
	}
	r.p = r.p[size:]
	return n
}

func be16(b []byte) int { return int(binary.BigEndian.Uint16(b)) }
func be32(b []byte) int { return int(binary.BigEndian.Uint32(b)) }
