package vp8l

// literals decodes pixels that are coded as such, or as colours of the cache, until pix is full, or another symbol
// comes: that of a copy's length, which it returns, or else 0. n is how many pixels it decoded. The stream may end on
// the way: then bits.beyond reports it.
func (m *pixels) literals(g *group, pix []uint32) (n int, symbol uint32) {
	n, symbol = m.fastLiterals(g, pix)
	if symbol != 0 || n == len(pix) {
		return n, symbol
	}
	more, symbol := m.plainLiterals(g, pix[n:])
	return n + more, symbol
}

// plainLiterals is literals without assembly, for all of the stream.
func (m *pixels) plainLiterals(g *group, pix []uint32) (n int, symbol uint32) {
	b := m.bits
	for i := range pix {
		b.fill()
		s := g.codes[green].next(b)
		var p uint32
		switch {
		case s < literals && g.trivial:
			p = s<<8 | g.constant
		case s < literals:
			p = g.codes[red].next(b)<<16 | s<<8 | g.codes[blue].next(b)
			if g.opaque {
				p |= g.constant
			} else {
				b.fill()
				p |= g.codes[alpha].next(b) << 24
			}
		case s < cacheSymbols:
			return i, s
		default:
			p = m.cache[s-cacheSymbols]
		}
		pix[i] = p
		if m.cache != nil {
			m.cache[p*hashFactor>>(m.shift&31)] = p
		}
		if b.beyond() {
			return i + 1, 0
		}
	}
	return len(pix), 0
}
