package gif

import (
	"encoding/binary"
	"errors"
)

const (
	maxCodes = 4096
	maxWidth = 12
	slack    = maxCodes + 16 // how far a code may be written beyond the frame's end
)

// piece is what a code stands for: pixels that were decoded before, or a single one.
type piece struct {
	at     uint32 // where the pixels begin
	length uint32
}

var errCode = errors.New("a code is not yet defined")

// decode decodes a frame's data, whose literals have so many bits, to size pixels, and returns how many it decoded.
// Behind these pix has room for slack. Data behind the last pixel are ignored.
func (r *Reader) decode(pix []byte, size, literalBits int) (int, error) {
	clearing, end := 1<<literalBits, 1<<literalBits+1
	next, width := end+1, uint(literalBits+1)
	prev, prevLength := 0, 0 // where the pixels of the code before are; none behind a clearing
	data := r.packed
	acc, have := uint64(0), uint(0)
	at := 0
	for at < size {
		if have < width {
			if len(data) >= 8 {
				acc |= binary.LittleEndian.Uint64(data) << have
				data = data[(63-have)>>3:]
				have |= 56
			} else {
				for ; have <= 56 && len(data) > 0; have += 8 {
					acc = acc&(1<<have-1) | uint64(data[0])<<have
					data = data[1:]
				}
				if have < width {
					return at, nil
				}
			}
		}
		code := int(acc & (1<<width - 1))
		acc >>= width
		have -= width
		length := 1
		switch {
		case code < clearing:
			pix[at] = byte(code)
		case code == clearing:
			next, width, prevLength = end+1, uint(literalBits+1), 0
			continue
		case code == end:
			return at, nil
		case code < next:
			p := r.pieces[code]
			length = int(p.length)
			move(pix, at, int(p.at), length)
		case code == next && prevLength > 0 && next < maxCodes:
			length = prevLength + 1
			move(pix, at, prev, prevLength)
			pix[at+prevLength] = pix[at]
		default:
			return at, errCode
		}
		if prevLength > 0 && next < maxCodes {
			r.pieces[next] = piece{uint32(prev), uint32(prevLength + 1)}
			if next++; next == 1<<width && width < maxWidth {
				width++
			}
		}
		prev, prevLength = at, length
		at += length
	}
	return size, nil
}

// move copies pixels; it may write 7 bytes too many.
func move(pix []byte, to, from, length int) {
	for ; length > 0; length -= 8 {
		binary.LittleEndian.PutUint64(pix[to:], binary.LittleEndian.Uint64(pix[from:]))
		to += 8
		from += 8
	}
}
