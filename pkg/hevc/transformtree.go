package hevc

// node is a node of a transform tree.
type node struct {
	x, y         int // in luma samples
	baseX, baseY int // of the parent
	log2         int
	depth, limit int
	index        int      // among the parent's four
	part         int      // of the coding unit
	coded        [2]uint8 // whether Cb and Cr of the parent have coefficients; in its upper half 1, in its lower half 2
}

// transformTree decodes the blocks that a coding unit is transformed in (7.3.8.8).
func (d *decoder) transformTree(n node) {
	c, seq := &d.c, d.seq
	var split bool
	switch {
	case n.log2 > seq.log2MaxTB || d.parted && n.depth == 0:
		split = true
	case n.log2 > seq.log2MinTB && n.depth < n.limit:
		split = c.flag(ctxSplitTransform + 5 - n.log2)
	}
	if n.log2 > 2 && seq.chroma != 0 || seq.chroma == 3 {
		for i := range n.coded {
			if n.coded[i] == 0 {
				continue
			}
			n.coded[i] = uint8(c.bin(ctxCodedChroma + n.depth))
			if seq.chroma == 2 && (!split || n.log2 == 3) {
				n.coded[i] |= uint8(c.bin(ctxCodedChroma+n.depth)) << 1
			}
		}
	} else if seq.chroma == 0 {
		n.coded = [2]uint8{}
	}
	if !split {
		context := ctxCodedLuma
		if n.depth == 0 {
			context++
		}
		d.transformUnit(&n, c.flag(context))
		return
	}
	half := 1 << (n.log2 - 1)
	for i := range 4 {
		if d.broken {
			return
		}
		child := node{
			x: n.x + i&1*half, y: n.y + i>>1*half, baseX: n.x, baseY: n.y, log2: n.log2 - 1, depth: n.depth + 1,
			limit: n.limit, index: i, part: n.part, coded: n.coded,
		}
		if d.parted && n.depth == 0 {
			child.part = i
		}
		d.transformTree(child)
	}
}

// transformUnit predicts the blocks of a unit and adds what is coded (7.3.8.10).
func (d *decoder) transformUnit(n *node, luma bool) {
	seq := d.seq
	d.markEdges(n.x, n.y, 1<<n.log2)
	chroma := n.coded[0]|n.coded[1] != 0
	if luma || chroma {
		if d.pic.qpDelta && !d.qpDeltaCoded {
			d.parseQP()
		}
		if d.s.chromaOffset && chroma && !d.bypass && !d.chromaOffsetCoded {
			d.parseChromaOffset()
		}
	}
	mode := d.modes[n.part]
	d.predict(0, n.x, n.y, n.log2, int(mode))
	if luma {
		d.residual(0, n.x, n.y, n.log2, int(mode))
	}
	if seq.chroma == 0 {
		return
	}
	x, y, log2 := n.x, n.y, n.log2
	if seq.chroma != 3 {
		if log2 == 2 {
			if n.index != 3 {
				return
			}
			x, y, log2 = n.baseX, n.baseY, 3
		}
		log2--
	}
	halves := 1
	if seq.chroma == 2 {
		halves = 2
	}
	mode = d.chromaModes[0]
	if seq.chroma == 3 {
		mode = d.chromaModes[n.part]
	}
	for i := range 2 {
		for half := range halves {
			cx, cy := x>>seq.across(1), y>>seq.down(1)+half<<log2
			d.predict(1+i, cx, cy, log2, int(mode))
			if n.coded[i]>>half&1 != 0 {
				d.residual(1+i, cx, cy, log2, int(mode))
			}
		}
	}
}

// markEdges notes the left and upper edges of a block for deblocking.
func (d *decoder) markEdges(x, y, size int) {
	if !d.s.deblock || !d.filtered {
		return
	}
	at := y>>3*d.unitsAcross + x>>3
	if x&7 == 0 && (x > d.x || d.near.filterLeft) {
		if size == 4 {
			d.units[at] |= leftUpper << (y >> 2 & 1)
		}
		for i := range size >> 3 {
			d.units[at+i*d.unitsAcross] |= leftUpper | leftLower
		}
	}
	if y&7 == 0 && (y > d.y || d.near.filterAbove) {
		if size == 4 {
			d.units[at] |= upperLeft << (x >> 2 & 1)
		}
		for i := range size >> 3 {
			d.units[at+i] |= upperLeft | upperRight
		}
	}
}
