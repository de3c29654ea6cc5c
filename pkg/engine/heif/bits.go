package heif

// bits reads a bit stream from its highest bit. After the end it gives zeros and sets short.
type bits struct {
	p     []byte
	at    int // in bits
	short bool
}

func (b *bits) read(n int) int {
	v := 0
	for range n {
		v <<= 1
		if b.at>>3 >= len(b.p) {
			b.short = true
			continue
		}
		v |= int(b.p[b.at>>3]>>(7-b.at&7)) & 1
		b.at++
	}
	return v
}

func (b *bits) flag() bool { return b.read(1) == 1 }

func (b *bits) skip(n int) {
	b.at += n
	if b.at > 8*len(b.p) {
		b.at, b.short = 8*len(b.p), true
	}
}

// golomb reads an unsigned Exp-Golomb number, as H.265 codes most of its header.
func (b *bits) golomb() int {
	zeros := 0
	for !b.short && !b.flag() {
		if zeros++; zeros > 31 {
			b.short = true
		}
	}
	if b.short {
		return 0
	}
	return 1<<zeros - 1 + b.read(zeros)
}
