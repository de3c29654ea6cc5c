package hevc

// bitReader reads the fields of a header from the highest bit of each byte. After the end it gives zeros and sets
// short.
type bitReader struct {
	data  []byte
	at    int // in bits
	short bool
}

// number reads an unsigned number of up to 32 bits.
func (b *bitReader) number(n int) int {
	v := 0
	for range n {
		v <<= 1
		if b.at>>3 >= len(b.data) {
			b.short = true
			continue
		}
		v |= int(b.data[b.at>>3]>>(7-b.at&7)) & 1
		b.at++
	}
	return v
}

func (b *bitReader) flag() bool { return b.number(1) == 1 }

func (b *bitReader) skip(n int) {
	b.at += n
	if b.at > 8*len(b.data) {
		b.at, b.short = 8*len(b.data), true
	}
}

// golomb reads an unsigned Exp-Golomb number, ue(v) in the standard.
func (b *bitReader) golomb() int {
	zeros := 0
	for !b.short && !b.flag() {
		if zeros++; zeros > 31 {
			b.short = true
		}
	}
	if b.short {
		return 0
	}
	return 1<<zeros - 1 + b.number(zeros)
}

// signed reads a signed Exp-Golomb number, se(v) in the standard.
func (b *bitReader) signed() int {
	v := b.golomb()
	if v&1 == 1 {
		return (v + 1) / 2
	}
	return -v / 2
}

// align skips the bits up to the next byte.
func (b *bitReader) align() { b.at = (b.at + 7) &^ 7 }

// unescape removes the bytes that keep a unit from looking like a start code: 00 00 03 means 00 00. It appends to out.
func unescape(out, p []byte) []byte {
	zeros := 0
	for i := 0; i < len(p); {
		// Most bytes are no zeros: copy up to the next one at once.
		if zeros == 0 {
			start := i
			for i < len(p) && p[i] != 0 {
				i++
			}
			out = append(out, p[start:i]...)
			if i == len(p) {
				return out
			}
		}
		c := p[i]
		i++
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if zeros++; c != 0 {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}
