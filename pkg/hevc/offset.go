package hevc

// part is some rows of a coding tree block of a component.
type part struct {
	comp                     int
	column, row              int // of the block
	left, top, right, bottom int // samples of the block
	from, to                 int // rows
	depth                    int
	*sao
	around [3][3]bool // blocks that edges are looked for in, by y and x; itself is in the middle
}

// putOut stores rows of a component as 8-bit samples in the picture, with their offsets (8.7.3).
func (d *decoder) putOut(comp, from, to int) {
	seq := d.seq
	out := &d.out.Planes[comp]
	b := &d.bands[comp]
	left, top := seq.left>>seq.across(comp), seq.top>>seq.down(comp)
	from, to = max(from, top), min(to, top+out.Height)
	depth := seq.depthOf(comp)
	if !d.filtered || !seq.sao {
		for y := from; y < to; y++ {
			narrow(out.Pix[(y-top)*out.Stride:][:out.Width], b.pix[d.at(comp, left, y):], depth-8)
		}
		return
	}
	width, height := 1<<seq.log2CTB>>seq.across(comp), 1<<seq.log2CTB>>seq.down(comp)
	for ; from < to; from = (from/height + 1) * height {
		p := part{comp: comp, row: from / height, from: from, to: min(to, (from/height+1)*height), depth: depth}
		p.top, p.bottom = p.row*height, min((p.row+1)*height, seq.height>>seq.down(comp))
		for p.column = left / width; p.column*width < left+out.Width; p.column++ {
			p.left, p.right = p.column*width, min((p.column+1)*width, seq.width>>seq.across(comp))
			p.sao = &d.saos[p.row*d.across+p.column]
			first, last := max(p.left, left), min(p.right, left+out.Width)
			if p.kind[comp] == 2 {
				d.lookAround(&p)
			}
			for y := p.from; y < p.to; y++ {
				row := b.pix[d.at(comp, p.left, y):][:p.right-p.left]
				switch p.kind[comp] {
				case 1:
					p.bands(d.turned[:len(row)], row)
					row = d.kept(&p, row, y)
				case 2:
					p.edges(d.turned[:len(row)], b, d.at(comp, p.left, y), y)
					row = d.kept(&p, row, y)
				}
				narrow(out.Pix[(y-top)*out.Stride+first-left:][:last-first], row[first-p.left:], depth-8)
			}
		}
	}
}

// kept returns the offset row of samples in d.turned. What is coded without loss stays as it is in row.
func (d *decoder) kept(p *part, row []uint16, y int) []uint16 {
	out := d.turned[:len(row)]
	seq := d.seq
	if !d.pic.bypass && !(seq.pcm && seq.pcmUnfiltered) {
		return out
	}
	right := seq.across(p.comp)
	units := d.units[y<<seq.down(p.comp)>>3*d.unitsAcross:]
	for x := range out {
		if units[(p.left+x)<<right>>3]&lossless != 0 {
			out[x] = row[x]
		}
	}
	return out
}

// bands offsets samples whose value is in one of four bands of 32.
func (p *part) bands(out, row []uint16) {
	var table [32]int16
	for i, o := range p.offsets[p.comp] {
		table[(int(p.class[p.comp])+i)&31] = o
	}
	shift := p.depth - 5
	most := int32(1)<<p.depth - 1
	for x, v := range row {
		out[x] = uint16(clamp(int32(v)+int32(table[v>>shift&31]), 0, most))
	}
}

// lookAround finds out beyond which sides of a block edges may be looked for.
func (d *decoder) lookAround(p *part) {
	own := d.sliceOf[p.row*d.across+p.column]
	for i := range 3 {
		for j := range 3 {
			x, y := p.column+j-1, p.row+i-1
			ok := x >= 0 && y >= 0 && x < d.across && y < d.down
			if ok {
				at := y*d.across + x
				other := d.sliceOf[at]
				if other < 0 || d.slices[other].start != d.slices[own].start && !d.slices[max(own, other)].across ||
					!d.pic.loopAcrossTiles && d.tileOf[at] != d.tileOf[p.row*d.across+p.column] {
					ok = false
				}
			}
			p.around[i][j] = ok
		}
	}
}

// edges offsets the samples of row y that are lower or higher than two neighbors in a direction.
func (p *part) edges(out []uint16, b *band, at, y int) {
	var dx, dy int
	switch p.class[p.comp] {
	case 0:
		dx = 1
	case 1:
		dy = 1
	case 2:
		dx, dy = 1, 1
	case 3:
		dx, dy = -1, 1
	}
	o := &p.offsets[p.comp]
	// By 2 + the signs of both differences.
	table := [8]int16{o[0], o[1], 0, o[2], o[3]}
	row := b.pix[at:][:len(out)]
	before, behind := b.pix[at-dy*b.stride-dx:], b.pix[at+dy*b.stride+dx:]
	above, below := 1, 1 // rows of p.around
	if y == p.top {
		above -= dy
	}
	if y == p.bottom-1 {
		below += dy
	}
	most := int32(1)<<p.depth - 1
	copy(out, row)
	// Samples whose two neighbors are in blocks of the columns i and j.
	apply := func(from, to, i, j int) {
		if !p.around[above][i] || !p.around[below][j] {
			return
		}
		for x := from; x < to; x++ {
			v := int32(row[x])
			k := 2 + sign(v-int32(before[x])) + sign(v-int32(behind[x]))
			out[x] = uint16(clamp(v+int32(table[k&7]), 0, most))
		}
	}
	if dx == 0 {
		apply(0, len(out), 1, 1)
		return
	}
	n := len(out) - 1
	if dx > 0 {
		apply(0, 1, 0, 1)
		apply(1, n, 1, 1)
		apply(n, n+1, 1, 2)
		return
	}
	apply(0, 1, 1, 0)
	apply(1, n, 1, 1)
	apply(n, n+1, 2, 1)
}

func sign(v int32) int32 { return v>>31 - -v>>31 }

// plainNarrow stores samples of 8+shift bits as of 8.
func plainNarrow(out []byte, row []uint16, shift int) {
	row = row[:len(out)]
	for x, v := range row {
		out[x] = byte(v >> (shift & 15))
	}
}
