package picture

import "image"

// NRGBA returns the picture as interleaved samples, in the size of its first plane. A pixel gets the samples that it
// lies in: of planes of another size, resample them first for a smooth picture.
func (p *Picture) NRGBA() *image.NRGBA { return p.NRGBAOfInks(nil) }

// NRGBAOfInks is NRGBA with a function that converts pixels of CMYK, 4 bytes each of which 255 is full ink, to red,
// green, blue and 255. nil takes each colour as what its ink and black let through.
func (p *Picture) NRGBAOfInks(inks func(dst, src []byte)) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, p.Width(), p.Height()))
	p.eachRow(inks, func(y int) []byte { return out.Pix[y*out.Stride:][:out.Stride] }, func(int, []byte) {})
	return out
}

// EachRow is NRGBAOfInks row by row: use has a row until it returns.
func (p *Picture) EachRow(inks func(dst, src []byte), use func(y int, row []byte)) {
	row := make([]byte, 4*p.Width())
	p.eachRow(inks, func(int) []byte { return row }, use)
}

func (p *Picture) eachRow(inks func(dst, src []byte), at func(y int) []byte, use func(y int, row []byte)) {
	w, h := p.Width(), p.Height()
	var readers []reader
	for i := range p.Planes {
		readers = append(readers, p.Planes[i].reader(w, h))
	}
	var alpha reader
	if p.Alpha != nil {
		alpha = p.Alpha.reader(w, h)
	}
	var in [4][]byte
	for y := range h {
		for i := range readers {
			in[i] = readers[i].row(y)
		}
		row := at(y)
		if p.Model == CMYK || p.Model == YCCK {
			p.interleaveInks(row, &in, inks)
		} else {
			p.interleave(row, &in)
		}
		if p.Alpha != nil {
			p.addAlpha(row, alpha.row(y))
		}
		use(y, row)
	}
}

// reader gives rows of a plane in the size of a picture.
type reader struct {
	*Plane
	w, h    int
	columns []int  // the sample that each pixel lies in; nil where the sizes are the same
	pix     []byte // one row of the picture, of the samples in row kept
	kept    int
}

func (p *Plane) reader(w, h int) reader {
	r := reader{Plane: p, w: w, h: h, kept: -1}
	if p.Width == w && p.Height == h {
		return r
	}
	r.columns, r.pix = make([]int, w), make([]byte, w)
	for x := range r.columns {
		r.columns[x] = p.Across.sample(x, w, p.Width)
	}
	return r
}

// row returns row y of the picture.
func (r *reader) row(y int) []byte {
	if r.columns == nil {
		return r.Pix[y*r.Stride:][:r.w]
	}
	from := r.Down.sample(y, r.h, r.Height)
	if from == r.kept {
		return r.pix
	}
	r.kept = from
	in := r.Pix[from*r.Stride:][:r.Width]
	for x, at := range r.columns {
		r.pix[x] = in[at]
	}
	return r.pix
}

// sample returns the sample, of size, in which pixel i of n lies.
func (s Span) sample(i, n, size int) int {
	return min(size-1, int(s.Begin+(float64(i)+0.5)*s.Length/float64(n)))
}

// interleave writes a row of all planes as red, green, blue and 255.
func (p *Picture) interleave(dst []byte, in *[4][]byte) {
	switch p.Model {
	case Gray:
		for x, v := range in[0] {
			v = p.gray(v)
			d := dst[4*x : 4*x+4 : 4*x+4]
			d[0], d[1], d[2], d[3] = v, v, v, 255
		}
	case YCbCr:
		m := matrixOf(p.Matrix, p.Limited)
		m.row(dst, in[0], in[1], in[2])
	case RGB:
		for x := range in[0] {
			d := dst[4*x : 4*x+4 : 4*x+4]
			d[0], d[1], d[2], d[3] = in[0][x], in[1][x], in[2][x], 255
		}
	}
}

// interleaveInks writes a row of inks as red, green, blue and 255.
func (p *Picture) interleaveInks(dst []byte, in *[4][]byte, inks func(dst, src []byte)) {
	if p.Model == CMYK {
		for x := range in[0] {
			d := dst[4*x : 4*x+3 : 4*x+3]
			d[0], d[1], d[2] = in[0][x], in[1][x], in[2][x]
		}
	} else {
		m := matrixOf(BT601, false)
		m.row(dst, in[0], in[1], in[2])
		for x := range in[0] {
			d := dst[4*x : 4*x+3 : 4*x+3]
			d[0], d[1], d[2] = 255-d[0], 255-d[1], 255-d[2]
		}
	}
	for x, k := range in[3] { // here 255 is no ink
		d := dst[4*x : 4*x+4 : 4*x+4]
		if inks == nil {
			d[0], d[1], d[2], d[3] = times(d[0], k), times(d[1], k), times(d[2], k), 255
		} else {
			d[0], d[1], d[2], d[3] = 255-d[0], 255-d[1], 255-d[2], 255-k
		}
	}
	if inks != nil {
		inks(dst, dst)
	}
}

func (p *Picture) gray(v byte) byte {
	if p.Limited {
		return clamp(((int(v)-16)*255 + 109) / 219)
	}
	return v
}

// addAlpha puts alpha into a row, and divides by it what was multiplied by it.
func (p *Picture) addAlpha(row, alpha []byte) {
	for x, a := range alpha {
		d := row[4*x : 4*x+4 : 4*x+4]
		d[3] = a
		switch {
		case !p.Premultiplied || a == 255:
		case a == 0:
			d[0], d[1], d[2] = 0, 0, 0
		default:
			half := int(a) / 2
			d[0], d[1], d[2] = over(d[0], a, half), over(d[1], a, half), over(d[2], a, half)
		}
	}
}

func over(v, a byte, half int) byte { return byte(min((int(v)*255+half)/int(a), 255)) }

// times multiplies fractions of 255.
func times(a, b byte) byte {
	n := uint32(a)*uint32(b) + 128
	return byte((n + n>>8) >> 8)
}

func clamp(v int) byte { return byte(min(max(v, 0), 255)) }

// matrix converts YCbCr to RGB in 16 bits of fraction.
type matrix struct{ black, luma, redCr, greenCb, greenCr, blueCb int }

func matrixOf(m Matrix, limited bool) matrix {
	kr, kb := 0.299, 0.114
	switch m {
	case BT709:
		kr, kb = 0.2126, 0.0722
	case BT2020:
		kr, kb = 0.2627, 0.0593
	}
	black, luma, chroma := 0, 1.0, 1.0
	if limited {
		black, luma, chroma = 16, 255.0/219, 255.0/224
	}
	fixed := func(v float64) int { return int(v*65536 + 0.5) }
	kg := 1 - kr - kb
	return matrix{
		black: black, luma: fixed(luma), redCr: fixed(2 * (1 - kr) * chroma), blueCb: fixed(2 * (1 - kb) * chroma),
		greenCb: fixed(2 * (1 - kb) * kb / kg * chroma), greenCr: fixed(2 * (1 - kr) * kr / kg * chroma),
	}
}

// row converts a row to red, green, blue and 255.
func (m *matrix) row(dst, ys, cbs, crs []byte) {
	done := m.rowVector(dst, ys, cbs, crs)
	m.plainRow(dst[4*done:], ys[done:], cbs[done:], crs[done:])
}

func (m *matrix) plainRow(dst, ys, cbs, crs []byte) {
	cbs, crs = cbs[:len(ys)], crs[:len(ys)]
	for x, y := range ys {
		luma := (int(y)-m.black)*m.luma + 1<<15
		cb, cr := int(cbs[x])-128, int(crs[x])-128
		r, g, b := (luma+cr*m.redCr)>>16, (luma-cb*m.greenCb-cr*m.greenCr)>>16, (luma+cb*m.blueCb)>>16
		if uint(r|g|b) > 255 {
			r, g, b = min(max(r, 0), 255), min(max(g, 0), 255), min(max(b, 0), 255)
		}
		d := dst[4*x : 4*x+4 : 4*x+4]
		d[0], d[1], d[2], d[3] = byte(r), byte(g), byte(b), 255
	}
}
