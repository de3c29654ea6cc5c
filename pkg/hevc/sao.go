package hevc

// sao is how the samples of a coding tree block are offset (7.3.8.3).
type sao struct {
	kind    [3]uint8 // 0 not at all, 1 by bands of values, 2 by edges
	class   [3]uint8 // the direction of edges, or the first band
	offsets [3][4]int16
}

// parseSAO reads the offsets of a coding tree block.
func (d *decoder) parseSAO() {
	p := &d.saos[d.address]
	*p = sao{}
	if !d.s.sao[0] && !d.s.sao[1] {
		return
	}
	c := &d.c
	if d.near.left && c.flag(ctxSAOMerge) {
		*p = d.saos[d.address-1]
		return
	}
	if d.near.above && c.flag(ctxSAOMerge) {
		*p = d.saos[d.address-d.across]
		return
	}
	for comp := range d.seq.components() {
		if !d.s.sao[min(comp, 1)] {
			continue
		}
		if comp == 2 {
			p.kind[2], p.class[2] = p.kind[1], p.class[1]
		} else if c.flag(ctxSAOType) {
			p.kind[comp] = 1 + uint8(c.bypass())
		}
		if p.kind[comp] == 0 {
			continue
		}
		depth := d.seq.depthOf(comp)
		most := 1<<(min(depth, 10)-5) - 1
		o := &p.offsets[comp]
		for i := range o {
			n := 0
			for n < most && c.bypass() != 0 {
				n++
			}
			o[i] = int16(n)
		}
		if p.kind[comp] == 1 {
			for i := range o {
				if o[i] != 0 && c.bypass() != 0 {
					o[i] = -o[i]
				}
			}
			p.class[comp] = uint8(c.number(5))
		} else {
			o[2], o[3] = -o[2], -o[3]
			if comp < 2 {
				p.class[comp] = uint8(c.number(2))
			}
		}
		for i := range o {
			o[i] <<= d.pic.saoShift[min(comp, 1)]
		}
	}
}
