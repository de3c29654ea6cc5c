package jpeg

import (
	mathbits "math/bits"
	"sort"
)

// token is a Huffman-coded symbol and the bits behind it, or bits alone, or a restart.
type token struct {
	class, table int  // class 0 DC, 1 AC, or rawBits, or restartHere
	symbol       byte // or the number of the restart
	extra        uint32
	size         uint
}

const (
	rawBits     = 2
	restartHere = 3
)

// scanCoder gathers the tokens of a scan.
type scanCoder struct {
	tokens []token

	pred     [4]int
	run      int     // blocks ended and not yet written
	deferred []token // correction bits of these
}

func (s *scanCoder) emit(class, table int, symbol byte, extra uint32, size uint) {
	s.tokens = append(s.tokens, token{class, table, symbol, extra & (1<<size - 1), size})
}

// sized writes a symbol with a value behind it: the run in the upper half of the symbol, the value's size in the
// lower.
func (s *scanCoder) sized(class, table, run, value int) {
	size := uint(mathbits.Len(uint(max(value, -value))))
	if value < 0 {
		value--
	}
	s.emit(class, table, byte(run<<4|int(size)), uint32(value), size)
}

// appendScan writes the tables, the header and the data of a scan.
func (p *picture) appendScan(out []byte, passes []passOf) []byte {
	s := &scanCoder{}
	c0 := &p.parts[passes[0].part]
	mcusX, mcusY := c0.paddedX/c0.h, c0.paddedY/c0.v
	if len(passes) == 1 {
		mcusX, mcusY = c0.blocksX, c0.blocksY
	}
	for mcu := range mcusX * mcusY {
		if p.restart > 0 && mcu > 0 && mcu%p.restart == 0 {
			s.endRun(0)
			s.pred = [4]int{}
			s.tokens = append(s.tokens, token{class: restartHere, symbol: byte(mcu/p.restart-1) & 7})
		}
		x, y := mcu%mcusX, mcu/mcusX
		for i, pass := range passes {
			c := &p.parts[pass.part]
			h, v := c.h, c.v
			if len(passes) == 1 {
				h, v = 1, 1
			}
			for b := range h * v {
				s.block(p.progressive, pass, i, &c.blocks[(y*v+b/h)*c.paddedX+x*h+b%h])
			}
		}
	}
	s.endRun(0)
	var codes [2][4]map[byte]code
	for class := range 2 {
		for i := range passes {
			spec := optimal(s.tokens, class, i)
			if p.annexK && i < 2 && covers(annexK(byte(class), byte(i)), s.tokens, class, i) {
				spec = annexK(byte(class), byte(i))
			}
			if len(spec.symbols) == 0 {
				continue
			}
			if !p.noTables {
				out = segment(out, markerDHT, append(append([]byte{byte(class<<4 | i)}, spec.count[1:]...), spec.symbols...))
			}
			codes[class][i] = map[byte]code{}
			spec.each(16, func(bits, length uint, symbol byte) { codes[class][i][symbol] = code{bits, length} })
		}
	}
	header := []byte{byte(len(passes))}
	for i, pass := range passes {
		header = append(header, p.parts[pass.part].id, byte(i<<4|i))
	}
	pass := passes[0]
	out = segment(out, markerSOS, append(header, byte(pass.start), byte(pass.end), byte(pass.high<<4|pass.low)))
	return appendTokens(out, s.tokens, &codes)
}

func (s *scanCoder) block(progressive bool, p passOf, table int, b *[64]int16) {
	switch {
	case !progressive:
		s.sized(0, table, 0, int(b[0])-s.pred[table])
		s.pred[table] = int(b[0])
		s.band(passOf{start: 1, end: 63}, table, b, func() { s.emit(1, table, 0, 0, 0) })
	case p.start == 0 && p.high == 0:
		value := int(b[0] >> p.low)
		s.sized(0, table, 0, value-s.pred[table])
		s.pred[table] = value
	case p.start == 0:
		s.emit(rawBits, 0, 0, uint32(b[0]>>p.low), 1)
	case p.high == 0:
		s.band(p, table, b, func() {
			if s.run++; s.run == 32767 {
				s.endRun(table)
			}
		})
	default:
		s.refine(p, table, b)
	}
}

// band writes the AC coefficients of a first or only scan.
func (s *scanCoder) band(p passOf, table int, b *[64]int16, end func()) {
	zeros := 0
	for k := p.start; k <= p.end; k++ {
		value := point(b[k], p.low)
		if value == 0 {
			zeros++
			continue
		}
		s.endRun(table)
		for ; zeros > 15; zeros -= 16 {
			s.emit(1, table, 0xF0, 0, 0)
		}
		s.sized(1, table, zeros, value)
		zeros = 0
	}
	if zeros > 0 {
		end()
	}
}

// refine writes the AC coefficients of a refining scan, T.81 G.1.2.3.
func (s *scanCoder) refine(p passOf, table int, b *[64]int16) {
	last := 0 // of the coefficients that become known
	for k := p.start; k <= p.end; k++ {
		if v := point(b[k], p.low); v == 1 || v == -1 {
			last = k
		}
	}
	var corrections []token
	zeros := 0
	for k := p.start; k <= p.end; k++ {
		v := point(b[k], p.low)
		if v == 0 {
			zeros++
			continue
		}
		for ; zeros > 15 && k <= last; zeros -= 16 {
			s.endRun(table)
			s.emit(1, table, 0xF0, 0, 0)
			s.tokens, corrections = append(s.tokens, corrections...), nil
		}
		if v > 1 || v < -1 {
			corrections = append(corrections, token{class: rawBits, extra: uint32(max(v, -v) & 1), size: 1})
			continue
		}
		s.endRun(table)
		s.emit(1, table, byte(zeros<<4|1), uint32(v+1)/2, 1)
		s.tokens, corrections = append(s.tokens, corrections...), nil
		zeros = 0
	}
	if zeros > 0 || len(corrections) > 0 {
		s.run++
		s.deferred = append(s.deferred, corrections...)
		if s.run == 32767 {
			s.endRun(table)
		}
	}
}

// endRun writes the run of ended blocks, if there is one.
func (s *scanCoder) endRun(table int) {
	if s.run > 0 {
		size := uint(mathbits.Len(uint(s.run))) - 1
		s.emit(1, table, byte(size<<4), uint32(s.run), size)
		s.tokens = append(s.tokens, s.deferred...)
		s.run, s.deferred = 0, nil
	}
}

// point is the point transform of AC coefficients: a division by 1<<low.
func point(v int16, low uint) int { return int(v) / (1 << low) }

type code struct{ bits, length uint }

// appendTokens writes the entropy-coded data.
func appendTokens(out []byte, tokens []token, codes *[2][4]map[byte]code) []byte {
	acc, n := uint64(0), uint(0)
	put := func(v uint64, size uint) {
		acc, n = acc<<size|v, n+size
		for ; n >= 8; n -= 8 {
			b := byte(acc >> (n - 8))
			if out = append(out, b); b == 0xFF {
				out = append(out, 0)
			}
		}
	}
	align := func() {
		if n > 0 {
			put(1<<(8-n)-1, 8-n)
		}
	}
	for _, t := range tokens {
		switch t.class {
		case restartHere:
			align()
			out = append(out, 0xFF, markerRST0+t.symbol)
		default:
			c := codes[t.class][t.table][t.symbol]
			put(uint64(c.bits), c.length)
			fallthrough
		case rawBits:
			put(uint64(t.extra), t.size)
		}
	}
	align()
	return out
}

// optimal returns a Huffman table for the tokens of a class and table: each code about as long as the
// symbol is rare, which is near enough, and none of all ones.
func optimal(tokens []token, class, table int) *huffSpec {
	count := map[byte]int{}
	for _, t := range tokens {
		if t.class == class && t.table == table {
			count[t.symbol]++
		}
	}
	spec := &huffSpec{}
	for symbol := range count {
		spec.symbols = append(spec.symbols, symbol)
	}
	sort.Slice(spec.symbols, func(i, j int) bool {
		a, b := spec.symbols[i], spec.symbols[j]
		return count[a] > count[b] || count[a] == count[b] && a < b
	})
	total := 0
	for _, n := range count {
		total += n
	}
	room := 1<<16 - 1 // codes of 16 bits, that of all ones excepted
	length := 1
	for i, symbol := range spec.symbols {
		for rest := len(spec.symbols) - 1 - i; total > count[symbol]<<length && length < 16 || room-1<<(16-length) < rest; {
			length++
		}
		room -= 1 << (16 - length)
		spec.count[length]++
	}
	return spec
}

// covers reports whether a table has the symbols of all the tokens of a class and table.
func covers(spec *huffSpec, tokens []token, class, table int) bool {
	for _, t := range tokens {
		if t.class == class && t.table == table && !containsByte(spec.symbols, t.symbol) {
			return false
		}
	}
	return true
}

func containsByte(s []byte, b byte) bool {
	for _, v := range s {
		if v == b {
			return true
		}
	}
	return false
}
