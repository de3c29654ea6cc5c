package tiff

import "encoding/binary"

const (
	lzwClear  = 256
	lzwEnd    = 257
	lzwMost   = 4096
	lzwSlack  = 16
	lzwReach  = 1 << 16 // bytes that one call of decode produces
	lzwLetter = 256     // the text begins with all 256 bytes, so that every code is a piece of the text
)

// lzwReader decodes LZW as TIFF has it. Each code stands for a piece of the text decoded since the codes were
// cleared: so a code is a place and a length, and decoding is copying.
type lzwReader struct {
	data []byte
	pos  int // the next byte to load
	acc  uint64
	n    uint // bits in acc, at its top

	old        bool // the code order of old writers: lowest bit first, and the width grows one code later
	pieces     [lzwMost]lzwPiece
	next       int // the next code to be defined
	width      uint
	prev       int // offset of the previous code's text
	prevLength int // 0 after a clear code
	text       []byte
	kept       int // the end of the text that the table refers to, once the table is full
	from, end  int // what was decoded and not yet read
	ended      bool
	err        error
}

// lzwPiece is what a code stands for: where its text begins, and how long it is.
type lzwPiece struct {
	at     uint32
	length uint32
}

// reset begins to decode the data of a strip or tile. It keeps the reader's memory.
func (r *lzwReader) reset(data []byte) {
	if r.text == nil {
		r.text = make([]byte, lzwLetter+lzwReach+lzwMost+lzwSlack)
		for i := range lzwLetter {
			r.text[i], r.pieces[i] = byte(i), lzwPiece{uint32(i), 1}
		}
	}
	r.data, r.pos, r.acc, r.n = data, 0, 0, 0
	r.old = len(data) > 1 && data[0] == 0 && data[1]&1 == 1
	r.from, r.end, r.ended, r.err = lzwLetter, lzwLetter, false, nil
	r.clear()
}

func (r *lzwReader) clear() { r.next, r.width, r.prevLength, r.kept = 258, 9, 0, 0 }

func (r *lzwReader) read(dst []byte) error {
	for len(dst) > 0 {
		if r.from == r.end {
			if r.err != nil {
				return r.err
			}
			if r.ended {
				return errShort
			}
			r.room()
			r.err = r.decode()
			continue
		}
		n := copy(dst, r.text[r.from:r.end])
		r.from += n
		dst = dst[n:]
	}
	return nil
}

// room discards text that no code refers to, and makes room for more.
func (r *lzwReader) room() {
	keep := r.end // new codes refer to all of the text
	switch {
	case r.prevLength == 0:
		keep = lzwLetter
	case r.next == lzwMost:
		if r.kept == 0 {
			r.kept = r.end
		}
		keep = r.kept
	}
	r.from, r.end = keep, keep
	if need := keep + lzwReach + lzwMost + lzwSlack; need > len(r.text) {
		text := make([]byte, need+need/2)
		copy(text, r.text[:keep])
		r.text = text
	}
}

// code returns the next code, or −1 where the data ends.
func (r *lzwReader) code() int {
	if r.n < r.width {
		if r.pos+8 <= len(r.data) && !r.old {
			r.acc |= binary.BigEndian.Uint64(r.data[r.pos:]) >> r.n
			r.pos += int(63-r.n) >> 3
			r.n |= 56
		} else {
			for ; r.n <= 56 && r.pos < len(r.data); r.n += 8 {
				if r.old {
					r.acc |= uint64(r.data[r.pos]) << r.n
				} else {
					r.acc = r.acc>>(64-r.n)<<(64-r.n) | uint64(r.data[r.pos])<<(56-r.n)
				}
				r.pos++
			}
			if r.n < r.width {
				return -1
			}
		}
	}
	var v uint64
	if r.old {
		v = r.acc & (1<<r.width - 1)
		r.acc >>= r.width
	} else {
		v = r.acc >> (64 - r.width)
		r.acc <<= r.width
	}
	r.n -= r.width
	return int(v)
}

// decode decodes until the room is used, the data ends, or a clear code follows some text.
func (r *lzwReader) decode() error {
	limit := len(r.text) - lzwMost - lzwSlack
	early := 1 // the width grows one code early
	if r.old {
		early = 0
	}
	for r.end < limit {
		if !r.old {
			if r.fast(limit); r.end >= limit {
				break
			}
		}
		code := r.code()
		switch {
		case code < 0:
			return errShort
		case code == lzwEnd:
			r.ended = true
			return nil
		case code == lzwClear:
			r.clear()
			if r.end > r.from {
				return nil
			}
			continue
		}
		at := r.end
		length := 0
		switch {
		case code < r.next:
			p := r.pieces[code]
			length = int(p.length)
			copyText(r.text, at, int(p.at), length)
		case code == r.next && r.prevLength > 0 && r.next < lzwMost:
			length = r.prevLength + 1 // the previous text and its first byte
			copyText(r.text, at, r.prev, r.prevLength)
			r.text[at+length-1] = r.text[at]
		default:
			return fault("an LZW code is not yet defined")
		}
		r.end += length
		if r.prevLength > 0 && r.next < lzwMost {
			r.pieces[r.next] = lzwPiece{uint32(r.prev), uint32(r.prevLength + 1)}
			r.next++
			if r.next+early >= 1<<r.width && r.width < 12 {
				r.width++
			}
		}
		r.prev, r.prevLength = at, length
	}
	return nil
}

// fast decodes ordinary codes as long as it can load eight bytes. It leaves all other codes to decode.
func (r *lzwReader) fast(limit int) {
	data, text, pieces := r.data, r.text, &r.pieces
	acc, n, pos, width, next := r.acc, r.n, r.pos, r.width, r.next
	prev, prevLength, end := r.prev, r.prevLength, r.end
	for pos+8 <= len(data) && end < limit && next < lzwMost && prevLength > 0 {
		if n < width {
			acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
			pos += int(63-n) >> 3
			n |= 56
		}
		code := int(acc >> ((64 - width) & 63))
		if code >= next || code == lzwClear || code == lzwEnd {
			break
		}
		acc <<= width & 63
		n -= width
		p := pieces[code&(lzwMost-1)]
		copyText(text, end, int(p.at), int(p.length))
		pieces[next&(lzwMost-1)] = lzwPiece{uint32(prev), uint32(prevLength + 1)}
		if next++; next+1 >= 1<<width && width < 12 {
			width++
		}
		prev, prevLength = end, int(p.length)
		end += prevLength
	}
	r.acc, r.n, r.pos, r.width, r.next = acc, n, pos, width, next
	r.prev, r.prevLength, r.end = prev, prevLength, end
}

// copyText copies a piece of text. It may write up to 15 bytes beyond the piece.
func copyText(text []byte, to, from, length int) {
	for {
		dst, src := text[to:to+16], text[from:from+16]
		a, b := binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(src[8:])
		binary.LittleEndian.PutUint64(dst, a)
		binary.LittleEndian.PutUint64(dst[8:], b)
		if length -= 16; length <= 0 {
			return
		}
		to += 16
		from += 16
	}
}
