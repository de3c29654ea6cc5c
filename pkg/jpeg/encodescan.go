package jpeg

import (
	"bytes"
	"encoding/binary"
	mathbits "math/bits"
	"slices"
)

// symbol is what a scan is made of, one after the other: a symbol of a Huffman table, in bits 16 to 23, the number of
// the table above it, and below it the bits that follow the code; the symbol's lower four bits say how many these are.
type symbol uint32

// withAC in a symbol makes its table that of the AC coefficients of the same component.
const withAC symbol = 1 << 24

// mostSymbols is how many a block has at most: DC, AC, and the end. A run of 16 zeros takes the place of a coefficient.
const mostSymbols = 1 + 63 + 1

// row appends the symbols of a row of MCUs.
func (e *Encoder) row() {
	blocks := 0
	for i := range e.components {
		blocks += e.perRow * e.components[i].H * e.components[i].V
	}
	e.symbols = slices.Grow(e.symbols, mostSymbols*blocks)
	for mx := range e.perRow {
		for i := range e.components {
			c := &e.components[i]
			for v := range c.V {
				for h := range c.H {
					at := v*c.across + mx*c.H + h
					e.block(c, (*[64]int16)(c.blocks[64*at:]), c.nonzero[at])
				}
			}
		}
	}
}

// block appends the symbols of a block, for which there is room, and counts them.
func (e *Encoder) block(c *encoded, block *[64]int16, nonzero uint64) {
	n := len(e.symbols)
	out := (*[mostSymbols]symbol)(e.symbols[n : n+mostSymbols])
	ac := &e.counts[c.tables>>24|1]

	difference := int(block[0]) - c.last
	c.last = int(block[0])
	size, low := magnitude(difference)
	e.counts[c.tables>>24][size&255]++
	out[0] = c.tables | symbol(size)<<16 | low
	count := uint(1)

	tables := c.tables | withAC
	at := 0 // position of the coefficient before
	for left := zigzagged(nonzero &^ 1); left != 0; left &= left - 1 {
		k := mathbits.TrailingZeros64(left)
		run := k - at - 1
		at = k
		for ; run > 15; run -= 16 {
			ac[0xf0]++
			out[count] = tables | 0xf0<<16
			count++
		}
		size, low := magnitude(int(block[zigzag[k&63]&63]))
		s := uint(run)<<4 | size
		ac[s&255]++
		out[count] = tables | symbol(s)<<16 | low
		count++
	}
	if at < 63 {
		ac[0]++
		out[count] = tables
		count++
	}
	e.symbols = e.symbols[:n+int(count)]
}

// magnitude returns how many bits a value has, and these: of a negative one, those of the value less one.
func magnitude(v int) (size uint, low symbol) {
	sign := v >> 63
	size = uint(mathbits.Len64(uint64((v ^ sign) - sign)))
	return size, symbol(v+sign) & (1<<size - 1)
}

// zigzagged takes a mask of coefficients in natural order to one in zigzag order.
func zigzagged(natural uint64) (mask uint64) {
	for i := range zigzagMasks {
		mask |= zigzagMasks[i][byte(natural>>(8*i))]
	}
	return mask
}

// zigzagMasks has, for each row of coefficients and each combination of them, where these are in zigzag order.
var zigzagMasks = func() (t [8][256]uint64) {
	for k, natural := range zigzag {
		t[natural>>3][1<<(natural&7)] = 1 << k
	}
	for row := range t {
		for c := 1; c < len(t[row]); c++ {
			t[row][c] = t[row][c&(c-1)] | t[row][c&-c]
		}
	}
	return t
}()

// optimalSpec returns the Huffman code of the fewest bits for symbols that come up so often, none of it longer than 16
// bits, and none of ones alone.
func optimalSpec(counts *[256]uint32) *huffSpec {
	type node struct {
		count       uint64
		left, right int // nodes; of a leaf, left is −1 and right its symbol
	}
	nodes := []node{{0, -1, 256}} // stands for the code of ones alone, which is the longest
	for s, n := range counts {
		if n > 0 {
			nodes = append(nodes, node{uint64(n), -1, s})
		}
	}
	slices.SortStableFunc(nodes, func(a, b node) int {
		if a.count != b.count {
			return int(min(max(int64(a.count)-int64(b.count), -1), 1))
		}
		return b.right - a.right // of equal counts the code of ones first, and higher symbols: they get longer codes
	})
	// Joined nodes come out in the order of their counts, so that the two least are at the heads of two queues.
	leaves := len(nodes)
	leaf, joined := 0, leaves
	take := func() int {
		if leaf < leaves && (joined == len(nodes) || nodes[leaf].count <= nodes[joined].count) {
			leaf++
			return leaf - 1
		}
		joined++
		return joined - 1
	}
	for range leaves - 1 {
		a, b := take(), take()
		nodes = append(nodes, node{nodes[a].count + nodes[b].count, a, b})
	}
	var lengths [257]int // how many codes have a length
	depth := make([]int, len(nodes))
	for i := len(nodes) - 1; i >= 0; i-- {
		if n := nodes[i]; n.left >= 0 {
			depth[n.left], depth[n.right] = depth[i]+1, depth[i]+1
		} else {
			lengths[max(depth[i], 1)]++
		}
	}
	// Codes longer than 16 bits become shorter in pairs: one takes the place of the two's common beginning, and the
	// other that of a shorter code, which becomes one bit longer beside it (T.81, figure K.3).
	for i := 256; i > 16; i-- {
		for lengths[i] > 0 {
			j := i - 2
			for lengths[j] == 0 {
				j--
			}
			lengths[i] -= 2
			lengths[i-1]++
			lengths[j+1] += 2
			lengths[j]--
		}
	}
	longest := 16
	for lengths[longest] == 0 {
		longest--
	}
	lengths[longest]-- // the code of ones alone
	spec := new(huffSpec)
	for i := 1; i <= 16; i++ {
		spec.count[i] = byte(lengths[i])
	}
	for i := leaves - 1; i >= 0; i-- {
		if s := nodes[i].right; s < 256 {
			spec.symbols = append(spec.symbols, byte(s))
		}
	}
	return spec
}

// huffCode is how a symbol is written: its Huffman code, shifted to make room for the bits that follow it, and the
// length of both together.
type huffCode struct{ value, length uint32 }

// bitsAfter returns how many bits follow the code of a symbol: those of a value or, in bands of progressive images, of
// how many blocks end.
func bitsAfter(symbol byte, band bool) uint32 {
	if run := symbol >> 4; band && symbol&15 == 0 && run < 15 {
		return uint32(run)
	}
	return uint32(symbol & 15)
}

// codesOf returns the codes of a table.
func codesOf(s *huffSpec, band bool) *[256]huffCode {
	t := new([256]huffCode)
	next, at := uint32(0), 0
	for length := 1; length <= 16; length++ {
		for range s.count[length] {
			extra := bitsAfter(s.symbols[at], band)
			t[s.symbols[at]] = huffCode{next << extra, uint32(length) + extra}
			next++
			at++
		}
		next <<= 1
	}
	return t
}

// scanWriter writes the data of a scan.
type scanWriter struct {
	codes [4 * 256]huffCode // by the upper 16 bits of a symbol
	acc   uint64            // bits that are not written yet, from the top
	have  uint              // how many these are; between symbols fewer than 8
	bits  []byte
}

func (w *scanWriter) begin(specs *[4]*huffSpec, band bool) {
	for i, s := range specs {
		copy(w.codes[256*i:], codesOf(s, band)[:])
	}
	w.acc, w.have = 0, 0
}

// write appends symbols to out. After the last it fills the last byte up.
func (w *scanWriter) write(out []byte, symbols []symbol, last bool) []byte {
	const piece = 8192 // symbols, of 32 bits at most
	if w.bits == nil {
		w.bits = make([]byte, 4*piece+16)
	}
	acc, have := w.acc, w.have
	for len(symbols) > 0 {
		n := min(piece, len(symbols))
		at := uint(0)
		for _, s := range symbols[:n] {
			c := &w.codes[s>>16&1023]
			have += uint(c.length)
			acc |= uint64(c.value|uint32(s&0xffff)) << ((64 - have) & 63)
			binary.BigEndian.PutUint64(w.bits[at:], acc)
			whole := have >> 3
			at += whole
			acc <<= (8 * whole) & 63
			have &= 7
		}
		if symbols = symbols[n:]; len(symbols) == 0 && last && have > 0 {
			w.bits[at] = byte(acc>>56) | 0xff>>have
			at++
		}
		out = appendStuffed(out, w.bits[:at])
	}
	w.acc, w.have = acc, have
	return out
}

// appendStuffed appends data with a zero after each byte 0xff.
func appendStuffed(out, data []byte) []byte {
	for {
		i := bytes.IndexByte(data, 0xff)
		if i < 0 {
			return append(out, data...)
		}
		out = append(append(out, data[:i+1]...), 0)
		data = data[i+1:]
	}
}
