package heif

import "github.com/imagefarm/imagefarm/pkg/bitstream"

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
	b := &bitstream.Reader{Data: p}
	profile := b.Number(3)
	b.Skip(1)
	if b.Flag() { // the short form of still pictures
		b.Skip(5)
	} else {
		decoderModel, delays := false, 0
		if b.Flag() { // timing
			b.Skip(64)
			if b.Flag() {
				skipUvlc(b)
			}
			if decoderModel = b.Flag(); decoderModel {
				delays = b.Number(5) + 1
				b.Skip(42)
			}
		}
		displayDelay := b.Flag()
		for range b.Number(5) + 1 {
			b.Skip(12)
			if b.Number(5) > 7 {
				b.Skip(1)
			}
			if decoderModel && b.Flag() {
				b.Skip(2*delays + 1)
			}
			if displayDelay && b.Flag() {
				b.Skip(4)
			}
		}
	}
	wide, high := b.Number(4)+1, b.Number(4)+1
	b.Skip(wide + high)
	if !c.readTools(b, p) {
		return
	}
	deep := b.Flag()
	if profile == 2 && deep {
		b.Skip(1)
	}
	gray := profile != 1 && b.Flag()
	primaries, transfer, matrix := unspecified, unspecified, unspecified
	if b.Flag() {
		primaries, transfer, matrix = b.Number(8), b.Number(8), b.Number(8)
	}
	full := true
	if gray || primaries != 1 || transfer != 13 || matrix != 0 { // those are RGB, and full
		full = b.Flag()
	}
	if !b.Short {
		c.primaries, c.transfer, c.matrix, c.full, c.gray = primaries, transfer, matrix, full, gray
	}
}

// readTools skips which tools of the coding are on, up to the colours.
func (c *color) readTools(b *bitstream.Reader, p []byte) bool {
	still := len(p) > 0 && p[0]&0x08 != 0 // reduced_still_picture_header
	if !still && b.Flag() {               // frame numbers
		b.Skip(7)
	}
	b.Skip(3)
	if !still {
		b.Skip(4)
		hints := b.Flag()
		if hints {
			b.Skip(2)
		}
		choose := 2
		if !b.Flag() {
			choose = b.Number(1)
		}
		if choose > 0 && !b.Flag() {
			b.Skip(1)
		}
		if hints {
			b.Skip(3)
		}
	}
	b.Skip(3)
	return !b.Short
}

func skipUvlc(b *bitstream.Reader) {
	zeros := 0
	for !b.Short && !b.Flag() {
		zeros++
	}
	b.Skip(min(zeros, 32))
}
