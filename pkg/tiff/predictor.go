package tiff

import "encoding/binary"

// addLeft undoes predictor 2: each sample is the difference to that of the pixel before.
func addLeft(row []byte, perPixel, bits int, order binary.ByteOrder) {
	switch bits {
	case 8:
		addLeft8(row, perPixel)
	case 16:
		if order == binary.LittleEndian { // each order by its own name, which is compiled to a move
			addLeft16(row, perPixel)
			return
		}
		for i := 2 * perPixel; i+2 <= len(row); i += 2 {
			sum := binary.BigEndian.Uint16(row[i:]) + binary.BigEndian.Uint16(row[i-2*perPixel:])
			binary.BigEndian.PutUint16(row[i:], sum)
		}
	case 32:
		for i := 4 * perPixel; i+4 <= len(row); i += 4 {
			order.PutUint32(row[i:], order.Uint32(row[i:])+order.Uint32(row[i-4*perPixel:]))
		}
	case 64:
		for i := 8 * perPixel; i+8 <= len(row); i += 8 {
			order.PutUint64(row[i:], order.Uint64(row[i:])+order.Uint64(row[i-8*perPixel:]))
		}
	}
}

// addLeft16 undoes predictor 2 of 16 bits, low byte first.
func addLeft16(row []byte, perPixel int) {
	if perPixel == 3 {
		var a, b, c uint16
		for p := row; len(p) >= 6; p = p[6:] {
			a += binary.LittleEndian.Uint16(p)
			b += binary.LittleEndian.Uint16(p[2:])
			c += binary.LittleEndian.Uint16(p[4:])
			binary.LittleEndian.PutUint16(p, a)
			binary.LittleEndian.PutUint16(p[2:], b)
			binary.LittleEndian.PutUint16(p[4:], c)
		}
		return
	}
	for c := range perPixel {
		sum := uint16(0)
		for i := 2 * c; i+2 <= len(row); i += 2 * perPixel {
			sum += binary.LittleEndian.Uint16(row[i:])
			binary.LittleEndian.PutUint16(row[i:], sum)
		}
	}
}

func addLeft8(row []byte, perPixel int) {
	switch perPixel {
	case 1:
		sum := byte(0)
		for i, v := range row {
			sum += v
			row[i] = sum
		}
	case 3:
		var a, b, c byte
		for p := row; len(p) >= 3; p = p[3:] {
			a, b, c = a+p[0], b+p[1], c+p[2]
			p[0], p[1], p[2] = a, b, c
		}
	case 4:
		var a, b, c, d byte
		for p := row; len(p) >= 4; p = p[4:] {
			a, b, c, d = a+p[0], b+p[1], c+p[2], d+p[3]
			p[0], p[1], p[2], p[3] = a, b, c, d
		}
	default:
		for i := perPixel; i < len(row); i++ {
			row[i] += row[i-perPixel]
		}
	}
}

// row3 undoes predictor 3, which stores the most significant bytes of all samples of a row first, then the next, and
// stores differences of bytes. The result is big-endian.
func (r *Reader) row3(row []byte) {
	addLeft8(row, r.perPixel())
	bytes := r.bits / 8
	count := len(row) / bytes
	if len(r.mixed) < len(row) {
		r.mixed = make([]byte, len(row))
	}
	copy(r.mixed, row)
	for i := range count {
		for b := range bytes {
			row[i*bytes+b] = r.mixed[b*count+i]
		}
	}
}
