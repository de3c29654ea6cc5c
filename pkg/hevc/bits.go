package hevc

import "github.com/imagefarm/imagefarm/pkg/bitstream"

// bitReader reads the fields of a parameter set or of a slice's header.
type bitReader struct{ bitstream.Reader }

func newBitReader(p []byte) *bitReader { return &bitReader{bitstream.Reader{Data: p}} }

// golomb reads an unsigned Exp-Golomb number, ue(v) in the standard.
func (b *bitReader) golomb() int {
	zeros := 0
	for !b.Short && !b.Flag() {
		if zeros++; zeros > 31 {
			b.Short = true
		}
	}
	if b.Short {
		return 0
	}
	return 1<<zeros - 1 + b.Number(zeros)
}

// signed reads a signed Exp-Golomb number, se(v) in the standard.
func (b *bitReader) signed() int {
	v := b.golomb()
	if v&1 == 1 {
		return (v + 1) / 2
	}
	return -v / 2
}

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
