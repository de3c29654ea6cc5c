// Package isobmff lists the boxes of ISO base media files: HEIC, AVIF, CR3.
package isobmff

import "encoding/binary"

// Box is one box of an ISO file: size:32 kind:32 data.
type Box struct {
	Kind string // four bytes
	Data []byte
}

// Most is how many boxes are read of one list; what comes after them is left out.
const Most = 10_000

// Children lists the boxes in data, of which the boxes' data are parts. whole is false where the list ends within a
// box.
func Children(data []byte) (list []Box, whole bool) {
	for len(data) > 0 && len(list) < Most {
		b, rest, ok := next(data)
		if !ok {
			return list, false
		}
		list, data = append(list, b), rest
	}
	return list, true
}

// Child returns the data of the first box of a kind among others, nil where there is none. In a full box the first four
// bytes are the version and flags.
func Child(list []Box, kind string) []byte {
	for _, b := range list {
		if b.Kind == kind {
			return b.Data
		}
	}
	return nil
}

func next(data []byte) (b Box, rest []byte, ok bool) {
	if len(data) < 8 {
		return Box{}, nil, false
	}
	size, head := uint64(binary.BigEndian.Uint32(data)), uint64(8)
	switch size {
	case 0:
		size = uint64(len(data))
	case 1:
		if len(data) < 16 {
			return Box{}, nil, false
		}
		size, head = binary.BigEndian.Uint64(data[8:]), 16
	}
	if size < head || size > uint64(len(data)) {
		return Box{}, nil, false
	}
	return Box{string(data[4:8]), data[head:size]}, data[size:], true
}
