package jpeg

import "bytes"

// slack is how many zero bytes follow a segment of entropy-coded data. A block is begun only when no more bits were
// consumed than the segment has, and takes at most 64 symbols of 31 bits: 248 bytes. The reader looks 16 bytes ahead.
const slack = 320

// skipEntropy finds the end of a scan's entropy-coded data: the next marker that is not a restart.
func (p *parser) skipEntropy(s *scan) {
	for {
		i := bytes.IndexByte(p.data[p.pos:], 0xFF)
		if i < 0 || p.pos+i+1 >= len(p.data) {
			p.pos, s.to, s.cut = len(p.data), len(p.data), true
			return
		}
		p.pos += i
		switch next := p.data[p.pos+1]; {
		case next == 0xFF:
			p.pos++
		case next == 0 || (next >= markerRST0 && next <= markerRST7):
			p.pos += 2
		default:
			s.to = p.pos
			return
		}
	}
}

// unstuff appends the bytes of data to dst[:0] up to the first marker, without the zeros stuffed after 0xFF, and slack zero
// bytes. It returns the buffer, how many bytes of it are data, and the rest of data after the marker, whose second
// byte it returns too, or 0 if data ended first.
func unstuff(dst, data []byte) (buf []byte, size int, rest []byte, marker byte) {
	dst = dst[:0]
	for {
		i := bytes.IndexByte(data, 0xFF)
		if i < 0 || i+1 >= len(data) {
			if i < 0 {
				i = len(data)
			}
			dst, data = append(dst, data[:i]...), nil
			break
		}
		if data[i+1] == 0 {
			dst, data = append(dst, data[:i+1]...), data[i+2:]
			continue
		}
		dst, data = append(dst, data[:i]...), data[i+1:]
		if data[0] == 0xFF { // a fill byte in front of a marker
			continue
		}
		marker, data = data[0], data[1:]
		break
	}
	size = len(dst)
	return append(dst, make([]byte, slack)...), size, data, marker
}
