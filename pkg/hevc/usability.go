package hevc

// skipUsability reads vui_parameters( ) (E.2.1). Package heif reads the colours that they tell.
func skipUsability(b *bitReader, layers int) {
	if b.flag() && b.number(8) == 255 { // the proportions of a sample
		b.skip(32)
	}
	if b.flag() { // overscan
		b.skip(1)
	}
	if b.flag() { // the signal
		b.skip(4)
		if b.flag() {
			b.skip(24)
		}
	}
	if b.flag() { // where chroma samples are
		b.golomb()
		b.golomb()
	}
	b.skip(3)
	if b.flag() { // a window for display, which decoders leave alone
		for range 4 {
			b.golomb()
		}
	}
	if b.flag() { // timing
		b.skip(64)
		if b.flag() {
			b.golomb()
		}
		if b.flag() {
			skipReferenceDecoder(b, layers)
		}
	}
	if b.flag() { // restrictions
		b.skip(3)
		for range 5 {
			b.golomb()
		}
	}
}

// skipReferenceDecoder reads hrd_parameters( 1, layers ) (E.2.2).
func skipReferenceDecoder(b *bitReader, layers int) {
	nal, vcl := b.flag(), b.flag()
	subPicture := false
	if nal || vcl {
		if subPicture = b.flag(); subPicture {
			b.skip(19)
		}
		b.skip(8)
		if subPicture {
			b.skip(4)
		}
		b.skip(15)
	}
	for range layers + 1 {
		fixed := b.flag()
		if !fixed {
			fixed = b.flag()
		}
		lowDelay := false
		if fixed {
			b.golomb()
		} else {
			lowDelay = b.flag()
		}
		count := 1
		if !lowDelay {
			count += min(b.golomb(), 31)
		}
		for _, present := range []bool{nal, vcl} {
			if !present {
				continue
			}
			for range count {
				b.golomb()
				b.golomb()
				if subPicture {
					b.golomb()
					b.golomb()
				}
				b.skip(1)
			}
		}
	}
}
