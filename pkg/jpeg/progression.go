package jpeg

import (
	mathbits "math/bits"
	"slices"
)

// scanPart is a scan of a progressive image: a band of the coefficients of components, in zigzag order, without the
// lowest bits. A scan with refines carries one more bit of what an earlier one has carried.
type scanPart struct {
	components []int // more than one in scans of DC coefficients only
	from, to   int
	low        uint // how many of the lowest bits it leaves to others
	refines    bool
}

// Scans of AC coefficients have one table, and scans of DC coefficients those of luma and colour. bareBits is the table
// of bits that no code comes before: its symbols are how many these are.
const (
	scanAC   symbol = withAC
	bareBits symbol = 3 << 24
)

// keptInScan is how many symbols of a scan are kept until they are written.
const keptInScan = 1 << 16

// scanner turns scans into symbols, which it counts, or writes with the codes that their counts led to.
type scanner struct {
	*Encoder
	writing bool
	ends    uint   // blocks that end with what was coded before, their number not told yet
	pending []byte // correction bits of these, and after them those of the block itself
	raw     int    // bits without a code
}

// progressive writes those scans of the coefficients in memory that take the fewest bytes.
func (e *Encoder) progressive(planes []Plane, quant [2]*[64]uint8) {
	e.out = e.frameHeader(planes, quant, 0xc2)
	s := scanner{Encoder: e}
	script := e.parts
	if script == nil {
		script = s.script()
	}
	for _, part := range script {
		s.write(part)
	}
}

// script returns the scans that take the fewest bytes, of those that were tried: coarse ones first.
func (s *scanner) script() []scanPart {
	var all []int
	for i := range s.components {
		all = append(all, i)
	}
	script := []scanPart{{components: all}}
	var bands, refinements [][]scanPart
	for i := range s.components {
		first, refining := s.bestOf(i)
		bands, refinements = append(bands, first), append(refinements, refining)
	}
	// Of luma the lowest frequencies show first, of colour all, and then the rest of luma.
	script = append(script, bands[0][0])
	for _, b := range bands[1:] {
		script = append(script, b...)
	}
	script = append(script, bands[0][1:]...)
	for bit := 3; bit >= 0; bit-- {
		for _, r := range refinements {
			for _, part := range r {
				if int(part.low) == bit {
					script = append(script, part)
				}
			}
		}
	}
	return script
}

// bestOf returns the scans of the AC coefficients of a component that take the fewest bytes: first ones, and those that
// refine them.
func (s *scanner) bestOf(component int) (first, refining []scanPart) {
	band := func(from, to int, low uint) scanPart {
		return scanPart{components: []int{component}, from: from, to: to, low: low}
	}
	size := func(parts ...scanPart) (bytes int) {
		for _, p := range parts {
			bytes += s.size(p)
		}
		return bytes
	}
	// A bit more is left to refining scans as long as that pays.
	first = []scanPart{band(1, 63, 0)}
	firstBytes, refinedBytes := size(first...), 0
	least := firstBytes
	var candidates []scanPart
	for low := uint(1); low <= 3; low++ {
		r := band(1, 63, low-1)
		r.refines = true
		candidates = append(candidates, r)
		refinedBytes += size(r)
		whole := band(1, 63, low)
		bytes := size(whole)
		if bytes+refinedBytes >= least {
			break
		}
		least, firstBytes = bytes+refinedBytes, bytes
		first, refining = []scanPart{whole}, slices.Clone(candidates)
	}
	low := first[0].low
	for _, split := range []int{2, 5, 9} {
		parts := []scanPart{band(1, split, low), band(split+1, 63, low)}
		if bytes := size(parts...); bytes < firstBytes {
			firstBytes, first = bytes, parts
		}
	}
	return first, refining
}

// size returns how many bytes a scan takes, but for stuffed zeros.
func (s *scanner) size(part scanPart) int {
	s.count(part)
	bits, bytes := s.raw, 10
	for i := range s.counts {
		spec := optimalSpec(&s.counts[i])
		if len(spec.symbols) == 0 {
			continue
		}
		bytes += 21 + len(spec.symbols)
		codes := codesOf(spec, part.from > 0)
		for _, symbol := range spec.symbols {
			bits += int(s.counts[i][symbol]) * int(codes[symbol].length)
		}
	}
	return bytes + (bits+7)/8
}

// count counts the symbols of a scan.
func (s *scanner) count(part scanPart) {
	s.writing, s.raw = false, 0
	s.counts = [4][256]uint32{}
	s.code(part)
}

// write appends a scan, and the tables that it needs before it.
func (s *scanner) write(part scanPart) {
	s.count(part)
	var specs [4]*huffSpec
	for i := range specs {
		specs[i] = optimalSpec(&s.counts[i])
		if len(specs[i].symbols) > 0 {
			s.out = appendTable(s.out, specs[i], i&1, i>>1)
		}
	}
	s.out = append(s.out, 0xff, 0xda, 0, byte(6+2*len(part.components)), byte(len(part.components)))
	for _, i := range part.components {
		table := byte(0)
		if part.from == 0 {
			table = byte(min(i, 1)) << 4
		}
		s.out = append(s.out, byte(i+1), table)
	}
	approximation := byte(part.low)
	if part.refines {
		approximation |= byte(part.low+1) << 4
	}
	s.out = append(s.out, byte(part.from), byte(part.to), approximation)
	s.writer.begin(&specs, part.from > 0)
	for n := range 17 {
		s.writer.codes[bareBits>>16+symbol(n)] = huffCode{0, uint32(n)}
	}
	s.writing = true
	s.code(part)
	s.out = s.writer.write(s.out, s.symbols, true)
	s.symbols = s.symbols[:0]
}

// code codes a scan.
func (s *scanner) code(part scanPart) {
	s.symbols = s.symbols[:0]
	if part.from == 0 {
		s.codeDC(part)
		return
	}
	c := &s.components[part.components[0]]
	band := bandMask(part.from, part.to)
	s.ends, s.pending = 0, s.pending[:0]
	for by := range ceilDiv(c.Height, 8) {
		s.pass()
		for bx := range ceilDiv(c.Width, 8) {
			at := by*c.across + bx
			mask := zigzagged(c.wholeNonzero[at]) & band
			if part.refines {
				s.refine(part, (*[64]int16)(c.whole[64*at:]), mask)
			} else {
				s.first(part, (*[64]int16)(c.whole[64*at:]), mask)
			}
		}
	}
	s.endBlocks()
}

// pass writes the symbols that are kept, or, where they are only counted, forgets them. It is called before a row of
// blocks, so that there is a symbol left after the last one: with that the last byte is filled up.
func (s *scanner) pass() {
	if s.writing {
		if len(s.symbols) >= keptInScan {
			s.out = s.writer.write(s.out, s.symbols, false)
			s.symbols = s.symbols[:0]
		}
		return
	}
	s.symbols = s.symbols[:0]
}

// codeDC codes a scan of all DC coefficients.
func (s *scanner) codeDC(part scanPart) {
	for _, i := range part.components {
		s.components[i].last = 0
	}
	rows := ceilDiv(s.components[0].Height, 8*s.components[0].V)
	for my := range rows {
		s.pass()
		for mx := range s.perRow {
			for _, i := range part.components {
				c := &s.components[i]
				for v := range c.V {
					for h := range c.H {
						dc := int(c.whole[64*((my*c.V+v)*c.across+mx*c.H+h)])
						size, low := magnitude(dc - c.last)
						c.last = dc
						s.emit(c.tables, size, low)
					}
				}
			}
		}
	}
}

// emit appends a symbol, and the bits that follow its code.
func (s *scanner) emit(table symbol, sym uint, low symbol) {
	s.counts[table>>24][sym&255]++
	s.symbols = append(s.symbols, table|symbol(sym)<<16|low)
}

// emitRaw appends bits without a code.
func (s *scanner) emitRaw(bits []byte) {
	s.raw += len(bits)
	for len(bits) > 0 {
		n := min(len(bits), 16)
		low := symbol(0)
		for _, b := range bits[:n] {
			low = low<<1 | symbol(b)
		}
		s.symbols = append(s.symbols, bareBits|symbol(n)<<16|low)
		bits = bits[n:]
	}
}

// endBlocks tells how many blocks have ended, and the correction bits of these.
func (s *scanner) endBlocks() { s.endBlocksBefore(len(s.pending)) }

// endBlocksBefore is endBlocks within a block: its own correction bits, from own on, are left.
func (s *scanner) endBlocksBefore(own int) {
	if s.ends == 0 {
		return
	}
	bits := uint(mathbits.Len(s.ends)) - 1
	s.emit(scanAC, bits<<4, symbol(s.ends)&(1<<bits-1))
	s.emitRaw(s.pending[:own])
	s.pending = s.pending[:copy(s.pending, s.pending[own:])]
	s.ends = 0
}

// first codes a block in the first scan of a band.
func (s *scanner) first(part scanPart, block *[64]int16, mask uint64) {
	at := part.from - 1
	for ; mask != 0; mask &= mask - 1 {
		k := mathbits.TrailingZeros64(mask)
		v := int(block[zigzag[k]])
		sign := v >> 63
		v = ((v^sign)-sign)>>part.low ^ sign - sign
		if v == 0 {
			continue
		}
		s.endBlocks()
		run := k - at - 1
		at = k
		for ; run > 15; run -= 16 {
			s.emit(scanAC, 0xf0, 0)
		}
		size, low := magnitude(v)
		s.emit(scanAC, uint(run)<<4|size, low)
	}
	if at < part.to {
		s.ends++
		if s.ends == 0x7fff {
			s.endBlocks()
		}
	}
}

// mostPending is how many correction bits wait at most, as in libjpeg.
const mostPending = 1000 - 63

// refine codes a block in a scan that refines a band.
func (s *scanner) refine(part scanPart, block *[64]int16, mask uint64) {
	// New coefficients are those whose first bit that is not zero is this one.
	var news uint64
	known := mask
	for left := mask; left != 0; left &= left - 1 {
		k := mathbits.TrailingZeros64(left)
		v := int(block[zigzag[k]])
		switch v = max(v, -v) >> part.low; v {
		case 0:
			known &^= 1 << k
		case 1:
			news |= 1 << k
			known &^= 1 << k
		}
	}
	lastNew := 63 - mathbits.LeadingZeros64(news) // −1: there is none
	own := len(s.pending)
	run := 0
	at := part.from
	for left := news | known; left != 0; left &= left - 1 {
		k := mathbits.TrailingZeros64(left)
		run += k - at
		at = k + 1
		for ; run > 15 && k <= lastNew; run -= 16 {
			s.flush(own, 0xf0, 0)
			own = 0
		}
		v := int(block[zigzag[k]])
		if known>>k&1 == 1 {
			s.pending = append(s.pending, byte(max(v, -v)>>part.low&1))
			continue
		}
		positive := symbol(1)
		if v < 0 {
			positive = 0
		}
		s.flush(own, uint(run)<<4|1, positive)
		own, run = 0, 0
	}
	if run += part.to + 1 - at; run > 0 || len(s.pending) > own {
		s.ends++
		if s.ends == 0x7fff || len(s.pending) > mostPending {
			s.endBlocks()
		}
	}
}

// flush tells how many blocks have ended before the block itself, whose correction bits begin at own, and appends a
// symbol and these bits. No bits are pending then.
func (s *scanner) flush(own int, sym uint, low symbol) {
	s.endBlocksBefore(own)
	s.emit(scanAC, sym, low)
	s.emitRaw(s.pending)
	s.pending = s.pending[:0]
}
