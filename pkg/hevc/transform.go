package hevc

// block is how the coefficients of a block become differences of samples.
type block struct {
	skip         bool // they are not transformed
	differences  bool // each is the difference to the one before, in a row or a column
	vertical     bool // in a column
	dst          bool
	usedX, usedY int // the last column and row that may hold any
}

// cosines is the matrix of the transform of 32 samples (8.6.4.2): [frequency][sample]. That of n samples has each
// 32/n-th row of it.
var cosines = makeCosines()

func makeCosines() (t [32][32]int16) {
	// 64·√2·cos(i·π/64), rounded as the standard does.
	steps := [33]int16{
		0, 90, 90, 90, 89, 88, 87, 85, 83, 82, 80, 78, 75, 73, 70, 67, 64, 61, 57, 54, 50, 46, 43, 38, 36, 31, 25, 22, 18, 13,
		9, 4, 0,
	}
	for k := range t {
		for n := range t[k] {
			if k == 0 {
				t[k][n] = 64
				continue
			}
			angle := (2*n + 1) * k % 128
			if angle > 64 {
				angle = 128 - angle
			}
			if angle <= 32 {
				t[k][n] = steps[angle]
			} else {
				t[k][n] = -steps[64-angle]
			}
		}
	}
	return t
}

// reconstruct adds what the coefficients say to predicted samples, and clears the coefficients (8.6.2).
func (d *decoder) reconstruct(comp, x, y, log2 int, b block) {
	n := 1 << log2
	coefficients := d.coefficients[:n*n]
	depth := d.seq.depthOf(comp)
	plane := &d.bands[comp]
	at := d.at(comp, x, y)
	switch {
	case d.bypass || b.skip:
		d.untransformed(coefficients, log2, depth, b)
		addDifferences(plane.pix[at:], plane.stride, coefficients, n, depth)
		clear(coefficients)
		return
	case b.usedX == 3 && b.usedY == 3 && !b.dst && coefficients[0] != 0 && onlyFirst(coefficients, n):
		v := (64*int(coefficients[0]) + 64) >> 7
		shift := 20 - depth
		v = (64*v + 1<<(shift-1)) >> shift
		coefficients[0] = 0
		addConstant(plane.pix[at:], plane.stride, v, n, depth)
		return
	}
	if b.dst {
		sines(coefficients, depth)
		addDifferences(plane.pix[at:], plane.stride, coefficients, n, depth)
		clear(coefficients)
		return
	}
	cosineAdd(coefficients, d.transformed[:n*n], plane.pix, at, plane.stride, log2, depth, b.usedX, b.usedY)
	clear(coefficients)
}

// plainCosineAdd transforms coefficients in place, and adds them to samples.
func plainCosineAdd(p []int16, pix []uint16, stride, log2, depth, usedX, usedY int) {
	cosine(p, log2, depth, usedX, usedY)
	addDifferences(pix, stride, p, 1<<log2, depth)
}

// onlyFirst reports whether no coefficient of the first 4×4 but the first is set.
func onlyFirst(p []int16, n int) bool {
	return p[1]|p[2]|p[3]|p[n]|p[n+1]|p[n+2]|p[n+3]|p[2*n]|p[2*n+1]|p[2*n+2]|p[2*n+3]|p[3*n]|p[3*n+1]|p[3*n+2]|
		p[3*n+3] == 0
}

// untransformed makes differences of coefficients that were not transformed (8.6.4.2, 8.6.5 to 8.6.8).
func (d *decoder) untransformed(p []int16, log2, depth int, b block) {
	n := 1 << log2
	if d.seq.rotate && log2 == 2 {
		for i := range 8 {
			p[i], p[15-i] = p[15-i], p[i]
		}
	}
	if !d.bypass {
		up, down := 5+log2, 20-depth
		for i, v := range p {
			p[i] = int16((int(v)<<up + 1<<(down-1)) >> down)
		}
	}
	if !b.differences {
		return
	}
	step := 1
	if b.vertical {
		step = n
	}
	for i := range p {
		if step == 1 && i&(n-1) != 0 || step == n && i >= n {
			p[i] += p[i-step]
		}
	}
}

// sines transforms 4×4 luma coefficients in place.
func sines(p []int16, depth int) {
	q := (*[16]int16)(p)
	shift := uint(7)
	for range 2 {
		var t [16]int16
		round := int32(1) << (shift - 1)
		for i := range 4 { // a column, which becomes a row
			a, b, c, e := int32(q[i]), int32(q[4+i]), int32(q[8+i]), int32(q[12+i])
			t[4*i] = clip16((29*a + 74*b + 84*c + 55*e + round) >> shift)
			t[4*i+1] = clip16((55*a + 74*b - 29*c - 84*e + round) >> shift)
			t[4*i+2] = clip16((74*a - 74*c + 74*e + round) >> shift)
			t[4*i+3] = clip16((84*a - 74*b + 55*c - 29*e + round) >> shift)
		}
		*q = t
		shift = uint(20 - depth)
	}
}

func clip16(v int32) int16 { return int16(max(-32768, min(32767, v))) }

// cosine transforms coefficients in place, of which those behind column usedX and row usedY are 0.
func cosine(p []int16, log2, depth, usedX, usedY int) {
	n := 1 << log2
	var in, out [32]int32
	for x := range usedX + 1 {
		for y := range usedY + 1 {
			in[y] = int32(p[y<<log2+x])
		}
		inverse(&in, &out, log2, usedY+1)
		for y := range n {
			p[y<<log2+x] = clip16((out[y] + 64) >> 7)
		}
	}
	shift := uint(20 - depth)
	round := int32(1) << (shift - 1)
	for y := range n {
		row := p[y<<log2:][:n]
		for x := range usedX + 1 {
			in[x] = int32(row[x])
		}
		inverse(&in, &out, log2, usedX+1)
		for x := range row {
			row[x] = clip16((out[x] + round) >> shift)
		}
	}
}

// inverse transforms up to 32 coefficients, of which the first used may be set. Each step halves the size: the even
// coefficients are those of a transform of half of the size, and the odd ones are added to its first half and
// subtracted from its second.
func inverse(in, out *[32]int32, log2, used int) {
	step := 32 >> log2 // between the rows of cosines
	first := 64 * in[0]
	out[0] = first
	for size := 1; size < 1<<log2; size *= 2 {
		stride := 1 << log2 / (2 * size) // the odd coefficients of this size
		var odd [16]int32
		for k := stride; k < used; k += 2 * stride {
			v := in[k&31]
			if v == 0 {
				continue
			}
			row := &cosines[k*step&31]
			for i := range size {
				odd[i&15] += v * int32(row[i&31])
			}
		}
		for i := range size {
			out[(2*size-1-i)&31] = out[i&31] - odd[i&15]
		}
		for i := range size {
			out[i&31] += odd[i&15]
		}
	}
}

// addDifferences adds n×n differences to samples.
func addDifferences(pix []uint16, stride int, p []int16, n, depth int) {
	most := int32(1)<<depth - 1
	for y := range n {
		row := pix[y*stride:][:n]
		add := p[y*n:][:n]
		for x := range row {
			row[x] = uint16(max(0, min(most, int32(row[x])+int32(add[x]))))
		}
	}
}

// addConstant adds a difference to n×n samples.
func addConstant(pix []uint16, stride, v, n, depth int) {
	most := 1<<depth - 1
	for y := range n {
		row := pix[y*stride:][:n]
		for x := range row {
			row[x] = uint16(max(0, min(most, int(row[x])+v)))
		}
	}
}
