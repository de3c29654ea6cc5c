package inflate

import "math/bits"

// A table is looked up by the next bits of the stream, the first bit least significant. An entry says
//
//	bits 0..5    how many bits to drop: the code's, and those of the extra value behind it
//	bits 8..11   how many of these are the code's
//	bit 12       it is a literal
//	bit 13       it is none of the usual: a link to a further table, the end of the block, or no code
//	bits 16..31  the literal, the base of a length or distance, or where the further table begins
//
// Of a link, bits 0..5 are those of the first table, and bits 8..11 how many bits the further table takes.
const (
	isLiteral = 1 << 12
	isOther   = 1 << 13
	isLink    = isOther | 1<<14
	isEnd     = isOther | 1<<15

	litBits  = 11
	distBits = 9

	maxCodeBits = 15

	// The largest tables that complete codes of 288 and of 32 symbols need, as zlib's enough.c counts them for these
	// first tables, rounded up.
	litTableSize  = 2048 + 512
	distTableSize = 512 + 256
)

var (
	lengthBase = [29]uint16{
		3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
	}
	lengthExtra = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	distBase    = [30]uint16{
		1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
		8193, 12289, 16385, 24577,
	}
	distExtra = [30]uint8{
		0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
	}
	lengthsOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
)

// litEntry returns what a literal/length symbol's entry says, but for the code's bits.
func litEntry(symbol int) (entry uint32, extra uint) {
	switch {
	case symbol < 256:
		return uint32(symbol)<<16 | isLiteral, 0
	case symbol == 256:
		return isEnd, 0
	case symbol < 286:
		return uint32(lengthBase[symbol-257]) << 16, uint(lengthExtra[symbol-257])
	}
	return isOther, 0
}

func distEntry(symbol int) (entry uint32, extra uint) {
	if symbol < 30 {
		return uint32(distBase[symbol]) << 16, uint(distExtra[symbol])
	}
	return isOther, 0
}

// build makes a table from the lengths of a canonical code. It returns false for lengths that are no prefix code.
// A code of one symbol may be incomplete, and one of none is let pass, as zlib does: using what is missing is a fault.
func build(table []uint32, first uint, lengths []uint8, entry func(int) (uint32, uint)) bool {
	var counts, offsets [maxCodeBits + 2]int
	for _, n := range lengths {
		counts[n]++
	}
	counts[0] = 0
	left, used := 1, 0
	for n := 1; n <= maxCodeBits; n++ {
		left = left<<1 - counts[n]
		if left < 0 {
			return false // oversubscribed
		}
		offsets[n+1] = offsets[n] + counts[n]
		used += counts[n]
	}
	if left > 0 && used > 1 {
		return false // incomplete
	}
	if left > 0 && used == 1 && counts[1] != 1 {
		return false
	}
	for i := range table[:1<<first] {
		table[i] = isOther | 1
	}
	var sorted [288]uint16
	for symbol, n := range lengths {
		if n != 0 {
			sorted[offsets[n]] = uint16(symbol)
			offsets[n]++
		}
	}
	code, free := uint32(0), 1<<first // the next code, and where the next further table goes
	linked, linkBits, linkAt := uint32(1<<31), uint(0), 0
	at := 0
	for n := uint(1); n <= maxCodeBits; n++ {
		for ; counts[n] > 0; counts[n]-- {
			e, extra := entry(int(sorted[at]))
			at++
			reversed := bits.Reverse32(code) >> (32 - n)
			code++
			if n <= first {
				e |= uint32(n)<<8 | uint32(n+extra)
				for i := reversed; i < 1<<first; i += 1 << n {
					table[i] = e
				}
				continue
			}
			if low := reversed & (1<<first - 1); low != linked {
				linked, linkAt = low, free
				linkBits = n - first // as many as the codes that are left with this beginning need
				for room := 1<<linkBits - counts[n]; room > 0 && first+linkBits < maxCodeBits; {
					linkBits++
					room = room<<1 - counts[first+linkBits]
				}
				if free += 1 << linkBits; free > len(table) {
					return false
				}
				table[low] = uint32(linkAt)<<16 | isLink | uint32(linkBits)<<8 | uint32(first)
			}
			e |= uint32(n-first)<<8 | uint32(n+extra-first)
			for i := reversed >> first; i < 1<<linkBits; i += 1 << (n - first) {
				table[linkAt+int(i)] = e
			}
		}
		code <<= 1
	}
	return true
}

func (r *Reader) fixedTables() {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	build(r.lit[:], litBits, lengths[:], litEntry)
	var distances [32]uint8
	for i := range distances {
		distances[i] = 5
	}
	build(r.dist[:], distBits, distances[:], distEntry)
}

// dynamicTables reads a block's codes.
func (r *Reader) dynamicTables() error {
	head, ok := r.in.take(14)
	if !ok {
		return ErrTruncated
	}
	lits, dists, lens := int(head&31)+257, int(head>>5&31)+1, int(head>>10)+4
	if lits > 286 || dists > 30 {
		return corruptf("a block has %d literal and length codes and %d distance codes", lits, dists)
	}
	var lengths [286 + 30]uint8
	var small [19]uint8
	for i := range lens {
		n, ok := r.in.take(3)
		if !ok {
			return ErrTruncated
		}
		small[lengthsOrder[i]] = uint8(n)
	}
	const first = 7
	var table [1 << first]uint32
	if !build(table[:], first, small[:], func(symbol int) (uint32, uint) { return uint32(symbol) << 16, 0 }) {
		return corruptf("the code of a block's code lengths is none")
	}
	for i := 0; i < lits+dists; {
		whole := r.in.need(first)
		e := table[r.in.acc&(1<<first-1)]
		if e&isOther != 0 {
			if !whole {
				return ErrTruncated
			}
			return corruptf("a code length has no code")
		}
		if uint(e&63) > r.in.n {
			return ErrTruncated
		}
		r.in.take(uint(e & 63))
		symbol := e >> 16
		if symbol < 16 {
			lengths[i] = uint8(symbol)
			i++
			continue
		}
		width, base, value := uint(2), 3, uint8(0)
		switch symbol {
		case 16:
			if i == 0 {
				return corruptf("the first code length repeats one before it")
			}
			value = lengths[i-1]
		case 17:
			width = 3
		case 18:
			width, base = 7, 11
		}
		more, ok := r.in.take(width)
		if !ok {
			return ErrTruncated
		}
		end := i + base + int(more)
		if end > lits+dists {
			return corruptf("a block has more code lengths than codes")
		}
		for ; i < end; i++ {
			lengths[i] = value
		}
	}
	if lengths[256] == 0 {
		return corruptf("a block has no code for its end")
	}
	if !build(r.lit[:], litBits, lengths[:lits], litEntry) {
		return corruptf("a block's literal and length code is none")
	}
	if !build(r.dist[:], distBits, lengths[lits:lits+dists], distEntry) {
		return corruptf("a block's distance code is none")
	}
	return nil
}
