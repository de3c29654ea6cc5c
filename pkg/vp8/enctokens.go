package vp8

// A token is a bit of the coefficients, with what it is coded by: one of the probabilities that are known once all bits
// are counted, or one of 256 fixed ones behind them (libwebp, src/enc/token_enc.c).
const (
	countedProbs = 4 * 8 * 3 * 11
	tokenBit     = 1 << 15
)

// mostTokens is how many a block has at most. For each level they say whether it is there, is not 0, and is more than
// 1, 4 and 10; then come two for its category, eleven bits and its sign.
const mostTokens = 16 * (5 + 2 + 11 + 1)

const tokensPerPage = 1 << 16

// tokenBuffer keeps tokens in their order, and counts them.
type tokenBuffer struct {
	pages  [][]uint16
	counts [countedProbs]uint64 // ones; and in the upper half, zeros and ones
}

// tokenRun are the tokens of a block.
type tokenRun struct {
	tokens *[mostTokens]uint16
	n      int
	counts *[countedProbs]uint64
}

// counted adds a bit of one of the counted probabilities.
func (t *tokenRun) counted(prob int, bit bool) {
	v := one(bit)
	t.tokens[t.n] = uint16(v*tokenBit | prob)
	t.n++
	t.counts[prob] += uint64(1<<32 | v)
}

// fixed adds a bit of a fixed probability.
func (t *tokenRun) fixed(p uint8, bit bool) {
	t.tokens[t.n] = uint16(one(bit)*tokenBit | countedProbs + int(p))
	t.n++
}

// clear forgets all tokens, but not their memory.
func (t *tokenBuffer) clear() {
	t.pages = t.pages[:0]
	t.counts = [countedProbs]uint64{}
}

// page returns a page that has room for a block.
func (t *tokenBuffer) page() *[]uint16 {
	last := len(t.pages) - 1
	if last < 0 || len(t.pages[last])+mostTokens > cap(t.pages[last]) {
		t.pages = append(t.pages, make([]uint16, 0, tokensPerPage))
		last++
	}
	return &t.pages[last]
}

// block records the levels of a block from position first on, if there are any.
func (t *tokenBuffer) block(plane int, levels *[16]int16, first int, any bool, context uint8) {
	last := lastOf(levels, any)
	page := t.page()
	at := len(*page)
	r := tokenRun{tokens: (*[mostTokens]uint16)((*page)[at : at+mostTokens]), counts: &t.counts}
	probs := func(n int, context int) int { return ((plane*8+int(bands[n]))*3 + context) * 11 }
	p := probs(first, int(context))
	r.counted(p, last >= first)
	for n := first; n <= last; {
		level := int(levels[n])
		size := max(level, -level)
		n++
		r.counted(p+1, size != 0)
		if size == 0 {
			p = probs(n, 0)
			continue
		}
		r.counted(p+2, size > 1)
		next := 1
		if size > 1 {
			r.large(p, size)
			next = 2
		}
		r.fixed(128, level < 0)
		p = probs(n, next)
		if n < 16 {
			r.counted(p, n <= last)
		}
	}
	*page = (*page)[:at+r.n]
}

// large adds what says how large a level of 2 or more is (RFC 6386, section 13.2).
func (t *tokenRun) large(p, size int) {
	t.counted(p+3, size > 4)
	if size <= 4 {
		if t.counted(p+4, size > 2); size > 2 {
			t.counted(p+5, size == 4)
		}
		return
	}
	t.counted(p+6, size > 10)
	if size <= 10 {
		if t.counted(p+7, size > 6); size <= 6 {
			t.fixed(159, size == 6)
			return
		}
		t.fixed(165, size >= 9)
		t.fixed(145, size&1 == 0)
		return
	}
	category := categoryOf(size)
	t.counted(p+8, category >= 2)
	t.counted(p+9+category>>1, category&1 == 1)
	rest, n := size-3-8<<category, categoryBits[category]
	for i := range n {
		t.fixed(categories[category][i], rest>>(n-1-i)&1 == 1)
	}
}

// chooseProbs sets the probabilities of tokens: those of the bits counted so far where they save more than it takes to
// write them into the header, and else the default. It returns whether any is not the default.
func (t *tokenBuffer) chooseProbs(probs *tokenProbs) {
	i := 0
	for plane := range probs {
		for band := range probs[plane] {
			for context := range probs[plane][band] {
				for p := range probs[plane][band][context] {
					ones, all := int(uint32(t.counts[i])), int(t.counts[i]>>32)
					i++
					usual, rare := defaultTokenProbs[plane][band][context][p], updateProbs[plane][band][context][p]
					own := uint8(255)
					if ones > 0 {
						own = uint8(255 - ones*255/all)
					}
					spent := func(p uint8) int { return ones*bitCost(true, p) + (all-ones)*bitCost(false, p) }
					if spent(usual)+bitCost(false, rare) <= spent(own)+bitCost(true, rare)+8*256 {
						own = usual
					}
					probs[plane][band][context][p] = own
				}
			}
		}
	}
}

// write codes all tokens.
func (t *tokenBuffer) write(w *boolWriter, probs *tokenProbs) {
	var all [countedProbs + 256]uint8
	i := 0
	for plane := range probs {
		for band := range probs[plane] {
			for context := range probs[plane][band] {
				i += copy(all[i:], probs[plane][band][context][:])
			}
		}
	}
	for p := range 256 {
		all[countedProbs+p] = uint8(p)
	}
	for _, page := range t.pages {
		for _, token := range page {
			w.bit(all[token&(tokenBit-1)], token&tokenBit != 0)
		}
	}
}
