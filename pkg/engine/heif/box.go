package heif

import "encoding/binary"

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
