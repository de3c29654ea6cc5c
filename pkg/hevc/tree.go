package hevc

import "github.com/imagefarm/imagefarm/pkg/raster"

// decodeSlice decodes the coding tree blocks of a slice segment (7.3.8.1).
func (d *decoder) decodeSlice(s *slice, data []byte) error {
	if int(d.order[d.next]) != s.address {
		return corrupt("a slice begins at coding tree block %d, where %d is due", s.address, d.order[d.next])
	}
	d.s = s
	d.slices = append(d.slices, s)
	c := &d.c
	// data is the end of d.raw, which may grow.
	var zeros [padding]byte
	c.size = len(data)
	c.data = append(data, zeros[:]...)
	d.broken, c.bad = false, false
	c.start(0)
	d.locate(s.address)
	switch {
	case d.firstOfTile():
		c.reset(s.qp)
	case d.pic.wavefronts && d.firstOfRow():
		d.joinWavefront()
	case s.dependent:
		c.states, c.rices = d.saved.states, d.saved.rices
	default:
		c.reset(s.qp)
	}
	if !s.dependent || d.firstOfTile() || d.pic.wavefronts && d.firstOfRow() {
		d.qp, d.lastQP = s.qp, s.qp
		d.unit.chromaOffset = [2]int{}
	}
	for {
		d.prepare()
		d.parseSAO()
		d.quadtree(d.x, d.y, d.seq.log2CTB, 0)
		if c.beyond() {
			return raster.Truncatedf(format, "coding tree block %d of %d", d.next, len(d.order))
		}
		if d.broken || c.bad {
			return corrupt("coding tree block %d cannot be", d.next)
		}
		if d.pic.wavefronts && d.secondOfRow() {
			d.above.states, d.above.rices = c.states, c.rices
		}
		end := c.terminate()
		d.next++
		if d.next == len(d.order) || int(d.order[d.next])/d.across >= d.bandEnd {
			d.finishBand()
		}
		if end {
			d.saved.states, d.saved.rices = c.states, c.rices
			return nil
		}
		if d.next == len(d.order) {
			return corrupt("a slice that does not end with the picture")
		}
		d.locate(int(d.order[d.next]))
		tile := d.pic.tiles && d.firstOfTile()
		if !tile && !(d.pic.wavefronts && d.firstOfRow()) {
			continue
		}
		if !c.terminate() {
			return corrupt("a part of a slice that does not end at coding tree block %d", d.next)
		}
		c.start(min(c.nextByte(), c.size))
		d.qp, d.lastQP = s.qp, s.qp
		if tile {
			c.reset(s.qp)
		} else {
			d.joinWavefront()
		}
	}
}

// locate goes to a coding tree block.
func (d *decoder) locate(address int) {
	d.address = address
	d.x, d.y = address%d.across<<d.seq.log2CTB, address/d.across<<d.seq.log2CTB
}

func (d *decoder) firstOfTile() bool {
	return d.next == 0 || d.tileOf[d.address] != d.tileOf[d.order[d.next-1]]
}

// firstOfRow reports whether the block is the first of a row of its tile.
func (d *decoder) firstOfRow() bool {
	return d.address%d.across == 0 || d.tileOf[d.address] != d.tileOf[d.address-1]
}

func (d *decoder) secondOfRow() bool {
	x := d.address % d.across
	return x > 0 && d.tileOf[d.address] == d.tileOf[d.address-1] &&
		(x == 1 || d.tileOf[d.address] != d.tileOf[d.address-2])
}

// joinWavefront takes the contexts over that the row above had after two blocks, if they are available (9.3.1).
func (d *decoder) joinWavefront() {
	above := d.address - d.across + 1
	if above > 0 && d.address%d.across+1 < d.across && d.joined(above) {
		d.c.states, d.c.rices = d.above.states, d.above.rices
		return
	}
	d.c.reset(d.s.qp)
}

// joined reports whether a coding tree block is decoded, and of the slice and tile of the one in work (6.4.1).
func (d *decoder) joined(address int) bool {
	i := d.sliceOf[address]
	return i >= 0 && d.slices[i].start == d.s.start && d.tileOf[address] == d.tileOf[d.address]
}

// prepare makes ready for a coding tree block.
func (d *decoder) prepare() {
	d.sliceOf[d.address] = int32(len(d.slices) - 1)
	x, y := d.address%d.across, d.address/d.across
	left, above := d.address-1, d.address-d.across
	d.near = neighbors{
		left: x > 0 && d.joined(left), above: y > 0 && d.joined(above),
		aboveLeft:  x > 0 && y > 0 && d.joined(above-1),
		aboveRight: x+1 < d.across && y > 0 && d.joined(above+1),
	}
	d.near.filterLeft = x > 0 && d.filtersTo(left)
	d.near.filterAbove = y > 0 && d.filtersTo(above)
	for i := range d.modesAbove {
		d.modesAbove[i] = modeDC
	}
	if !d.near.left {
		for i := range d.modesLeft {
			d.modesLeft[i] = modeDC
		}
	}
}

// filtersTo reports whether the edge to a block on the left or above is deblocked.
func (d *decoder) filtersTo(address int) bool {
	if d.tileOf[address] != d.tileOf[d.address] && !d.pic.loopAcrossTiles {
		return false
	}
	i := d.sliceOf[address]
	return i >= 0 && (d.s.across || d.slices[i].start == d.s.start)
}

// quadtree decodes coding blocks (7.3.8.4).
func (d *decoder) quadtree(x, y, log2, depth int) {
	seq := d.seq
	size := 1 << log2
	split := log2 > seq.log2MinCB
	if split && x+size <= seq.width && y+size <= seq.height {
		context := ctxSplitCU
		if (x > d.x || d.near.left) && int(d.depthsLeft[(y-d.y)>>3]) > depth {
			context++
		}
		if (y > d.y || d.near.above) && int(d.depths[x>>3]) > depth {
			context++
		}
		split = d.c.flag(context)
	}
	if d.pic.qpDelta && log2 >= seq.log2CTB-d.pic.qpDeltaDepth {
		d.startQuantGroup(x, y)
	}
	if d.s.chromaOffset && log2 >= seq.log2CTB-d.pic.chromaQPDepth {
		d.chromaOffsetCoded = false
	}
	if !split {
		d.codingUnit(x, y, log2, depth)
		return
	}
	half := size / 2
	for i := range 4 {
		x, y := x+i&1*half, y+i>>1*half
		if x < seq.width && y < seq.height && !d.broken {
			d.quadtree(x, y, log2-1, depth+1)
		}
	}
}

// startQuantGroup predicts the quantizer of a group (8.6.1).
func (d *decoder) startQuantGroup(x, y int) {
	d.qpDeltaCoded = false
	left, above := d.lastQP, d.lastQP
	at := y>>3*d.unitsAcross + x>>3
	if x > d.x {
		left = int(d.qps[at-1])
	}
	if y > d.y {
		above = int(d.qps[at-d.unitsAcross])
	}
	d.predictedQP = (left + above + 1) >> 1
	d.qp = d.predictedQP
}
