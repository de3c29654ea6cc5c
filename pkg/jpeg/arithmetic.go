package jpeg

// bin is the state of a binary decision: how likely its less probable value is, and which value is the other one.
type bin struct{ state, likely uint8 }

// arithmeticScan decodes a scan of arithmetic coding, T.81 annexes D, F.1.4 and G.1.3.
type arithmeticScan struct {
	in          *stuffedBytes
	scan        *scan
	progressive bool

	code   uint32 // the code register: the upper half is compared with the interval
	size   uint32 // of the interval; 0x10000 at the beginning
	unused int    // bits of the last byte that are not shifted into the upper half

	dc      [4][49]bin // by table
	ac      [4][246]bin
	pred    [4]int32 // by component of the scan
	context [4]int   // by component of the scan: of its last difference, as an index of bins
}

func newArithmeticScan(in *stuffedBytes, f *frame, s *scan) *arithmeticScan {
	return &arithmeticScan{in: in, scan: s, progressive: f.progressive}
}

func (a *arithmeticScan) begin() {
	*a = arithmeticScan{in: a.in, scan: a.scan, progressive: a.progressive, size: 0x10000}
	a.code = uint32(a.in.next()) << 16
	a.code |= uint32(a.in.next()) << 8
	a.code <<= 8
}

// decide decodes a decision, T.81 figures D.14 to D.18.
func (a *arithmeticScan) decide(b *bin) bool {
	e := &estimates[b.state]
	likely := b.likely
	a.size -= uint32(e.unlikely)
	less := a.size < uint32(e.unlikely) // the sizes of the two parts of the interval have changed places
	if a.code>>16 < a.size {
		if a.size >= 0x8000 {
			return likely == 1
		}
	} else {
		a.code -= a.size << 16
		a.size = uint32(e.unlikely)
		less = !less
	}
	if less {
		if b.state = e.afterUnlikely; e.exchange {
			b.likely = 1 - likely
		}
		likely = 1 - likely
	} else {
		b.state = e.afterLikely
	}
	for a.size < 0x8000 {
		if a.unused == 0 {
			a.code |= uint32(a.in.next()) << 8
			a.unused = 8
		}
		a.size, a.code = a.size<<1, a.code<<1
		a.unused--
	}
	return likely == 1
}

// even decodes a decision both values of which are as likely.
func (a *arithmeticScan) even() bool {
	fixed := bin{state: evenState}
	return a.decide(&fixed)
}

func (a *arithmeticScan) decode(b *block, component int) fault {
	s := a.scan
	if s.start > 0 {
		table := s.tables[1][component]
		if s.high > 0 {
			return a.refine(b, a.ac[table][:])
		}
		return a.band(b, a.ac[table][:], s.condition[1][table])
	}
	if s.high > 0 {
		if a.even() {
			b[0] |= 1 << s.low
		}
		return noFault
	}
	table := s.tables[0][component]
	f := a.difference(component, a.dc[table][:], s.condition[0][table])
	b[0] = int16(a.pred[component] << s.low)
	if f != noFault || a.progressive {
		return f
	}
	table = s.tables[1][component]
	return a.band(b, a.ac[table][:], s.condition[1][table])
}

// difference decodes what a DC coefficient is more than the one before it, T.81 F.1.4.1.
func (a *arithmeticScan) difference(component int, bins []bin, condition byte) fault {
	at := a.context[component]
	a.context[component] = 0
	if !a.decide(&bins[at]) {
		return noFault
	}
	negative := a.decide(&bins[at+1])
	at += 2
	if negative {
		at++
	}
	size := int32(1)
	if a.decide(&bins[at]) {
		var f fault
		if size, f = a.magnitude(bins[20:], 1); f != noFault {
			return f
		}
	}
	lower, upper := int32(1)<<(condition&15)>>1, int32(1)<<(condition>>4)
	switch {
	case size > upper:
		a.context[component] = 12
	case size > lower:
		a.context[component] = 4
	}
	if negative {
		size = -size
		if a.context[component] > 0 {
			a.context[component] += 4
		}
	}
	a.pred[component] += size
	return noFault
}

// magnitude decodes a number above its power of two, T.81 F.1.4.3: first how many bits it has, beginning with low,
// then these bits. It returns one more than the number.
func (a *arithmeticScan) magnitude(bins []bin, low int32) (int32, fault) {
	at, bit := 0, low
	for a.decide(&bins[at]) {
		at++
		if bit <<= 1; bit == 1<<15 {
			return 0, tooGreat
		}
	}
	v, at := bit, at+14
	for bit >>= 1; bit > 0; bit >>= 1 {
		if a.decide(&bins[at]) {
			v |= bit
		}
	}
	return v + 1, noFault
}

// band decodes the AC coefficients of a sequential scan, or of the first scan of a band, T.81 F.1.4.2. The bins of
// large values are others above a frequency.
func (a *arithmeticScan) band(b *block, bins []bin, frequency byte) fault {
	for k := max(a.scan.start, 1); k <= a.scan.end; k++ {
		at := 3 * (k - 1)
		if a.decide(&bins[at]) { // the end of the block
			return noFault
		}
		for !a.decide(&bins[at+1]) {
			if k++; k > a.scan.end {
				return pastBlock
			}
			at += 3
		}
		negative := a.even()
		size := int32(1)
		if a.decide(&bins[at+2]) {
			if size = 2; a.decide(&bins[at+2]) {
				large := bins[189:]
				if k > int(frequency) {
					large = bins[217:]
				}
				var f fault
				if size, f = a.magnitude(large, 2); f != noFault {
					return f
				}
			}
		}
		if negative {
			size = -size
		}
		b[k] = int16(size << a.scan.low)
	}
	return noFault
}

// refine decodes one bit more of a band, T.81 G.1.3.3.
func (a *arithmeticScan) refine(b *block, bins []bin) fault {
	last := a.scan.end // that is known to be other than zero
	for last > 0 && b[last] == 0 {
		last--
	}
	one := int16(1) << a.scan.low
	for k := a.scan.start; k <= a.scan.end; k++ {
		at := 3 * (k - 1)
		if k > last && a.decide(&bins[at]) { // the end of the block
			return noFault
		}
		for b[k] == 0 && !a.decide(&bins[at+1]) {
			if k++; k > a.scan.end {
				return pastBlock
			}
			at += 3
		}
		switch {
		case b[k] == 0:
			if b[k] = one; a.even() {
				b[k] = -one
			}
		case !a.decide(&bins[at+2]):
		case b[k] < 0:
			b[k] -= one
		default:
			b[k] += one
		}
	}
	return noFault
}
