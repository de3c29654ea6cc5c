package hevc

import "math/bits"

// levels are the steps of quantizers.
type levels struct {
	qp     int    // for which the others are
	offset [2]int // of chroma, for which
	slice  *slice
	of     [3]int // qP of components
}

// levelScale is that of 8.6.4.2.
var levelScale = [6]int{40, 45, 51, 57, 64, 72}

// chromaQPs is table 8-10 from 30 on: QpC of 4:2:0.
var chromaQPs = [14]uint8{29, 30, 31, 32, 33, 33, 34, 34, 35, 35, 36, 36, 37, 37}

// chromaQP returns QpC of an index.
func (s *sequence) chromaQP(index int) int {
	switch {
	case s.chroma != 1:
		return min(index, 51)
	case index < 30:
		return index
	case index > 43:
		return index - 6
	}
	return int(chromaQPs[index-30])
}

func (d *decoder) prepareLevels() { d.levels = levels{} }

// quantizer returns qP of a component (8.6.1).
func (d *decoder) quantizer(comp int) int {
	l := &d.levels
	if l.slice != d.s || l.qp != d.qp || l.offset != d.unit.chromaOffset {
		l.slice, l.qp, l.offset = d.s, d.qp, d.unit.chromaOffset
		l.of[0] = d.qp + 6*(d.seq.depth[0]-8)
		span := 6 * (d.seq.depth[1] - 8)
		for i := range 2 {
			index := max(-span, min(57, d.qp+d.s.chromaQP[i]+d.unit.chromaOffset[i]))
			l.of[1+i] = d.seq.chromaQP(index) + span
		}
	}
	return l.of[comp]
}

// residual reads the coefficients of a block (7.3.8.11), and adds what they say to the samples from x, y of a
// component.
func (d *decoder) residual(comp, x, y, log2, mode int) {
	c, seq := &d.c, d.seq
	skip := d.pic.transformSkip && !d.bypass && log2 <= d.pic.log2MaxSkip && c.flag(ctxTransformSkip+min(comp, 1))
	order := d.scanOf(comp, log2, mode)
	lastX, lastY := d.lastPlace(comp, log2)
	if order == vertical {
		lastX, lastY = lastY, lastX
	}
	plain := skip || d.bypass
	differences := plain && seq.implicitRDPCM && (mode == modeHorizontal || mode == modeVertical)
	hideSigns := d.pic.hideSigns && !d.bypass && !differences

	// The step of the quantizer (8.6.4.2).
	qp := d.quantizer(comp)
	depth := seq.depthOf(comp)
	shift := depth + log2 - 5
	step := levelScale[qp%6] << (qp / 6)
	var factors []uint8
	if seq.scaled && !(skip && log2 > 2) {
		factors = seq.factors(d.pic, log2, comp)
	} else {
		step *= 16
	}
	round := 1 << shift >> 1

	groupOrder := &scanOrders[log2-2][order]
	inGroup := &scanOrders[2][order]
	lastGroup, lastIndex := 0, 0
	for groupOrder[lastGroup] != (place{uint8(lastX >> 2), uint8(lastY >> 2)}) {
		lastGroup++
	}
	for inGroup[lastIndex] != (place{uint8(lastX & 3), uint8(lastY & 3)}) {
		lastIndex++
	}

	var coded [9][9]uint8 // coded_sub_block_flag, by y and x
	colored := min(comp, 1)
	greater1 := 1 // greater1Ctx
	usedX, usedY := 0, 0
	coefficients := d.coefficients[:1<<(2*log2)]
	for g := lastGroup; g >= 0; g-- {
		gx, gy := int(groupOrder[g].x), int(groupOrder[g].y)
		around := coded[gy][gx+1] | coded[gy+1][gx]<<1
		inferred := false
		if g < lastGroup && g > 0 {
			context := ctxCodedSubBlock + 2*colored
			if around != 0 {
				context++
			}
			if !c.flag(context) {
				continue
			}
			inferred = true
		}
		coded[gy][gx] = 1

		// The context of each flag is base + offsets[n], but for the first coefficient of the block.
		var offsets *[16]uint8
		base := ctxSignificant
		first := base // of the coefficient 0, 0
		switch {
		case seq.skipContext && plain:
			offsets = &zeroOffsets
			base += 42 + colored
			first = base
		case log2 == 2:
			offsets = &significances.small[order]
			base += 27 * colored
			first = base
		default:
			offsets = &significances.groups[order][around]
			if comp == 0 {
				if g > 0 {
					base += 3
				}
				if log2 == 3 {
					base += 9
					if order != diagonal {
						base += 6
					}
				} else {
					base += 21
				}
			} else {
				first += 27
				base += 27 + 12
				if log2 == 3 {
					base -= 3
				}
			}
		}
		significant := uint32(0)
		n := 15
		if g == lastGroup {
			significant = 1 << lastIndex
			n = lastIndex - 1
		}
		significant |= c.group(base, offsets, n)
		if n >= 0 {
			switch {
			case inferred && significant == 0:
				significant = 1
			case g == 0:
				significant |= uint32(c.bin(first))
			default:
				significant |= uint32(c.bin(base + int(offsets[0])))
			}
		}
		if significant == 0 {
			continue
		}

		// The absolute values, as far as contexts tell them.
		var places [16]uint8
		var values [16]int
		count := 0
		for rest := significant; rest != 0; count++ {
			n := bits.Len32(rest) - 1
			rest &^= 1 << n
			places[count&15] = uint8(n)
			values[count&15] = 1
		}
		set := 0
		if g > 0 && comp == 0 {
			set = 2
		}
		if greater1 == 0 {
			set++
		}
		greater1 = 1
		firstLarge := -1
		for i := range min(count, 8) {
			if c.flag(ctxGreater1 + 16*colored + 4*set + greater1) {
				values[i] = 2
				greater1 = 0
				if firstLarge < 0 {
					firstLarge = i
				}
			} else if greater1 > 0 && greater1 < 3 {
				greater1++
			}
		}
		if firstLarge >= 0 && c.flag(ctxGreater2+4*colored+set) {
			values[firstLarge] = 3
		}
		hidden := hideSigns && places[0]-places[count-1] > 3
		signs := count
		if hidden {
			signs--
		}
		negative := c.number(signs) << (16 - signs)

		rice, kind := 0, 0
		if seq.persistentRices {
			kind = 2 * colored
			if plain {
				kind++
			}
			rice = int(c.rices[kind]) / 4
		}
		learnt := !seq.persistentRices
		sum := 0
		for i := range count {
			least := 2 // the value that more may follow
			if i == firstLarge {
				least = 3
			} else if i >= 8 {
				least = 1
			}
			value := values[i]
			if value == least {
				rest := c.remaining(rice)
				value += rest
				if value > 3<<rice {
					if rice++; !seq.persistentRices {
						rice = min(rice, 4)
					}
				}
				if !learnt {
					learnt = true
					switch s := c.rices[kind]; {
					case rest >= 3<<(s/4):
						c.rices[kind]++
					case 2*rest < 1<<(s/4) && s > 0:
						c.rices[kind]--
					}
				}
			}
			sum += value
			if negative>>(15-i)&1 != 0 {
				value = -value
			}
			if hidden && i == count-1 && sum&1 != 0 {
				value = -value
			}
			p := inGroup[places[i]&15]
			px, py := gx<<2+int(p.x), gy<<2+int(p.y)
			if !d.bypass {
				factor := step
				if factors != nil {
					factor *= int(factors[py<<log2+px])
				}
				value = (max(-32768, min(32767, value))*factor + round) >> shift
			}
			coefficients[py<<log2+px] = int16(max(-32768, min(32767, value)))
		}
		usedX |= gx<<2 | 3
		usedY |= gy<<2 | 3
	}
	d.reconstruct(comp, x, y, log2, block{
		skip: skip, differences: differences, vertical: mode == modeVertical, dst: comp == 0 && log2 == 2,
		usedX: usedX, usedY: usedY,
	})
}

var zeroOffsets [16]uint8

// factors returns the scaling matrix of intra blocks.
func (s *sequence) factors(pic *parameters, log2, comp int) []uint8 {
	f := s.scaling
	if pic.scaled {
		f = pic.scaling
	}
	return f[log2-2][comp]
}

// lastPlace reads where the last coefficient is in the order of decoding (7.4.9.11).
func (d *decoder) lastPlace(comp, log2 int) (x, y int) {
	c := &d.c
	offset, shift := 15, log2-2
	if comp == 0 {
		offset, shift = 3*(log2-2)+(log2-1)>>2, (log2+1)>>2
	}
	most := log2<<1 - 1
	for x < most && c.flag(ctxLastX+offset+x>>shift) {
		x++
	}
	for y < most && c.flag(ctxLastY+offset+y>>shift) {
		y++
	}
	if x > 3 {
		x = (2+x&1)<<(x>>1-1) + c.number(x>>1-1)
	}
	if y > 3 {
		y = (2+y&1)<<(y>>1-1) + c.number(y>>1-1)
	}
	return x, y
}

// remaining decodes coeff_abs_level_remaining (9.3.3.11).
func (c *cabac) remaining(rice int) int {
	prefix := 0
	for c.bypass() != 0 {
		if prefix++; prefix-3+rice > 32 {
			c.bad = true
			return 0
		}
	}
	if prefix < 4 {
		return prefix<<rice + c.number(rice)
	}
	n := prefix - 3 + rice
	v := (1<<(prefix-3) + 2) << rice
	if n > 16 {
		v += c.number(n-16) << 16
		n = 16
	}
	return v + c.number(n)
}
