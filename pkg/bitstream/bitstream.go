// Package bitstream reads the fields of headers that are not made of whole bytes, such as those of HEVC and AV1.
package bitstream

// Reader reads fields from the highest bit of each byte. After the end it gives zeros and sets Short.
type Reader struct {
	Data  []byte
	At    int // in bits
	Short bool
}

// Number reads an unsigned number of n bits, up to 32.
func (r *Reader) Number(n int) int {
	v := 0
	for range n {
		v <<= 1
		if r.At>>3 >= len(r.Data) {
			r.Short = true
			continue
		}
		v |= int(r.Data[r.At>>3]>>(7-r.At&7)) & 1
		r.At++
	}
	return v
}

// Flag reads one bit.
func (r *Reader) Flag() bool { return r.Number(1) == 1 }

// Skip passes over n bits.
func (r *Reader) Skip(n int) {
	r.At += n
	if r.At > 8*len(r.Data) {
		r.At, r.Short = 8*len(r.Data), true
	}
}

// Align passes over the bits up to the next byte.
func (r *Reader) Align() { r.At = (r.At + 7) &^ 7 }
