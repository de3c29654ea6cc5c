package picture

// Chroma says in which directions planes of colour difference have half the resolution. The zero value is full
// resolution.
type Chroma struct{ HalfAcross, HalfDown bool }

// Quarter has one sample of colour difference for four pixels.
var Quarter = Chroma{true, true}

// Swapped returns the resolution of a picture that is turned by 90 degrees.
func (c Chroma) Swapped() Chroma { return Chroma{c.HalfDown, c.HalfAcross} }

// size returns the size of a plane of colour difference of a picture of w×h pixels.
func (c Chroma) size(m Model, w, h int) (int, int) {
	if c.HalfAcross && m == YCbCr {
		w = (w + 1) / 2
	}
	if c.HalfDown && m == YCbCr {
		h = (h + 1) / 2
	}
	return w, h
}

// Bytes returns how much memory Lay needs.
func Bytes(m Model, w, h int, chroma Chroma) int {
	cw, ch := chroma.size(m, w, h)
	return w*h + (m.Planes()-1)*cw*ch
}

// Lay lays a picture of w×h pixels out in memory that has as many bytes as Bytes says, or more. chroma is the
// resolution of the planes of colour difference. The samples are what lies in the memory.
func Lay(memory []byte, m Model, w, h int, chroma Chroma) *Picture {
	p := &Picture{Model: m, Planes: make([]Plane, m.Planes())}
	for i := range p.Planes {
		pw, ph := w, h
		if i > 0 {
			pw, ph = chroma.size(m, w, h)
		}
		c := Whole(memory, pw, ph)
		if i > 0 && m == YCbCr && chroma.HalfAcross {
			c.Across.Length = float64(w) / 2
		}
		if i > 0 && m == YCbCr && chroma.HalfDown {
			c.Down.Length = float64(h) / 2
		}
		p.Planes[i] = c
		memory = memory[pw*ph:]
	}
	return p
}

// AlignChroma prepares an empty picture for being turned: the sample of colour that an odd width or height has too much
// must be at the right and at the bottom afterwards.
func (p *Picture) AlignChroma(o Orientation) {
	for i := range p.Planes {
		c := &p.Planes[i]
		if o.FlipX {
			c.Across.Begin = float64(c.Width) - c.Across.Length
		}
		if o.FlipY {
			c.Down.Begin = float64(c.Height) - c.Down.Length
		}
	}
}

// Turned returns the picture as an orientation displays it, laid out in memory of the same size.
func (p *Picture) Turned(o Orientation, memory []byte) *Picture {
	out := *p
	out.Planes = make([]Plane, len(p.Planes))
	turn := func(c *Plane) Plane {
		w, h := c.Width, c.Height
		if o.Swap {
			w, h = h, w
		}
		t := Whole(memory, w, h)
		memory = memory[w*h:]
		c.turn(&t, o)
		return t
	}
	for i := range p.Planes {
		out.Planes[i] = turn(&p.Planes[i])
	}
	if p.Alpha != nil {
		alpha := turn(p.Alpha)
		out.Alpha = &alpha
	}
	return &out
}

// turn turns p into out. Displayed pixel (x, y) is stored at start + x·right + y·down.
func (p *Plane) turn(out *Plane, o Orientation) {
	start, right, down := 0, 1, p.Stride
	if o.FlipX {
		start, right = p.Width-1, -1
	}
	if o.FlipY {
		start, down = start+(p.Height-1)*p.Stride, -p.Stride
	}
	if o.Swap {
		right, down = down, right
	}
	for y := range out.Height {
		at := start + y*down
		row := out.Pix[y*out.Stride:][:out.Width]
		for x := range row {
			row[x] = p.Pix[at]
			at += right
		}
	}
}
