package hevc

// tcTable and betaTable are table 8-12.
var tcTable = [54]uint8{
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5,
	5, 6, 6, 7, 8, 9, 10, 11, 13, 14, 16, 18, 20, 22, 24,
}

var betaTable = [52]uint8{
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 22, 24, 26, 28, 30,
	32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62, 64,
}

// edge is how four rows or columns across an edge of luma are filtered.
type edge struct {
	beta, tc     int32
	keepP, keepQ bool // samples before or behind the edge stay as they are
	most         int32
}

// deblock filters the edges of a band (8.7.2): the vertical ones of rows begin to end of luma, and then the horizontal
// ones, the first of which is at begin.
func (d *decoder) deblock(begin, end int) {
	seq := d.seq
	for y := begin; y < end; y += 8 {
		for u := range d.unitsAcross {
			flags := d.units[y>>3*d.unitsAcross+u]
			if flags&(leftUpper|leftLower) != 0 {
				d.edgeOfLuma(u<<3, y, 1, flags)
			}
		}
	}
	for y := begin; y < end; y += 8 {
		for u := range d.unitsAcross {
			flags := d.units[y>>3*d.unitsAcross+u]
			if flags&(upperLeft|upperRight) != 0 {
				d.edgeOfLuma(u<<3, y, 0, flags>>2)
			}
		}
	}
	if seq.chroma == 0 {
		return
	}
	// Edges of chroma are filtered where they are 8 samples apart.
	maskX, maskY := 8<<seq.across(1)-1, 8<<seq.down(1)-1
	for y := begin; y < end; y += 8 {
		for x := 0; x < seq.width; x += maskX + 1 {
			if flags := d.units[y>>3*d.unitsAcross+x>>3]; flags&(leftUpper|leftLower) != 0 {
				d.edgeOfChroma(x, y, 1, flags)
			}
		}
	}
	for y := (begin + maskY) &^ maskY; y < end; y += maskY + 1 {
		for x := 0; x < seq.width; x += 8 {
			if flags := d.units[y>>3*d.unitsAcross+x>>3]; flags&(upperLeft|upperRight) != 0 {
				d.edgeOfChroma(x, y, 0, flags>>2)
			}
		}
	}
}

// sides returns the units on both sides of the edge on the left (1) or above (0) of the one at x, y, and the slice that
// tells how the edge is filtered.
func (d *decoder) sides(x, y, left int) (p, q int, s *slice) {
	q = y>>3*d.unitsAcross + x>>3
	p = q - d.unitsAcross
	if left == 1 {
		p = q - 1
	}
	log2 := d.seq.log2CTB
	return p, q, d.slices[d.sliceOf[y>>log2*d.across+x>>log2]]
}

// edgeOfLuma filters the left (1) or upper (0) edge of 8×8 samples, of which flags says the halves.
func (d *decoder) edgeOfLuma(x, y, left int, flags uint8) {
	p, q, s := d.sides(x, y, left)
	qp := (int(d.qps[p]) + int(d.qps[q]) + 1) >> 1
	shift := d.seq.depth[0] - 8
	e := edge{
		beta:  int32(betaTable[max(0, min(51, qp+2*s.beta))]) << shift,
		tc:    int32(tcTable[max(0, min(53, qp+2+2*s.tc))]) << shift,
		keepP: d.units[p]&lossless != 0, keepQ: d.units[q]&lossless != 0,
		most: 1<<d.seq.depth[0] - 1,
	}
	if e.beta == 0 && e.tc == 0 {
		return
	}
	b := &d.bands[0]
	across, along := b.stride, 1
	if left == 1 {
		across, along = 1, b.stride
	}
	at := d.at(0, x, y) - 4*across
	for half := range 2 {
		if flags>>half&1 != 0 {
			e.luma(b.pix[at+4*half*along:], across, along)
		}
	}
}

// luma filters four rows or columns. pix begins four samples before the edge.
func (e *edge) luma(pix []uint16, across, along int) {
	at := func(line, i int) int32 { return int32(pix[line*along+i*across]) }
	curve := func(line int) (p, q int32) {
		p = at(line, 1) - 2*at(line, 2) + at(line, 3)
		q = at(line, 6) - 2*at(line, 5) + at(line, 4)
		return max(p, -p), max(q, -q)
	}
	p0, q0 := curve(0)
	p3, q3 := curve(3)
	if p0+q0+p3+q3 >= e.beta {
		return
	}
	strong := true
	for _, line := range [2]int{0, 3} {
		bend := 2 * (p0 + q0)
		if line == 3 {
			bend = 2 * (p3 + q3)
		}
		a, b, c, f := at(line, 0), at(line, 3), at(line, 4), at(line, 7)
		if bend >= e.beta>>2 || distance(a, b)+distance(c, f) >= e.beta>>3 || distance(b, c) >= (5*e.tc+1)>>1 {
			strong = false
		}
	}
	side := (e.beta + e.beta>>1) >> 3
	sideP, sideQ := p0+p3 < side, q0+q3 < side
	for line := range 4 {
		row := pix[line*along:]
		if strong {
			e.strong(row, across)
		} else {
			e.normal(row, across, sideP, sideQ)
		}
	}
}

func distance(a, b int32) int32 { return max(a-b, b-a) }

func clamp(v, low, high int32) int32 { return max(low, min(high, v)) }

func (e *edge) strong(row []uint16, step int) {
	p3, p2, p1, p0 := int32(row[0]), int32(row[step]), int32(row[2*step]), int32(row[3*step])
	q0, q1, q2, q3 := int32(row[4*step]), int32(row[5*step]), int32(row[6*step]), int32(row[7*step])
	t := 2 * e.tc
	if !e.keepP {
		row[3*step] = uint16(clamp((p2+2*p1+2*p0+2*q0+q1+4)>>3, p0-t, p0+t))
		row[2*step] = uint16(clamp((p2+p1+p0+q0+2)>>2, p1-t, p1+t))
		row[step] = uint16(clamp((2*p3+3*p2+p1+p0+q0+4)>>3, p2-t, p2+t))
	}
	if !e.keepQ {
		row[4*step] = uint16(clamp((p1+2*p0+2*q0+2*q1+q2+4)>>3, q0-t, q0+t))
		row[5*step] = uint16(clamp((p0+q0+q1+q2+2)>>2, q1-t, q1+t))
		row[6*step] = uint16(clamp((p0+q0+q1+3*q2+2*q3+4)>>3, q2-t, q2+t))
	}
}

func (e *edge) normal(row []uint16, step int, sideP, sideQ bool) {
	p2, p1, p0 := int32(row[step]), int32(row[2*step]), int32(row[3*step])
	q0, q1, q2 := int32(row[4*step]), int32(row[5*step]), int32(row[6*step])
	delta := (9*(q0-p0) - 3*(q1-p1) + 8) >> 4
	if max(delta, -delta) >= 10*e.tc {
		return
	}
	delta = clamp(delta, -e.tc, e.tc)
	half := e.tc >> 1
	if !e.keepP {
		row[3*step] = uint16(clamp(p0+delta, 0, e.most))
		if sideP {
			row[2*step] = uint16(clamp(p1+clamp(((p2+p0+1)>>1-p1+delta)>>1, -half, half), 0, e.most))
		}
	}
	if !e.keepQ {
		row[4*step] = uint16(clamp(q0-delta, 0, e.most))
		if sideQ {
			row[5*step] = uint16(clamp(q1+clamp(((q2+q0+1)>>1-q1-delta)>>1, -half, half), 0, e.most))
		}
	}
}

// edgeOfChroma filters the left (1) or upper (0) edge of what 8×8 samples of luma are in both components of chroma.
func (d *decoder) edgeOfChroma(x, y, left int, flags uint8) {
	p, q, s := d.sides(x, y, left)
	seq := d.seq
	right, down := seq.across(1), seq.down(1)
	keepP, keepQ := d.units[p]&lossless != 0, d.units[q]&lossless != 0
	most := int32(1)<<seq.depth[1] - 1
	for c := 1; c < 3; c++ {
		qp := seq.chromaQP((int(d.qps[p])+int(d.qps[q])+1)>>1 + d.pic.chromaQP[c-1])
		tc := int32(tcTable[max(0, min(53, qp+2+2*s.tc))]) << (seq.depth[1] - 8)
		if tc == 0 {
			continue
		}
		b := &d.bands[c]
		across, along, lines := b.stride, 1, 4>>right
		if left == 1 {
			across, along, lines = 1, b.stride, 4>>down
		}
		at := d.at(c, x>>right, y>>down) - 2*across
		for half := range 2 {
			if flags>>half&1 == 0 {
				continue
			}
			for line := range lines {
				row := b.pix[at+(half*lines+line)*along:]
				p1, p0, q0, q1 := int32(row[0]), int32(row[across]), int32(row[2*across]), int32(row[3*across])
				delta := clamp(((q0-p0)<<2+p1-q1+4)>>3, -tc, tc)
				if !keepP {
					row[across] = uint16(clamp(p0+delta, 0, most))
				}
				if !keepQ {
					row[2*across] = uint16(clamp(q0-delta, 0, most))
				}
			}
		}
	}
}
