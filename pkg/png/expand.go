package png

// unpack stores a byte for each sample of 1, 2 or 4 bits, as it is.
func unpack(dst, src []byte, depth int) {
	switch depth {
	case 1:
		for len(dst) >= 8 {
			v := src[0]
			dst[0], dst[1], dst[2], dst[3] = v>>7, v>>6&1, v>>5&1, v>>4&1
			dst[4], dst[5], dst[6], dst[7] = v>>3&1, v>>2&1, v>>1&1, v&1
			dst, src = dst[8:], src[1:]
		}
	case 2:
		for len(dst) >= 4 {
			v := src[0]
			dst[0], dst[1], dst[2], dst[3] = v>>6, v>>4&3, v>>2&3, v&3
			dst, src = dst[4:], src[1:]
		}
	case 4:
		for len(dst) >= 2 {
			dst[0], dst[1] = src[0]>>4, src[0]&15
			dst, src = dst[2:], src[1:]
		}
	}
	for i := range dst {
		dst[i] = src[0] >> (8 - depth*(i+1)) & (1<<depth - 1)
	}
}

// colors returns the palette with alpha. Indices beyond the palette are opaque black, as in libpng.
func (r *Reader) colors() *[256][4]byte {
	var t [256][4]byte
	for i := range t {
		if 3*i+3 <= len(r.palette) {
			copy(t[i][:3], r.palette[3*i:])
		}
		if t[i][3] = 255; i < len(r.alpha) {
			t[i][3] = r.alpha[i]
		}
	}
	return &t
}

// expand turns the samples of a row as they are in the file, with at least a byte each, into those that ReadRow gives.
func (r *Reader) expand(dst, src []byte, width int) {
	switch {
	case r.color == paletted:
		r.expandPalette(dst, src, width)
	case r.color == gray && r.depth < 16:
		scale := [9]byte{1: 255, 2: 85, 4: 17, 8: 1}[r.depth]
		switch {
		case r.keyed:
			key := byte(r.key[0])
			for i, v := range src[:width] {
				d := dst[2*i : 2*i+2]
				d[0], d[1] = v*scale, 255
				if v == key {
					d[1] = 0
				}
			}
		case scale == 1:
			copy(dst, src[:width])
		default:
			for i, v := range src[:width] {
				dst[i] = v * scale
			}
		}
	case r.keyed:
		r.expandKeyed(dst, src, width)
	default:
		copy(dst, src[:width*r.sampleBytes()])
	}
}

func (r *Reader) expandPalette(dst, src []byte, width int) {
	if r.alpha == nil {
		for i, v := range src[:width] {
			c := &r.table[v]
			d := dst[3*i : 3*i+3]
			d[0], d[1], d[2] = c[0], c[1], c[2]
		}
	} else {
		for i, v := range src[:width] {
			copy(dst[4*i:4*i+4], r.table[v][:])
		}
	}
	if colors := len(r.palette) / 3; colors < 1<<r.depth && !r.beyond {
		for _, v := range src[:width] {
			if int(v) >= colors {
				r.beyond = true
				r.warnf("a pixel has colour %d of a palette of %d: it is black", v, colors)
				return
			}
		}
	}
}

// expandKeyed adds alpha to gray of 16 bits or to colours, 0 where the pixel is the colour key.
func (r *Reader) expandKeyed(dst, src []byte, width int) {
	bytes := r.depth / 8
	size := r.stored() * bytes
	var key [6]byte
	for i := range r.stored() {
		if bytes == 2 {
			key[2*i], key[2*i+1] = byte(r.key[i]>>8), byte(r.key[i])
		} else {
			key[i] = byte(r.key[i])
		}
	}
	for range width {
		copy(dst, src[:size])
		alpha := byte(255)
		if string(src[:size]) == string(key[:size]) {
			alpha = 0
		}
		for i := range bytes {
			dst[size+i] = alpha
		}
		dst, src = dst[size+bytes:], src[size:]
	}
}
