package jpeg

// The tables of this file decode several symbols with one look-up. Each is indexed by the next bits of the stream;
// an entry tells how many of them are consumed and how far they advance in the block, and, but for the skip table,
// what values they hold. An advance has endOfBlock added if the last of the symbols is the end of the block. So a
// block goes on while k, the next coefficient, is below 64, and only two kinds of k are a proper end: 64, and
// endOfBlock to endOfBlock+63. Any other means that the look-up ran on into the next block, or that the next symbol
// is tooLong for it.
const (
	firstBits = 12
	skipBits  = 13
	valueBits = 11

	endOfBlock = 128
	tooLong    = 255
)

// blockEnds reports whether a block can end with k.
func blockEnds(k uint) bool { return k == 64 || k-endOfBlock < 64 }

type (
	// firstTable decodes the DC difference that opens a block and what follows: as many AC symbols as fit for
	// blocks of which only the DC coefficient is wanted, else an end of block only. Bits 0-5: bits consumed, 8-15:
	// advance, that of the DC coefficient included, 16-31: difference.
	firstTable [1 << firstBits]uint32

	// openTable decodes the DC difference that opens a block and up to two AC coefficients.
	// Bits 0-5: bits consumed, 8-15: advance, that of the DC coefficient included, 16-23 and 32-39: position and value
	// of an AC coefficient, 24-31 and 40-47: of another, 48-63: difference. The position of one that is not there is
	// noValue.
	openTable [1 << firstBits]uint64

	// valueTable decodes one or two AC coefficients. Bits 0-5: bits consumed, 8-15: advance, 16-23 and 32-47: the
	// first one's distance from k and value, 24-31 and 48-63 the second one's. A coefficient that is not there has
	// the distance noValue and the value 0. If bit valueFollows is set, only the code fits: the value's bits, as
	// many as bits 32-47 say, are yet to be read.
	valueTable [1 << valueBits]uint64
)

// valueFollows marks entries of a valueTable.
const valueFollows = 1 << 6

// noValue as a distance leads out of the block from any k.
const noValue = endOfBlock

// acSymbol is what an AC symbol means.
type acSymbol struct {
	advance  uint // as in the tables
	size     uint // of the value, bits
	distance uint // of the value from k, or noValue
}

// meaning tells what symbols mean in a kind of scan. It is not ok for those that the tables cannot hold.
type meaning func(symbol byte) (s acSymbol, ok bool)

// sequentialAC is the meaning in a sequential scan. As in libjpeg, every symbol of size 0 other than a run of 16
// zeros ends the block.
func sequentialAC(symbol byte) (acSymbol, bool) {
	run, size := uint(symbol>>4), uint(symbol&15)
	switch {
	case size != 0:
		return acSymbol{run + 1, size, run}, true
	case run == 15:
		return acSymbol{16, 0, noValue}, true
	}
	return acSymbol{endOfBlock, 0, noValue}, true
}

// firstAC is the meaning in the first scan of a band of a progressive image, where a block's end may hold for a run
// of blocks, whose length follows.
func firstAC(symbol byte) (acSymbol, bool) {
	s, _ := sequentialAC(symbol)
	return s, s.advance != endOfBlock || symbol == 0
}

// refinedAC is the meaning in a refining scan, as long as no coefficient already known is passed: all values are ±1.
func refinedAC(symbol byte) (acSymbol, bool) {
	s, ok := firstAC(symbol)
	return s, ok && s.size <= 1
}

// skipTables pass over AC symbols. There is one for each width w of bits, 0..skipBits, at [1<<w : 2<<w]: what of w
// bits, and no more, can be swallowed. Table w is made of narrower ones: behind a symbol of n bits goes a copy of
// table w-n. Bits 0-5: bits consumed, 8-15: advance. If there is not one whole symbol, an entry is 0, and tooLong
// in the widest table.
type skipTables [2 << skipBits]uint16

// widest looks the next bits of r up in the widest table.
func (t *skipTables) widest(r bits) uint { return uint(t[1<<skipBits+r.acc>>(64-skipBits)]) }

func (t *skipTables) build(ac *huffSpec, means meaning) {
	var farthest [skipBits + 1]uint // largest advance in each table, the end of block not counted
	clear(t[:2])
	for w := uint(1); w <= skipBits; w++ {
		dst := t[1<<w : 2<<w]
		done := uint(0)
		ac.each(w, func(code, length uint, symbol byte) {
			s, ok := means(symbol)
			advance, size := s.advance, s.size
			part := dst[code<<(w-length) : (code+1)<<(w-length)]
			done = (code + 1) << (w - length)
			own := uint16(advance<<8 | (length + size))
			switch {
			case !ok || length+size > w:
				clear(part)
				return
			case advance == endOfBlock:
				fill(part, own)
				return
			case advance+farthest[w-length-size] > 63: // more would end in no block
				fill(part, own)
				farthest[w] = max(farthest[w], advance)
				return
			}
			src := t[1<<(w-length-size) : 2<<(w-length-size)]
			for len(part) > 0 { // once for each value of size bits
				for i, follow := range src {
					part[i] = follow + own
				}
				part = part[len(src):]
			}
			farthest[w] = max(farthest[w], advance+farthest[w-length-size])
		})
		clear(dst[done:])
	}
	for i, e := range t[1<<skipBits:] {
		if e == 0 {
			t[1<<skipBits+i] = tooLong << 8
		}
	}
}

// width returns the table for w bits.
func (t *skipTables) width(w uint) []uint16 { return t[1<<w : 2<<w] }

// build fills t from the DC table and what may follow: skip tables of widths up to firstBits.
func (t *firstTable) build(dc *huffSpec, follow func(width uint) []uint16) {
	fill(t[:], tooLong<<8)
	dc.each(firstBits, func(code, length uint, symbol byte) {
		size := uint(symbol)
		if length+size > firstBits {
			return
		}
		left := firstBits - length - size
		src := follow(left)
		for x := range uint(1) << size {
			diff := int32(0)
			if size > 0 {
				diff = extend(int32(x), size)
			}
			own := uint32(diff)<<16 | 1<<8 | uint32(length+size)
			dst := t[(code<<size|x)<<left:][:len(src)]
			for i, f := range src {
				dst[i] = own + uint32(f)
			}
		}
	})
}

// nothingFollows is what firstTable.build wants where a scan has DC coefficients only.
func nothingFollows(width uint) []uint16 { return make([]uint16, 1<<width) }

// build fills t: with one symbol for each entry, to which it appends a second one where that fits. Single, empty at
// first, is left with single symbols, and 0 where there is none.
func (t *valueTable) build(ac *huffSpec, means meaning, single *valueTable) {
	ac.each(valueBits, func(code, length uint, symbol byte) {
		s, ok := means(symbol)
		if !ok {
			return
		}
		size := s.size
		own := uint64(noValue<<24 | s.distance<<16 | s.advance<<8)
		if length+size > valueBits {
			left := valueBits - length
			fill(single[code<<left:][:1<<left], own|uint64(size)<<32|valueFollows|uint64(length))
			return
		}
		left := valueBits - length - size
		own |= uint64(length + size)
		for x := range uint(1) << size {
			value := int32(0)
			if size > 0 {
				value = extend(int32(x), size)
			}
			fill(single[(code<<size|x)<<left:][:1<<left], own|uint64(uint16(value))<<32)
		}
	})
	for i, a := range single {
		t[i] = a
		if a == 0 {
			t[i] = noValue<<24 | noValue<<16 | tooLong<<8
			continue
		}
		if a&valueFollows != 0 {
			continue
		}
		bitsA, advanceA := uint(a&63), uint(a>>8)&255
		b := single[uint(i)<<bitsA&(1<<valueBits-1)]
		bitsB, advanceB, distanceB := uint(b&63), uint(b>>8)&255, uint(b>>16)&255
		if b == 0 || b&valueFollows != 0 || advanceA == endOfBlock || bitsA+bitsB > valueBits {
			continue
		}
		if distanceB != noValue {
			distanceB += advanceA
		}
		t[i] = uint64(bitsA+bitsB) | uint64(advanceA+advanceB)<<8 | a&0xFF0000 | uint64(distanceB)<<24 |
			a&(0xFFFF<<32) | b>>32<<48
	}
}

// build fills t from the DC table and what may follow: of the value table what fits, else of single symbols.
func (t *openTable) build(dc *huffSpec, pairs, single *valueTable) {
	fill(t[:], tooLong<<8)
	dc.each(firstBits, func(code, length uint, symbol byte) {
		size := uint(symbol)
		if length+size > firstBits {
			return
		}
		left := firstBits - length - size
		for x := range uint(1) << size {
			diff := int32(0)
			if size > 0 {
				diff = extend(int32(x), size)
			}
			own := uint64(diff)<<48 | noValue<<24 | noValue<<16 | 1<<8 | uint64(length+size)
			dst := t[(code<<size|x)<<left:][:1<<left]
			for i := range dst {
				next := uint(i) << (firstBits - left) >> (firstBits - valueBits)
				if follow := pairs[next]; fits(follow, left) {
					dst[i] = opened(own, follow)
				} else if follow := single[next]; follow != 0 && fits(follow, left) {
					dst[i] = opened(own, follow)
				} else {
					dst[i] = own
				}
			}
		}
	})
}

// fits reports whether the symbols of an entry of a valueTable fit into a number of bits, and their values into an
// openTable.
func fits(entry uint64, left uint) bool {
	first, second := int16(entry>>32), int16(entry>>48)
	return uint(entry>>8)&255 != tooLong && entry&valueFollows == 0 && uint(entry&63) <= left &&
		first == int16(int8(first)) && second == int16(int8(second))
}

// opened returns an entry of an openTable with what follows.
func opened(own, follow uint64) uint64 {
	own += follow & 0xFF3F // bits and advance
	for shift := uint(16); shift <= 24; shift += 8 {
		if distance := follow >> shift & 255; distance != noValue {
			own = own&^(255<<shift) | (distance+1)<<shift
		}
	}
	return own | follow>>32&255<<32 | follow>>48&255<<40
}
