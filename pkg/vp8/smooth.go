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
	zero   int // where the first sample is
}

func newSmoothed(r *Reader) *smoothed {
	s := &smoothed{filters: make([]filter, r.across), inner: make([]bool, r.across)}
	wide, narrow := (r.across*16+31)&^31, (r.across*8+31)&^31
	color := make([]byte, 2*12*narrow) // of both, so that they are smoothed at once
	s.planes = [3]smoothedPlane{{make([]byte, 24*wide), wide, 0}, {color, narrow, 0}, {color, narrow, 12 * narrow}}
	return s
}

func (s *smoothed) note(x int, f *filter, inner bool) { s.filters[x], s.inner[x] = *f, inner }

// band takes the row of macroblocks that the reader has decoded, and returns the rows that are final.
func (s *smoothed) band(r *Reader) Band {
	for i := range s.planes {
		p, from := &s.planes[i], &r.planes[i]
		half := from.size / 2
		pix := p.pix[p.zero:]
		copy(pix[:half*p.stride], pix[from.size*p.stride:])
		for y := range from.size {
			copy(pix[(half+y)*p.stride:], from.pix[from.zero+y*from.stride:][:r.across*from.size])
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
		Cb: cb.pix[cb.zero+half*4*cb.stride:], Cr: cr.pix[cr.zero+half*4*cr.stride:], CStride: cb.stride,
		CRows: max(crows, 0),
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
	f, y, cb, cr := &s.filters[x], &s.planes[0], &s.planes[1], &s.planes[2]
	at, stride := 8*y.stride+16*x, y.stride
	first, second, narrow := 4*cb.stride+8*x, cr.zero+4*cr.stride+8*x, cb.stride
	if x > 0 {
		smoothColumns(y.pix, at, at+8*stride, stride, f, false)
		smoothColumns(cb.pix, first, second, narrow, f, false)
	}
	if s.inner[x] {
		for i := 4; i < 16; i += 4 {
			smoothColumns(y.pix, at+i, at+i+8*stride, stride, f, true)
		}
		smoothColumns(cb.pix, first+4, second+4, narrow, f, true)
	}
	if above {
		smoothRows(y.pix, at, at+8, stride, f, false)
		smoothRows(cb.pix, first, second, narrow, f, false)
	}
	if s.inner[x] {
		for i := 4; i < 16; i += 4 {
			smoothRows(y.pix, at+i*stride, at+i*stride+8, stride, f, true)
		}
		smoothRows(cb.pix, first+4*narrow, second+4*narrow, narrow, f, true)
	}
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}

// The samples of a line across an edge are called p3 p2 p1 p0 | q0 q1 q2 q3.

// simpleEdge smooths 16 lines across an edge. The next line is along further, the next sample of it across.
func simpleEdge(pix []byte, at, along, across, limit int) {
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

// plainColumns smooths the edge between two columns, of eight rows from first and eight from second on. inner tells one
// within a macroblock from one around it.
func plainColumns(pix []byte, first, second, stride int, f *filter, inner bool) {
	normalEdge(pix, first, stride, 1, f, inner)
	normalEdge(pix, second, stride, 1, f, inner)
}

// plainRows smooths the edge between two rows, likewise.
func plainRows(pix []byte, first, second, stride int, f *filter, inner bool) {
	normalEdge(pix, first, 1, stride, f, inner)
	normalEdge(pix, second, 1, stride, f, inner)
}

// normalEdge smooths eight lines across an edge.
func normalEdge(pix []byte, at, along, across int, f *filter, inner bool) {
	limit, interior, sharp := int(f.limit), int(f.interior), int(f.sharp)
	if !inner {
		limit += 4
	}
	for range 8 {
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
