package hevc

// unspecified is the number in H.273 of what is not told.
const unspecified = 2

// Signal is what a stream says of the colours of its samples (E.2.1), in the numbers of H.273: 2 is what it does not
// say.
type Signal struct {
	Primaries, Transfer, Matrix int
	Full                        bool // samples use the full range; else, or where nothing is said, the limited one
}

// ReadSignal returns what the first sequence parameter set of a configuration record (hvcC) says, also of a stream that
// this package does not decode.
func ReadSignal(config []byte) Signal {
	units, _ := unitsOf(config)
	for _, unit := range units {
		if kindOf(unit) == unitSPS {
			var s sequence
			_, _ = s.parse(newBitReader(unescape(nil, unit[2:]))) // what comes behind the signal does not matter
			return s.signal
		}
	}
	return Signal{Primaries: unspecified, Transfer: unspecified, Matrix: unspecified}
}

// parse reads the beginning of vui_parameters( ) (E.2.1). It takes nothing of what is cut short.
func (s *Signal) parse(b *bitReader) {
	if b.Flag() && b.Number(8) == 255 { // the proportions of a sample
		b.Skip(32)
	}
	if b.Flag() { // overscan
		b.Skip(1)
	}
	if !b.Flag() {
		return
	}
	b.Skip(3)
	full := b.Flag()
	if b.Short {
		return
	}
	s.Full = full
	if !b.Flag() {
		return
	}
	primaries, transfer, matrix := b.Number(8), b.Number(8), b.Number(8)
	if !b.Short {
		s.Primaries, s.Transfer, s.Matrix = primaries, transfer, matrix
	}
}

// skipUsability reads the rest of vui_parameters( ).
func skipUsability(b *bitReader, layers int) {
	if b.Flag() { // where chroma samples are
		b.golomb()
		b.golomb()
	}
	b.Skip(3)
	if b.Flag() { // a window for display, which decoders leave alone
		for range 4 {
			b.golomb()
		}
	}
	if b.Flag() { // timing
		b.Skip(64)
		if b.Flag() {
			b.golomb()
		}
		if b.Flag() {
			skipReferenceDecoder(b, layers)
		}
	}
	if b.Flag() { // restrictions
		b.Skip(3)
		for range 5 {
			b.golomb()
		}
	}
}

// skipReferenceDecoder reads hrd_parameters( 1, layers ) (E.2.2).
func skipReferenceDecoder(b *bitReader, layers int) {
	nal, vcl := b.Flag(), b.Flag()
	subPicture := false
	if nal || vcl {
		if subPicture = b.Flag(); subPicture {
			b.Skip(19)
		}
		b.Skip(8)
		if subPicture {
			b.Skip(4)
		}
		b.Skip(15)
	}
	for range layers + 1 {
		fixed := b.Flag()
		if !fixed {
			fixed = b.Flag()
		}
		lowDelay := false
		if fixed {
			b.golomb()
		} else {
			lowDelay = b.Flag()
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
				b.Skip(1)
			}
		}
	}
}
