package vp8

// smoothed smooths the edges between blocks (RFC 6386, section 15), a row of macroblocks later than they are decoded:
// samples are predicted from ones that are not smoothed.
type smoothed struct {
	planes  [3]smoothedPlane
	filters []filter // of each macroblock of the row
	inner   []bool   // whether its inner edges are smoothed too
}

// smoothedPlane is a row of macroblocks of a component, below half a row that the edges between them may still change.
type smoothedPlane struct {
	pix    []byte
	stride int
}

func newSmoothed(r *Reader) *smoothed {
	s := &smoothed{filters: make([]filter, r.across), inner: make([]bool, r.across)}
	for i := range s.planes {
		p := &s.planes[i]
		size := r.planes[i].size
		p.stride = (r.across*size + 31) &^ 31
		p.pix = make([]byte, p.stride*(size+size/2)+margin)
	}
	return s
}

func (s *smoothed) note(x int, f *filter, inner bool) { s.filters[x], s.inner[x] = *f, inner }

// band takes the row of macroblocks that the reader has decoded, and returns the rows that are final.
func (s *smoothed) band(r *Reader) Band {
	for i := range s.planes {
		p, from := &s.planes[i], &r.planes[i]
		half := from.size / 2
		copy(p.pix[:half*p.stride], p.pix[from.size*p.stride:])
		for y := range from.size {
			copy(p.pix[(half+y)*p.stride:][:p.stride], from.pix[from.zero+y*from.stride:][:r.across*from.size])
		}
	}
	for x := range r.across {
		if s.filters[x].limit == 0 {
			continue
		}
		if r.kind == simpleFilter {
			s.simple(x, r.y > 1)
		} else {
			s.normal(x, r.y > 1)
		}
	}
	top, rows, half := 16*(r.y-1)-8, 16, 0
	if r.y == 1 {
		top, rows, half = 0, 8, 1
	}
	if r.y == r.down {
		rows = r.height - top
	}
	rows = min(rows, r.height-top)
	y, cb, cr := &s.planes[0], &s.planes[1], &s.planes[2]
	crows := (rows + 1) / 2
	return Band{
		Y: y.pix[half*8*y.stride:], YStride: y.stride, Rows: max(rows, 0),
		Cb: cb.pix[half*4*cb.stride:], Cr: cr.pix[half*4*cr.stride:], CStride: cb.stride, CRows: max(crows, 0),
	}
}

// simple smooths the edges of luma of a macroblock.
func (s *smoothed) simple(x int, above bool) {
	f, p := &s.filters[x], &s.planes[0]
	at, limit := 8*p.stride+16*x, int(f.limit)
	if x > 0 {
		simpleEdge(p.pix, at, p.stride, 1, limit+4)
	}
	if s.inner[x] {
		for i := 4; i < 16; i += 4 {
			simpleEdge(p.pix, at+i, p.stride, 1, limit)
		}
	}
	if above {
		simpleEdge(p.pix, at, 1, p.stride, limit+4)
	}
	if s.inner[x] {
		for i := 4; i < 16; i += 4 {
			simpleEdge(p.pix, at+i*p.stride, 1, p.stride, limit)
		}
	}
}

// normal smooths the edges of all planes of a macroblock.
func (s *smoothed) normal(x int, above bool) {
	f := &s.filters[x]
	for i := range s.planes {
		p := &s.planes[i]
		size := 16
		if i > 0 {
			size = 8
		}
		at := size/2*p.stride + size*x
		if x > 0 {
			normalEdge(p.pix, at, size, p.stride, 1, f, false)
		}
		if s.inner[x] {
			for i := 4; i < size; i += 4 {
				normalEdge(p.pix, at+i, size, p.stride, 1, f, true)
			}
		}
		if above {
			normalEdge(p.pix, at, size, 1, p.stride, f, false)
		}
		if s.inner[x] {
			for i := 4; i < size; i += 4 {
				normalEdge(p.pix, at+i*p.stride, size, 1, p.stride, f, true)
			}
		}
	}
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}

// The samples of a line across an edge are called p3 p2 p1 p0 | q0 q1 q2 q3.

// plainSimpleEdge smooths 16 lines across an edge. The next line is along further, the next sample of it across.
func plainSimpleEdge(pix []byte, at, along, across, limit int) {
	for range 16 {
		p1, p0 := int(pix[at-2*across]), int(pix[at-across])
		q0, q1 := int(pix[at]), int(pix[at+across])
		if 2*abs(p0-q0)+abs(p1-q1)>>1 <= limit {
			smoothTwo(pix, at, across, p1, p0, q0, q1)
		}
		at += along
	}
}

// smoothTwo changes p0 and q0.
func smoothTwo(pix []byte, at, across, p1, p0, q0, q1 int) {
	a := 3*(q0-p0) + min(max(p1-q1, -128), 127)
	pix[at-across] = clamp(p0 + min(max((a+3)>>3, -16), 15))
	pix[at] = clamp(q0 - min(max((a+4)>>3, -16), 15))
}

// plainNormalEdge smooths n lines across an edge, one within a macroblock or around it.
func plainNormalEdge(pix []byte, at, n, along, across int, f *filter, inner bool) {
	limit, interior, sharp := int(f.limit), int(f.interior), int(f.sharp)
	if !inner {
		limit += 4
	}
	for range n {
		p3, p2, p1, p0 := int(pix[at-4*across]), int(pix[at-3*across]), int(pix[at-2*across]), int(pix[at-across])
		q0, q1, q2, q3 := int(pix[at]), int(pix[at+across]), int(pix[at+2*across]), int(pix[at+3*across])
		switch {
		case 2*abs(p0-q0)+abs(p1-q1)>>1 > limit, max(abs(p3-p2), abs(p2-p1), abs(p1-p0)) > interior,
			max(abs(q3-q2), abs(q2-q1), abs(q1-q0)) > interior:
		case max(abs(p1-p0), abs(q1-q0)) > sharp:
			smoothTwo(pix, at, across, p1, p0, q0, q1)
		case inner:
			a := 3 * (q0 - p0)
			a1, a2 := min(max((a+4)>>3, -16), 15), min(max((a+3)>>3, -16), 15)
			a3 := (a1 + 1) >> 1
			pix[at-2*across], pix[at-across] = clamp(p1+a3), clamp(p0+a2)
			pix[at], pix[at+across] = clamp(q0-a1), clamp(q1-a3)
		default:
			a := min(max(3*(q0-p0)+min(max(p1-q1, -128), 127), -128), 127)
			a1, a2, a3 := (27*a+63)>>7, (18*a+63)>>7, (9*a+63)>>7
			pix[at-3*across], pix[at-2*across], pix[at-across] = clamp(p2+a3), clamp(p1+a2), clamp(p0+a1)
			pix[at], pix[at+across], pix[at+2*across] = clamp(q0-a1), clamp(q1-a2), clamp(q2-a3)
		}
		at += along
	}
}
