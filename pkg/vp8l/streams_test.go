package vp8l

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// writer writes streams that use all that the format has, at random.
type writer struct {
	*rand.Rand
	out  []byte
	word uint64
	n    int

	modes int // of predictors
	copy  int // one symbol of so many is to be a copy; 0: none
}

func (w *writer) put(v, n int) {
	w.word |= uint64(v) << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.out = append(w.out, byte(w.word))
		w.word >>= 8
	}
}

func (w *writer) flag(b bool) bool {
	v := 0
	if b {
		v = 1
	}
	w.put(v, 1)
	return b
}

func (w *writer) chance(n int) bool { return w.IntN(n) == 0 }

// end returns what was written.
func (w *writer) end() []byte {
	if w.n > 0 {
		w.put(0, 8-w.n)
	}
	return w.out
}

// randomStream returns a stream of a picture without its header, and its kinds of transforms.
func randomStream(r *rand.Rand, width, height, modes int) []byte {
	w := &writer{Rand: r, modes: modes, copy: []int{0, 2, 10, 100}[r.IntN(4)]}
	w.picture(width, height)
	return w.end()
}

// withHeader returns a stream with its header.
func withHeader(stream []byte, width, height int) []byte {
	head := binary.LittleEndian.AppendUint32([]byte{0x2f}, uint32(width-1|(height-1)<<14|1<<28))
	return append(head, stream...)
}

// inFile returns a stream with its header as a WebP file.
func inFile(stream []byte) []byte {
	file := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(12+len(stream)+len(stream)&1))
	file = binary.LittleEndian.AppendUint32(append(file, "WEBPVP8L"...), uint32(len(stream)))
	file = append(file, stream...)
	return append(file, make([]byte, len(stream)&1)...)
}

func (w *writer) picture(width, height int) {
	for _, kind := range w.Perm(kinds)[:w.IntN(kinds+1)] {
		w.put(1, 1)
		w.put(kind, 2)
		switch kind {
		case predictors, crossColors:
			size := 2 + min(w.IntN(8), w.IntN(8))
			w.put(size-2, 3)
			greens := 256
			if kind == predictors {
				greens = w.modes
			}
			w.image(subsampled(width, uint(size)), subsampled(height, uint(size)), anyRed, greens)
		case colorIndex:
			n := []int{1, 2, 3, 4, 5, 16, 17, 100, 256}[w.IntN(9)]
			w.put(n-1, 8)
			w.image(n, 1, anyRed, 256)
			for _, most := range []int{2, 4, 16} {
				if n <= most {
					width = subsampled(width, 1)
				}
			}
		}
	}
	w.put(0, 1)
	colors := w.cache()
	size, groups, ids := 0, 1, []int(nil)
	if w.flag(w.chance(2)) {
		size = 2 + min(w.IntN(8), w.IntN(8))
		w.put(size-2, 3)
		high := max(0, w.IntN(20)-18)
		ids = w.image(subsampled(width, uint(size)), subsampled(height, uint(size)), high, 1+w.IntN(12))
		groups = slices.Max(ids) + 1
	}
	w.pixels(width, height, colors, groups, anyRed, 256, func(x, y int) int {
		if ids == nil {
			return 0
		}
		return ids[y>>size*subsampled(width, uint(size))+x>>size]
	})
}

func (w *writer) cache() (colors int) {
	if !w.flag(w.chance(2)) {
		return 0
	}
	n := 1 + w.IntN(mostColorBits)
	w.put(n, 4)
	return 1 << n
}

// anyRed is a red sample that may have any value.
const anyRed = -1

// image writes a small image whose green samples are below greens, and whose red samples are given. It returns what
// both are as a number.
func (w *writer) image(width, height, reds, greens int) []int {
	colors := 0
	if greens == 256 {
		colors = w.cache()
	} else {
		w.put(0, 1)
	}
	return w.pixels(width, height, colors, 1, reds, greens, func(int, int) int { return 0 })
}

// prefix is a code: the words of its symbols.
type prefix struct {
	all    []int // symbols
	words  map[int]int
	length map[int]int
}

func (w *writer) symbol(p *prefix, s int) { w.put(p.words[s], p.length[s]) }

// code writes a code of n symbols, some of which are among those that must be, and has some that are too few.
func (w *writer) code(n, most int, must ...int) *prefix {
	all := slices.Clone(must)
	count := []int{1, 2, 3, most / 4, most}[w.IntN(5)]
	for _, s := range w.Perm(most) {
		if len(all) < count && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	p := w.lengths(all, maxLength)
	if len(all) <= 2 && slices.Max(all) < 256 && w.chance(2) {
		w.put(1, 1)
		w.put(len(all)-1, 1)
		first := slices.Min(all)
		if w.flag(first > 1 || w.chance(2)) {
			w.put(first, 8)
		} else {
			w.put(first, 1)
		}
		if len(all) == 2 {
			w.put(slices.Max(all), 8)
		}
		if len(all) == 1 {
			p.words[first], p.length[first] = 0, 0
		}
		return p
	}
	w.put(0, 1)
	w.coded(p, n)
	if len(all) == 1 {
		p.words[all[0]], p.length[all[0]] = 0, 0
	}
	return p
}

// lengths makes a complete code for symbols.
func (w *writer) lengths(all []int, most int) *prefix {
	leaves := []int{0}
	skewed := w.chance(2)
	for len(leaves) < len(all) {
		i := w.IntN(len(leaves))
		if skewed {
			i = len(leaves) - 1
		}
		for leaves[i] == most {
			i = w.IntN(len(leaves))
		}
		leaves[i]++
		leaves = append(leaves, leaves[i])
	}
	if len(all) == 1 {
		leaves[0] = 1 + w.IntN(most)
	}
	p := &prefix{all, make(map[int]int), make(map[int]int)}
	for i, s := range all {
		p.length[s] = leaves[i]
	}
	word := 0
	sorted := slices.Sorted(slices.Values(all))
	for n := 1; n <= most; n++ {
		for _, s := range sorted {
			if p.length[s] == n {
				p.words[s] = int(bits.Reverse32(uint32(word)) >> (32 - n))
				word++
			}
		}
		word <<= 1
	}
	return p
}

// coded writes the lengths of a code of n symbols, by a code for lengths.
func (w *writer) coded(p *prefix, n int) {
	type step struct{ symbol, extra, bits int }
	var steps []step
	last := 8
	end := n
	for end > 2 && p.length[end-1] == 0 {
		end--
	}
	if w.chance(2) {
		end = n
	}
	for s := 0; s < end; {
		length, run := p.length[s], 1
		for s+run < end && p.length[s+run] == length {
			run++
		}
		switch {
		case w.chance(4) || run < 3 || length > 0 && length != last:
			run = 1
			steps = append(steps, step{length, 0, 0})
		case length > 0:
			run = min(run, 6)
			steps = append(steps, step{16, run - 3, 2})
		case run < 11:
			run = min(run, 10)
			steps = append(steps, step{17, run - 3, 3})
		default:
			run = min(run, 138)
			steps = append(steps, step{18, run - 11, 7})
		}
		if length > 0 {
			last = length
		}
		s += run
	}
	if end < n && len(steps) == 1 { // so few cannot be said
		steps = append(steps, step{0, 0, 0})
	}
	var used []int
	for _, s := range steps {
		if !slices.Contains(used, s.symbol) {
			used = append(used, s.symbol)
		}
	}
	c := w.lengths(used, 7)
	w.put(15, 4)
	for _, s := range order {
		w.put(c.length[int(s)], 3)
	}
	if len(used) == 1 {
		c.words[used[0]], c.length[used[0]] = 0, 0
	}
	// How many steps there are is said unless they reach the end.
	if w.flag(end < n || len(steps) >= 2 && w.chance(3)) {
		size := 0
		for 2+2*size < bits.Len(uint(len(steps)-2)) {
			size++
		}
		w.put(size, 3)
		w.put(len(steps)-2, 2+2*size)
	}
	for _, s := range steps {
		w.symbol(c, s.symbol)
		w.put(s.extra, s.bits)
	}
}

// pixels writes codes and pixels, as image does.
func (w *writer) pixels(width, height, colors, groups, reds, greens int, groupOf func(x, y int) int) []int {
	codes := make([][codesOfGroup]*prefix, groups)
	for i := range codes {
		must := []int{w.IntN(greens)}
		if colors > 0 {
			must = append(must, cacheSymbols+w.IntN(colors))
		}
		if w.copy > 0 {
			must = append(must, literals+w.IntN(lengthCodes-1), cacheSymbols-1)
		}
		codes[i][green] = w.code(cacheSymbols+colors, greens, must...)
		if reds == anyRed {
			codes[i][red] = w.code(256, 256, w.IntN(256))
		} else {
			codes[i][red] = w.code(256, 0, reds)
		}
		codes[i][blue] = w.code(256, 256, w.IntN(256))
		codes[i][alpha] = w.code(256, 256, w.IntN(256))
		codes[i][distance] = w.code(symbols[distance], symbols[distance], w.IntN(symbols[distance]))
	}
	made := make([]int, 0, width*height)
	for len(made) < width*height {
		x, y := len(made)%width, len(made)/width
		c := &codes[groupOf(x, y)]
		s := c[green].all[w.IntN(len(c[green].all))]
		if s >= literals && s < cacheSymbols {
			length, extra, size := w.extended(s - literals)
			d := c[distance].all[w.IntN(len(c[distance].all))]
			code, more, bits := w.extended(d)
			back := (&pixels{width: width}).distance(code)
			if back > len(made) || length > width*height-len(made) || w.copy == 0 || !w.chance(w.copy) {
				continue
			}
			w.symbol(c[green], s)
			w.put(extra, size)
			w.symbol(c[distance], d)
			w.put(more, bits)
			for range length {
				made = append(made, made[len(made)-back])
			}
			continue
		}
		w.symbol(c[green], s)
		if s < literals {
			for _, i := range []int{red, blue, alpha} {
				w.symbol(c[i], c[i].all[w.IntN(len(c[i].all))])
			}
		}
		made = append(made, max(reds, 0)<<8|s)
	}
	return made
}

// extended returns a number whose prefix is a symbol, and the bits that follow.
func (w *writer) extended(symbol int) (n, extra, size int) {
	if symbol < 4 {
		return symbol + 1, 0, 0
	}
	size = (symbol - 2) >> 1
	extra = w.IntN(1 << size)
	return (2+symbol&1)<<size + extra + 1, extra, size
}
