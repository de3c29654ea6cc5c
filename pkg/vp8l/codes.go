package vp8l

import (
	"math/bits"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// The codes of a group. Green's has also the lengths of copies and the colours of the cache.
const (
	green = iota
	red
	blue
	alpha
	distance
	codesOfGroup
)

const (
	literals     = 256 // symbols of green that are a sample
	lengthCodes  = 24
	cacheSymbols = literals + lengthCodes // and those that follow are colours of the cache
	maxLength    = 15                     // bits of a code's word

	// rootBits is how many bits index the first level of a table. More make fewer words take two steps, but fill the
	// processor's cache.
	rootBits = 10
)

// symbols of each code, but for the cache's.
var symbols = [codesOfGroup]int{cacheSymbols, 256, 256, 256, 40}

// shifts of samples in a pixel, which is 0xAARRGGBB.
var shifts = [...]int{green: 8, red: 16, blue: 0, alpha: 24}

// entry of a table is a symbol, or a link to the second level:
//
//	0:4 symbol:20 length:8
//	1:1 first:15 bits:8 length:8      first entry, and how many bits more index the entries from it on
//
// length is how many bits of the window are used up.
type entry = uint32

// isLink is the lowest entry that is a link. literalsEnd is the lowest that is no sample, of green or a link.
const (
	isLink      = 1 << 31
	literalsEnd = literals << 8
)

// code is a prefix code. One of a single symbol has an index of no bits and a word of none. Assembly knows the fields.
type code struct {
	table []entry
	index uint // bits that index the first level
}

// group is a set of codes. Assembly knows the fields.
type group struct {
	codes [codesOfGroup]code

	// constant holds the samples of red, blue and alpha that have but one value. trivial says that all of them do, and
	// opaque that alpha does.
	constant uint32
	trivial  bool
	opaque   bool
}

// next reads a symbol. The window must hold maxLength bits.
func (c *code) next(b *bitReader) uint32 {
	e := c.table[b.window&(1<<c.index-1)]
	if e >= isLink {
		b.skip(e & 0xff)
		e = c.table[e>>16&0x7fff+uint32(b.window&(1<<(e>>8&0xff)-1))]
	}
	b.skip(e & 0xff)
	return e >> 8
}

// tables gives memory to tables, and says when there were too many.
type tables struct {
	free  []entry
	taken int64
	most  int64 // entries
}

func (t *tables) get(n int) []entry {
	if n > len(t.free) {
		t.free = make([]entry, max(n, 1<<14))
	}
	p := t.free[:n:n]
	t.free = t.free[n:]
	t.taken += int64(n)
	return p
}

// lengths are how many bits the word of each symbol has; 0: it has none.
type lengths []uint8

// build makes the table of a code. It returns false where the lengths are not those of a complete code. A code of one
// symbol is complete with any length.
func (c *code) build(of lengths, rootBits uint, get func(n int) []entry) bool {
	var count [maxLength + 1]int
	for _, n := range of {
		count[n]++
	}
	used := len(of) - count[0]
	if used == 0 {
		return false
	}
	if used == 1 {
		c.index, c.table = 0, get(1)
		for s, n := range of {
			if n > 0 {
				c.table[0] = entry(s) << 8
			}
		}
		return true
	}
	// The words of each length follow each other. They are as many as fit.
	var next [maxLength + 2]uint32
	left, longest := 1, uint(0)
	for n := 1; n <= maxLength; n++ {
		left = left<<1 - count[n]
		if left < 0 {
			return false
		}
		next[n+1] = (next[n] + uint32(count[n])) << 1
		if count[n] > 0 {
			longest = uint(n)
		}
	}
	if left != 0 {
		return false
	}
	c.index = min(longest, rootBits)
	size := 1 << c.index
	var links [1 << 10]uint8 // of each entry of the first level, the longest word that begins there
	if longest > c.index {
		size += secondLevel(of, next, c.index, &links)
	}
	c.table = get(size)
	at := uint32(1) << c.index
	for i, n := range links[:1<<c.index] {
		if n > 0 {
			more := uint32(n) - uint32(c.index)
			c.table[i] = isLink | at<<16 | more<<8 | uint32(c.index)
			at += 1 << more
		}
	}
	for s, n := range of {
		if n == 0 {
			continue
		}
		word := bits.Reverse32(next[n]) >> (32 - n)
		next[n]++
		if uint(n) <= c.index {
			fillEvery(c.table[:1<<c.index], word, 1<<n, entry(s)<<8|entry(n))
			continue
		}
		link := c.table[word&(1<<c.index-1)]
		first, more := link>>16&0x7fff, link>>8&0xff
		fillEvery(c.table[first:first+1<<more], word>>c.index, 1<<(uint(n)-c.index), entry(s)<<8|entry(uint(n)-c.index))
	}
	return true
}

// secondLevel notes which entries of the first level are links, and returns how many entries they link to.
func secondLevel(of lengths, next [maxLength + 2]uint32, index uint, links *[1 << 10]uint8) (size int) {
	for _, n := range of {
		if n == 0 {
			continue
		}
		word := bits.Reverse32(next[n]) >> (32 - n)
		next[n]++
		if uint(n) > index {
			at := word & (1<<index - 1)
			links[at] = max(links[at], n)
		}
	}
	for _, n := range links[:1<<index] {
		if n > 0 {
			size += 1 << (uint(n) - index)
		}
	}
	return size
}

// fillEvery stores an entry at first and at each step from there.
func fillEvery(table []entry, first, step uint32, e entry) {
	for i := first; i < uint32(len(table)); i += step {
		table[i] = e
	}
}

// order is that in which the lengths of the code for lengths are stored.
var order = [...]uint8{17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}

// readLengths reads a code's lengths into of.
//
//	1:1 two:1 wide:1 symbol:(1|8) {symbol:8}     one symbol or two
//	0:1 n-4:4 {length:3}×n {counted} words       else; the lengths are of a code for lengths
func (b *bitReader) readLengths(of lengths) error {
	clear(of)
	if b.flag() {
		two, size := b.flag(), 1
		if b.flag() {
			size = 8
		}
		first := b.number(size)
		set := func(s int) {
			if s < len(of) {
				of[s] = 1
			}
		}
		set(first)
		if two {
			set(b.number(8))
		}
		return nil
	}
	var coded [len(order)]uint8
	for _, s := range order[:4+b.number(4)] {
		coded[s] = uint8(b.number(3))
	}
	var memory [1 << 7]entry
	var c code
	if !c.build(coded[:], 7, func(n int) []entry { return memory[:n] }) {
		return raster.Corruptf(format, 0, "the code for lengths of a prefix code is not complete")
	}
	left := len(of)
	if b.flag() {
		if left = 2 + b.number(2+2*b.number(3)); left > len(of) {
			return raster.Corruptf(format, 0, "a prefix code has %d lengths of %d", left, len(of))
		}
	}
	last := uint8(8)
	for s := 0; s < len(of) && left > 0; left-- {
		b.fill()
		n := uint8(c.next(b))
		if n <= maxLength {
			if of[s] = n; n > 0 {
				last = n
			}
			s++
			continue
		}
		var repeat int
		value := uint8(0)
		switch n {
		case 16:
			value, repeat = last, 3+b.number(2)
		case 17:
			repeat = 3 + b.number(3)
		default:
			repeat = 11 + b.number(7)
		}
		if repeat > len(of)-s {
			return raster.Corruptf(format, 0, "a prefix code has more lengths than %d", len(of))
		}
		for range repeat {
			of[s] = value
			s++
		}
	}
	return nil
}

// readGroup reads the codes of a group, for a cache of colors.
func (b *bitReader) readGroup(colors int, memory lengths, t *tables) (*group, error) {
	g := new(group)
	g.trivial, g.opaque = true, true
	for i := range g.codes {
		of := memory[:symbols[i]]
		if i == green {
			of = memory[:symbols[i]+colors]
		}
		err := b.readLengths(of)
		if b.beyond() {
			return nil, raster.Truncatedf(format, "its prefix codes")
		}
		if err != nil {
			return nil, err
		}
		c := &g.codes[i]
		if !c.build(of, rootBits, t.get) {
			return nil, raster.Corruptf(format, 0, "a prefix code is not complete")
		}
		switch {
		case i == green || i == distance:
		case c.index > 0:
			g.trivial, g.opaque = false, g.opaque && i != alpha
		default:
			g.constant |= c.table[0] >> 8 << shifts[i]
		}
	}
	if t.taken > t.most {
		return nil, raster.Unsupportedf(format, "prefix codes of more than %d MiB", t.most>>18)
	}
	return g, nil
}
