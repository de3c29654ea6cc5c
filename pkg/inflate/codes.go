package inflate

// codes decodes a block's symbols until limit is reached or the block ends. limit leaves slack bytes behind it.
func (r *Reader) codes(limit int) error {
	for r.end < limit && r.state == inCodes {
		if r.in.end-r.in.pos < padding && !r.in.last {
			r.in.restage()
		}
		if err := r.fast(limit); err != nil {
			return err
		}
		if r.end >= limit || r.state != inCodes {
			return nil
		}
		if !r.in.last {
			continue
		}
		if err := r.symbol(); err != nil {
			return err
		}
	}
	return nil
}

// fast decodes symbols while both input and output have room for a whole round, so that it checks them once a round.
//
// Between two loads at most 56 bits may be used: four literals of up to 11 bits, or a literal beyond the first table,
// 15 bits; or, with a load of its own, a length (20 bits) and a distance (28).
func (r *Reader) fast(limit int) error {
	in := &r.in
	acc, n, pos := in.acc, in.n, in.pos
	last := in.end - padding // the last place to begin a round: it loads twice, at most 8 bytes on each time
	out, w := r.out, r.end
	lit, dist := &r.lit, &r.dist
	stage := &in.stage
	var fault error
	for pos <= last && w < limit {
		acc |= load64(stage[pos:pos+8]) << (n & 63)
		pos += int(63-n) >> 3
		n |= 56
		e := lit[acc&(1<<litBits-1)]
		if e&isLiteral != 0 {
			o := out[w : w+4]
			acc >>= e & 63
			n -= uint(e & 63)
			o[0] = byte(e >> 16)
			e = lit[acc&(1<<litBits-1)]
			if e&isLiteral != 0 {
				acc >>= e & 63
				n -= uint(e & 63)
				o[1] = byte(e >> 16)
				e = lit[acc&(1<<litBits-1)]
				if e&isLiteral != 0 {
					acc >>= e & 63
					n -= uint(e & 63)
					o[2] = byte(e >> 16)
					e = lit[acc&(1<<litBits-1)]
					if e&isLiteral != 0 {
						acc >>= e & 63
						n -= uint(e & 63)
						o[3] = byte(e >> 16)
						w += 4
						continue
					}
					w += 3
				} else {
					w += 2
				}
			} else {
				w++
			}
			acc |= load64(stage[pos:pos+8]) << (n & 63)
			pos += int(63-n) >> 3
			n |= 56
		}
		if e&isOther != 0 {
			if e&isLink == isLink {
				sub := uint(e >> 8 & 15)
				acc >>= e & 63
				n -= uint(e & 63)
				e = lit[(uint(e>>16)+uint(acc)&(1<<sub-1))%litTableSize]
			}
			if e&isLiteral != 0 {
				acc >>= e & 63
				n -= uint(e & 63)
				out[w] = byte(e >> 16)
				w++
				continue
			}
			if e&isOther != 0 {
				if e&isEnd != isEnd {
					fault = corruptf("a literal or length has no code")
					break
				}
				acc >>= e & 63
				n -= uint(e & 63)
				r.state = inHeader
				break
			}
		}
		length := int(e>>16) + int(acc&(1<<(e&63)-1)>>(e>>8&15))
		acc >>= e & 63
		n -= uint(e & 63)
		d := dist[acc&(1<<distBits-1)]
		if d&isOther != 0 {
			if d&isLink == isLink {
				sub := uint(d >> 8 & 15)
				acc >>= d & 63
				n -= uint(d & 63)
				d = dist[(uint(d>>16)+uint(acc)&(1<<sub-1))%distTableSize]
			}
			if d&isOther != 0 {
				fault = corruptf("a distance has no code")
				break
			}
		}
		back := int(d>>16) + int(acc&(1<<(d&63)-1)>>(d>>8&15))
		acc >>= d & 63
		n -= uint(d & 63)
		if back > w {
			fault = corruptf("a match begins before the data does")
			break
		}
		repeat(out, w, back, length)
		w += length
	}
	in.acc, in.n, in.pos = acc&(1<<(n&63)-1), n&63, pos
	r.end = w
	return fault
}

// repeat copies length bytes to at from back bytes before it. It may write up to 16 bytes more.
func repeat(out []byte, at, back, length int) {
	if back >= 8 {
		from := at - back
		for {
			dst, src := out[at:at+16], out[from:from+16]
			store64(dst, load64(src))
			store64(dst[8:], load64(src[8:]))
			if length -= 16; length <= 0 {
				return
			}
			at += 16
			from += 16
		}
	}
	if back == 1 {
		v := uint64(out[at-1]) * 0x0101010101010101
		for {
			dst := out[at : at+16]
			store64(dst, v)
			store64(dst[8:], v)
			if length -= 16; length <= 0 {
				return
			}
			at += 16
		}
	}
	// Repeat the pattern until it is so long that words can be copied without overlap.
	dst := out[at : at+16]
	src := out[at-back : at-back+16]
	for i := range 16 {
		dst[i] = src[i]
	}
	if length > 16 {
		wide := back * [8]int{0, 8, 4, 3, 2, 2, 2, 2}[back&7]
		repeat(out, at+16, wide, length-16)
	}
}

// symbol decodes one symbol near the end of the data. It changes nothing when the data ends within.
func (r *Reader) symbol() error {
	in := &r.in
	in.need(48)
	acc, have, used := in.acc, in.n, uint(0)
	look := func(table []uint32, first uint) uint32 {
		e := table[acc&(1<<first-1)]
		if e&isLink == isLink {
			sub := e >> 8 & 15
			acc >>= e & 63
			used += uint(e & 63)
			e = table[(e>>16)+uint32(acc)&(1<<sub-1)]
		}
		return e
	}
	e := look(r.lit[:], litBits)
	length := int(e>>16) + int(acc&(1<<(e&63)-1)>>(e>>8&15))
	acc >>= e & 63
	if used += uint(e & 63); used > have {
		return ErrTruncated
	}
	switch {
	case e&isLiteral != 0:
		r.out[r.end] = byte(e >> 16)
		r.end++
	case e&isEnd == isEnd:
		r.state = inHeader
	case e&isOther != 0:
		return corruptf("a literal or length has no code")
	default:
		d := look(r.dist[:], distBits)
		back := int(d>>16) + int(acc&(1<<(d&63)-1)>>(d>>8&15))
		acc >>= d & 63
		used += uint(d & 63)
		switch {
		case used > have:
			return ErrTruncated
		case d&isOther != 0:
			return corruptf("a distance has no code")
		case back > r.end:
			return corruptf("a match begins before the data does")
		}
		repeat(r.out, r.end, back, length)
		r.end += length
	}
	in.acc, in.n = acc, have-used
	return nil
}
