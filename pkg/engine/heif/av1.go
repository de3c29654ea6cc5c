package heif

// readAV1 reads colours from the sequence header of an AV1 picture: that of the configuration, or else that with
// which the data begin.
//
//	av1C { marker:8 profile:3 level:5 …16 units }
func (c *color) readAV1(it *item) {
	if config := it.property("av1C"); len(config) >= 4 {
		c.gray = config[2]&0x10 != 0
		if c.readUnits(config[4:]) {
			return
		}
	}
	if len(it.extents) > 0 {
		c.readUnits(it.extents[0])
	}
}

// readUnits looks for a sequence header among open bitstream units, and reports whether it has one.
func (c *color) readUnits(p []byte) bool {
	for len(p) >= 2 {
		head := p[0]
		kind, extended, sized := head>>3&15, head&4 != 0, head&2 != 0
		p = p[1:]
		if extended {
			p = p[1:]
		}
		size := len(p)
		if sized {
			n, used := leb128(p)
			if used == 0 || n > len(p)-used {
				return false
			}
			size, p = n, p[used:]
		}
		if kind == 1 {
			c.readSequence(p[:size])
			return true
		}
		p = p[size:]
	}
	return false
}

// leb128 reads a number in groups of seven bits, the lowest first.
func leb128(p []byte) (n, used int) {
	for i := range min(len(p), 5) {
		n |= int(p[i]&0x7f) << (7 * i)
		if p[i]&0x80 == 0 {
			return n, i + 1
		}
	}
	return 0, 0
}

// readSequence reads a sequence header (AV1, 5.5.1) up to its color_config.
func (c *color) readSequence(p []byte) {
	b := &bits{p: p}
	profile := b.read(3)
	b.skip(1)
	if b.flag() { // the short form of still pictures
		b.skip(5)
	} else {
		decoderModel, delays := false, 0
		if b.flag() { // timing
			b.skip(64)
			if b.flag() {
				skipUvlc(b)
			}
			if decoderModel = b.flag(); decoderModel {
				delays = b.read(5) + 1
				b.skip(42)
			}
		}
		displayDelay := b.flag()
		for range b.read(5) + 1 {
			b.skip(12)
			if b.read(5) > 7 {
				b.skip(1)
			}
			if decoderModel && b.flag() {
				b.skip(2*delays + 1)
			}
			if displayDelay && b.flag() {
				b.skip(4)
			}
		}
	}
	wide, high := b.read(4)+1, b.read(4)+1
	b.skip(wide + high)
	if !c.readTools(b, p) {
		return
	}
	deep := b.flag()
	if profile == 2 && deep {
		b.skip(1)
	}
	gray := profile != 1 && b.flag()
	primaries, transfer, matrix := unspecified, unspecified, unspecified
	if b.flag() {
		primaries, transfer, matrix = b.read(8), b.read(8), b.read(8)
	}
	full := true
	if gray || primaries != 1 || transfer != 13 || matrix != 0 { // those are RGB, and full
		full = b.flag()
	}
	if !b.short {
		c.primaries, c.transfer, c.matrix, c.full, c.gray = primaries, transfer, matrix, full, gray
	}
}

// readTools skips which tools of the coding are on, up to the colours.
func (c *color) readTools(b *bits, p []byte) bool {
	still := len(p) > 0 && p[0]&0x08 != 0 // reduced_still_picture_header
	if !still && b.flag() {               // frame numbers
		b.skip(7)
	}
	b.skip(3)
	if !still {
		b.skip(4)
		hints := b.flag()
		if hints {
			b.skip(2)
		}
		choose := 2
		if !b.flag() {
			choose = b.read(1)
		}
		if choose > 0 && !b.flag() {
			b.skip(1)
		}
		if hints {
			b.skip(3)
		}
	}
	b.skip(3)
	return !b.short
}

func skipUvlc(b *bits) {
	zeros := 0
	for !b.short && !b.flag() {
		zeros++
	}
	b.skip(min(zeros, 32))
}
