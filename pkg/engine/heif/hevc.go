package heif

// readHEVC reads colours from the sequence parameter set that the configuration of an HEVC picture has.
//
//	hvcC { …22 bytes arrays:8 { completeness:1 0:1 type:6 count:16 { length:16 unit } } }
func (c *color) readHEVC(config []byte) {
	if len(config) < 23 {
		return
	}
	c.gray = config[16]&3 == 0
	r := reader{p: config[23:]}
	for range config[22] {
		kind := r.number(1) & 0x3f
		for range r.number(2) {
			n := r.number(2)
			if r.short || n > len(r.p) {
				return
			}
			if kind == 33 && n > 2 {
				c.readSPS(unescape(r.p[2:n]))
				return
			}
			r.p = r.p[n:]
		}
	}
}

// unescape removes the bytes that keep a unit from looking like a start code: 00 00 03 means 00 00.
func unescape(p []byte) []byte {
	out := make([]byte, 0, len(p))
	zeros := 0
	for _, b := range p {
		if zeros >= 2 && b == 3 {
			zeros = 0
			continue
		}
		if zeros++; b != 0 {
			zeros = 0
		}
		out = append(out, b)
	}
	return out
}

// readSPS reads a sequence parameter set (H.265, 7.3.2.2) up to the colours of its VUI.
func (c *color) readSPS(p []byte) {
	b := &bits{p: p}
	b.skip(4)
	layers := b.read(3)
	b.skip(1)
	skipProfile(b, layers)
	b.golomb() // id
	chroma := b.golomb()
	if chroma == 3 {
		b.skip(1)
	}
	b.golomb() // width
	b.golomb() // height
	if b.flag() {
		for range 4 {
			b.golomb() // what is cut off
		}
	}
	b.golomb() // depths
	b.golomb()
	order := b.golomb() + 4 // bits of a picture's number
	first := layers
	if b.flag() {
		first = 0
	}
	for range layers - first + 1 {
		b.golomb()
		b.golomb()
		b.golomb()
	}
	for range 6 {
		b.golomb() // block sizes and depths
	}
	if enabled := b.flag(); enabled && b.flag() {
		skipScalingLists(b)
	}
	b.skip(2)
	if b.flag() { // PCM
		b.skip(8)
		b.golomb()
		b.golomb()
		b.skip(1)
	}
	if !skipReferenceSets(b) {
		return
	}
	if b.flag() { // long-term references
		for range min(b.golomb(), 33) {
			b.skip(order + 1)
		}
	}
	b.skip(2)
	if b.flag() {
		c.readVUI(b)
	}
}

// readVUI reads the signal's description. Without it, samples are in the limited range.
func (c *color) readVUI(b *bits) {
	if b.flag() && b.read(8) == 255 { // the proportions of a sample
		b.skip(32)
	}
	if b.flag() {
		b.skip(1)
	}
	if !b.flag() {
		return
	}
	b.skip(3)
	full := b.flag()
	if b.short {
		return
	}
	c.full = full
	if !b.flag() {
		return
	}
	primaries, transfer, matrix := b.read(8), b.read(8), b.read(8)
	if !b.short {
		c.primaries, c.transfer, c.matrix = primaries, transfer, matrix
	}
}

func skipProfile(b *bits, layers int) {
	b.skip(88 + 8)
	var present [8][2]bool
	for i := range layers {
		present[i] = [2]bool{b.flag(), b.flag()}
	}
	if layers > 0 {
		b.skip(2 * (8 - layers))
	}
	for i := range layers {
		if present[i][0] {
			b.skip(88)
		}
		if present[i][1] {
			b.skip(8)
		}
	}
}

func skipScalingLists(b *bits) {
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for m := 0; m < 6; m += step {
			if !b.flag() {
				b.golomb()
				continue
			}
			if size > 1 {
				b.golomb()
			}
			for range min(64, 1<<(4+2*size)) {
				b.golomb()
			}
		}
	}
}

// skipReferenceSets reads the short-term reference picture sets, and reports whether they make sense.
func skipReferenceSets(b *bits) bool {
	count := b.golomb()
	if count > 64 {
		return false
	}
	last := 0 // pictures of the set before
	for i := range count {
		if i > 0 && b.flag() { // predicted from the set before
			b.skip(1)
			b.golomb()
			n := 0
			for range last + 1 {
				if used := b.flag(); used || b.flag() { // used, or kept though not used
					n++
				}
			}
			last = n
			continue
		}
		negative, positive := b.golomb(), b.golomb()
		if last = negative + positive; last > 32 {
			return false
		}
		for range last {
			b.golomb()
			b.skip(1)
		}
	}
	return !b.short
}
