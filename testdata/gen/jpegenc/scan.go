package jpegenc

import "math/bits"

// scan is one pass over the coefficients: which components, which of the zigzag order, which bits.
type scan struct {
	comps                  []int
	start, end, high, low  int
	symbols                []symbol
	eobrun                 int
	pending                []byte // correction bits that follow the run of ends of block
	dcTable, acTable, prev [4]int
}

// symbol is a Huffman code and the bits after it. table is 0 and 1 for DC, 2 and 3 for AC; −1 is bits alone, −2 a
// restart.
type symbol struct {
	table int8
	value byte
	n     uint8
	bits  uint32
	more  []byte // correction bits, one in each byte
}

func (e *encoder) scans() []*scan {
	all := make([]int, len(e.comps))
	for i := range all {
		all[i] = i
	}
	if !e.opt.Progressive {
		return []*scan{{comps: all, end: 63}}
	}
	out := []*scan{{comps: all, low: 1}}
	add := func(c, start, end, high, low int) {
		if c < len(e.comps) {
			out = append(out, &scan{comps: []int{c}, start: start, end: end, high: high, low: low})
		}
	}
	add(0, 1, 5, 0, 2)
	add(2, 1, 63, 0, 1)
	add(1, 1, 63, 0, 1)
	add(0, 6, 63, 0, 2)
	add(0, 1, 63, 2, 1)
	out = append(out, &scan{comps: all, high: 1})
	add(2, 1, 63, 1, 0)
	add(1, 1, 63, 1, 0)
	add(0, 1, 63, 1, 0)
	return out
}

func (e *encoder) scan(s *scan) {
	if len(s.comps) == 1 {
		// A scan of one component covers its own blocks, without the padding.
		c := e.comps[s.comps[0]]
		for by := range c.bh {
			for bx := range c.bw {
				e.restart(s, by*c.bw+bx)
				e.block(s, s.comps[0], &c.coef[by*c.stride+bx])
			}
		}
	} else {
		for m := range e.mcux * e.mcuy {
			e.restart(s, m)
			for _, i := range s.comps {
				c := e.comps[i]
				for v := range c.v {
					for h := range c.h {
						e.block(s, i, &c.coef[(m/e.mcux*c.v+v)*c.stride+m%e.mcux*c.h+h])
					}
				}
			}
		}
	}
	s.flushRun(e.table(s.comps[0]))
	e.emit(s)
}

func (e *encoder) restart(s *scan, mcu int) {
	if r := e.opt.Restart; r > 0 && mcu > 0 && mcu%r == 0 && !e.opt.Progressive {
		s.symbols = append(s.symbols, symbol{table: -2})
		s.prev = [4]int{}
	}
}

func (e *encoder) table(comp int) int8 { return int8(e.comps[comp].table) }

func (e *encoder) block(s *scan, i int, b *[64]int32) {
	t := e.table(i)
	switch {
	case !e.opt.Progressive:
		s.dc(t, i, int(b[0]))
		s.ac(t+2, b, 1, 63, 0, false)
	case s.start == 0 && s.high == 0:
		s.dc(t, i, int(b[0]>>s.low))
	case s.start == 0:
		s.symbols = append(s.symbols, symbol{table: -1, n: 1, bits: uint32(b[0]>>s.low) & 1})
	case s.high == 0:
		s.ac(t+2, b, s.start, s.end, s.low, true)
	default:
		s.refine(t+2, b)
	}
}

func (s *scan) dc(table int8, comp, v int) {
	d := v - s.prev[comp]
	s.prev[comp] = v
	n, low := magnitude(d)
	s.symbols = append(s.symbols, symbol{table: table, value: byte(n), n: uint8(n), bits: low})
}

// magnitude is the category of v and the bits that tell it from others of the category.
func magnitude(v int) (n int, low uint32) {
	if v < 0 {
		n = bits.Len(uint(-v))
		return n, uint32(v-1) & (1<<n - 1)
	}
	n = bits.Len(uint(v))
	return n, uint32(v)
}

// point drops the low bits of a coefficient towards zero.
func point(v int32, low int) int {
	if v < 0 {
		return -int(-v >> low)
	}
	return int(v >> low)
}

func (s *scan) ac(table int8, b *[64]int32, start, end, low int, runs bool) {
	zeros := 0
	for k := start; k <= end; k++ {
		v := point(b[k], low)
		if v == 0 {
			zeros++
			continue
		}
		s.flushRun(table - 2)
		for ; zeros > 15; zeros -= 16 {
			s.symbols = append(s.symbols, symbol{table: table, value: 0xf0})
		}
		n, lo := magnitude(v)
		s.symbols = append(s.symbols, symbol{table: table, value: byte(zeros<<4 | n), n: uint8(n), bits: lo})
		zeros = 0
	}
	if zeros == 0 {
		return
	}
	if !runs {
		s.symbols = append(s.symbols, symbol{table: table})
		return
	}
	if s.eobrun++; s.eobrun == 0x7fff {
		s.flushRun(table - 2)
	}
}

// flushRun writes the run of blocks that ended early, with the correction bits that belong to them.
func (s *scan) flushRun(table int8) {
	if s.eobrun == 0 {
		return
	}
	n := bits.Len(uint(s.eobrun)) - 1
	s.symbols = append(s.symbols, symbol{
		table: table + 2, value: byte(n << 4), n: uint8(n), bits: uint32(s.eobrun) & (1<<n - 1), more: s.pending,
	})
	s.eobrun, s.pending = 0, nil
}

func (s *scan) refine(table int8, b *[64]int32) {
	last := 0 // of the coefficients that become non-zero in this scan
	for k := s.start; k <= s.end; k++ {
		if a := point(b[k], s.low); a == 1 || a == -1 {
			last = k
		}
	}
	zeros := 0
	var correct []byte
	for k := s.start; k <= s.end; k++ {
		a := point(b[k], s.low)
		if a == 0 {
			zeros++
			continue
		}
		for zeros > 15 && k <= last {
			s.flushRun(table - 2)
			s.symbols = append(s.symbols, symbol{table: table, value: 0xf0, more: correct})
			correct = nil
			zeros -= 16
		}
		if a > 1 || a < -1 {
			correct = append(correct, byte(max(a, -a)&1))
			continue
		}
		s.flushRun(table - 2)
		sign := uint32(1)
		if a < 0 {
			sign = 0
		}
		s.symbols = append(s.symbols, symbol{table: table, value: byte(zeros<<4 | 1), n: 1, bits: sign, more: correct})
		correct, zeros = nil, 0
	}
	if zeros > 0 || len(correct) > 0 {
		s.eobrun++
		s.pending = append(s.pending, correct...)
		if s.eobrun == 0x7fff || len(s.pending) > 900 {
			s.flushRun(table - 2)
		}
	}
}

// emit writes the tables that the scan's symbols want, its header, and the symbols.
func (e *encoder) emit(s *scan) {
	var counts [4][257]int
	for _, y := range s.symbols {
		if y.table >= 0 {
			counts[y.table][y.value]++
		}
	}
	var codes [4]codebook
	for t := range counts {
		if used(&counts[t]) {
			codes[t] = build(counts[t])
			e.segment(0xc4, append([]byte{byte(t>>1<<4 | t&1)}, codes[t].spec...)...)
		}
	}
	sos := []byte{byte(len(s.comps))}
	for _, i := range s.comps {
		t := byte(e.comps[i].table)
		sel := t<<4 | t
		if e.opt.Progressive && s.start == 0 {
			sel = t << 4
		} else if e.opt.Progressive {
			sel = t
		}
		sos = append(sos, byte(e.comps[i].id), sel)
	}
	e.segment(0xda, append(sos, byte(s.start), byte(s.end), byte(s.high<<4|s.low))...)
	w := bitWriter{out: e.out}
	restarts := 0
	for _, y := range s.symbols {
		if y.table == -2 {
			w.flush()
			w.out = append(w.out, 0xff, byte(0xd0+restarts&7))
			restarts++
			continue
		}
		if y.table >= 0 {
			w.put(uint32(codes[y.table].code[y.value]), codes[y.table].size[y.value])
		}
		w.put(y.bits, y.n)
		for _, b := range y.more {
			w.put(uint32(b), 1)
		}
	}
	w.flush()
	e.out = w.out
}

type bitWriter struct {
	out []byte
	acc uint32
	n   uint8
}

func (w *bitWriter) put(v uint32, n uint8) {
	for n > 0 {
		n--
		w.acc = w.acc<<1 | v>>n&1
		if w.n++; w.n == 8 {
			w.out = append(w.out, byte(w.acc))
			if byte(w.acc) == 0xff {
				w.out = append(w.out, 0)
			}
			w.acc, w.n = 0, 0
		}
	}
}

// flush fills the last byte with ones.
func (w *bitWriter) flush() {
	for w.n != 0 {
		w.put(1, 1)
	}
}
