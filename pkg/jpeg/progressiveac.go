package jpeg

import mathbits "math/bits"

// band is a scan of AC coefficients of one component, start to end, while it is decoded.
//
// Positions are shifted by 63 - end, so that a block ends with 64 whatever the band, and the tables of tables.go
// serve. Only masks are as in coefficients.
type band struct {
	*codes
	*entropy
	coefs *coefficients
	start uint // first position, shifted
	last  uint // last position whose value or mask matters, shifted; what follows is passed over
	shift uint
	low   uint       // the bit coded
	mask  uint64     // of the band
	place [256]uint8 // by shifted position; 0 for values not wanted
}

// bandScan decodes a scan of AC coefficients.
func (d *Decoder) bandScan(p *parser, s selected, scale Scale) error {
	f := &p.frame.components[s.components[0]]
	g := &grid{mcusX: f.blocksX, mcusY: f.blocksY}
	b := &band{
		entropy: &d.entropy,
		coefs:   &d.coefs[s.components[0]],
		shift:   uint(63 - s.end),
		low:     s.low,
		mask:    bandMask(s.start, s.end),
	}
	b.start = uint(s.start) + b.shift
	for k := s.start; k <= s.end; k++ {
		b.place[uint(k)+b.shift] = places[scale][k]
	}
	switch {
	case s.track:
		b.last = 63
	case s.values:
		b.last = min(lastNeeded[scale]+b.shift, 63)
	}
	decode := b.first
	b.codes = d.cache.get(nil, s.ac[0], bandFirst)
	if s.high > 0 {
		decode = b.refined
		b.codes = d.cache.get(nil, s.ac[0], bandRefined)
	}
	return b.segments(p, s.scan, g, func(mcu, count int) (int, fault) {
		return decode(mcu/g.mcusX*b.coefs.stride+mcu%g.mcusX, count)
	})
}

// first decodes blocks of one row in the first scan of a band.
func (b *band) first(block, count int) (done int, f fault) {
	r := b.r
	for ; done < count && r.consumed() <= b.entropy.end; done++ {
		if b.blocksEnd > 0 { // a run of blocks with nothing in this band
			passed := min(b.blocksEnd, count-done)
			b.blocksEnd -= passed
			done += passed - 1
			continue
		}
		if r, f = b.fresh(r, block+done, b.start); f != noFault {
			break
		}
	}
	b.r = r
	return done, f
}

// fresh decodes the rest of a block, from k on, where no coefficient is known yet.
func (b *band) fresh(r bits, block int, k uint) (bits, fault) {
	w, mask := &b.window, uint64(0)
	values := b.coefs.values[block*b.coefs.each:][:b.coefs.each]
	for {
		next := k
		for k <= b.last {
			r = r.refilled(w)
			t := b.value[r.acc>>(64-valueBits)]
			next = k + uint(t>>8)&255
			if next > 64 && !blockEnds(next) {
				break
			}
			r = r.drop(uint(t))
			if t&valueFollows != 0 {
				r, t = completed(w, r, t)
			}
			second, first := k+uint(t>>24)&255, k+uint(t>>16)&255
			values[b.place[uint8(second)]] = int16(t>>48) << b.low
			values[b.place[uint8(first)]] = int16(t>>32) << b.low
			mask |= 1<<second | 1<<first
			k = next
		}
		for next == k && k < 64 {
			r = r.refilled(w)
			t := b.skips.widest(r)
			next = k + t>>8
			if next > 64 && !blockEnds(next) {
				break
			}
			r = r.drop(uint(t))
			k = next
		}
		if k >= 64 {
			break
		}
		var v int32
		var f fault
		if r, v, k, f = b.symbol(r, k); f != noFault {
			return r, f
		}
		if v != 0 {
			values[b.place[uint8(k-1)]] = int16(v << b.low)
			mask |= 1 << (k - 1)
		}
	}
	b.coefs.masks[block] |= mask >> b.shift
	return r, noFault
}

// symbol decodes one symbol at k where no coefficient is known yet, and returns the value, at the next k - 1, or 0.
// An end of block may begin a run of blocks.
func (b *band) symbol(r bits, k uint) (_ bits, v int32, next uint, f fault) {
	r, symbol, ok := b.ac.next(r.refilled(&b.window))
	if !ok {
		return r, 0, k, badCode
	}
	s, known := sequentialAC(symbol)
	if s.advance == endOfBlock {
		return b.endRun(r, symbol), 0, k + endOfBlock, noFault
	}
	if b.use == bandRefined {
		_, known = refinedAC(symbol)
	}
	if !known {
		return r, 0, k, badCode
	}
	if k+s.advance > 64 {
		return r, 0, k, pastBlock
	}
	if s.size > 0 {
		r, v = r.receive(s.size)
	}
	return r, v, k + s.advance, noFault
}

// endRun reads how many blocks an end-of-block symbol ends. The first of them is the current one.
func (b *band) endRun(r bits, symbol byte) bits {
	size := uint(symbol >> 4)
	b.blocksEnd = 1<<size - 1
	if size > 0 {
		b.blocksEnd += int(r.acc >> (64 - size))
	}
	return r.drop(size)
}

// refined decodes blocks of one row in a scan that refines a band.
func (b *band) refined(block, count int) (done int, f fault) {
	r := b.r
	for ; done < count && r.consumed() <= b.entropy.end; done++ {
		at := block + done
		known := b.coefs.masks[at] & b.mask
		k := b.start
		if b.blocksEnd > 0 {
			b.blocksEnd--
			r = b.correct(r, at, known)
			continue
		}
		for known != 0 && k < 64 && f == noFault {
			r, known, k, f = b.passing(r, at, known, k)
		}
		if k < 64 && f == noFault {
			r, f = b.fresh(r, at, k)
		}
		if f != noFault {
			break
		}
	}
	b.r = r
	return done, f
}

// passing decodes one symbol at k where coefficients in front are known: those that the symbol passes over are
// corrected. It returns those that remain in front.
func (b *band) passing(r bits, block int, known uint64, k uint) (_ bits, ahead uint64, next uint, f fault) {
	r, symbol, ok := b.ac.next(r.refilled(&b.window))
	if !ok {
		return r, known, k, badCode
	}
	run, size := uint(symbol>>4), symbol&15
	if size > 1 {
		return r, known, k, badCode
	}
	if size == 0 && run < 15 {
		r = b.endRun(r, symbol)
		return b.correct(r, block, known), 0, endOfBlock, noFault
	}
	value := int16(-1) << b.low
	if size == 1 {
		if r.acc>>63 == 1 {
			value = 1 << b.low
		}
		r = r.drop(1)
	}
	// The target is the zero behind run zeros.
	zeros := b.mask &^ known &^ (1<<(k-b.shift) - 1)
	for range run {
		zeros &= zeros - 1
	}
	if zeros == 0 {
		return r, known, k, pastBlock
	}
	target := uint(mathbits.TrailingZeros64(zeros))
	passed := known & (1<<target - 1)
	r = b.correct(r, block, passed)
	if size == 1 {
		b.coefs.values[block*b.coefs.each+int(b.place[target+b.shift])] = value
		b.coefs.masks[block] |= 1 << target
	}
	return r, known &^ passed, target + 1 + b.shift, noFault
}

// correct reads a bit for each of the coefficients in passed, in order, and moves those whose bit is 1 away from
// zero.
func (b *band) correct(r bits, block int, passed uint64) bits {
	if passed == 0 {
		return r
	}
	values := b.coefs.values[block*b.coefs.each:][:b.coefs.each]
	r = r.refilled(&b.window)
	for passed != 0 {
		k := uint(mathbits.TrailingZeros64(passed)) + b.shift
		if k > b.last {
			break
		}
		if r.n&63 == 0 {
			r = r.refilled(&b.window)
		}
		if place := b.place[k&255]; r.acc>>63 == 1 {
			v := values[place]
			values[place] = v + (v>>15|1)<<b.low
		}
		r = r.drop(1)
		passed &= passed - 1
	}
	count := uint(mathbits.OnesCount64(passed)) // these are not wanted
	r = r.refilled(&b.window)
	r = r.drop(min(count, 56))
	if count > 56 {
		r = r.refilled(&b.window).drop(count - 56)
	}
	return r
}
