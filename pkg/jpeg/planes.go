package jpeg

// Planes holds a decoded image, each component at its own resolution. It can be used again: Decode keeps and grows
// the memory. The zero value is ready.
type Planes struct {
	// Width and Height are the image's in samples at the scale decoded: ceil(full size × scale). They are
	// those of the components with the largest sampling factors.
	Width, Height int
	Scale         Scale
	Color         Color
	Y, Cb, Cr     Plane // Gray: only Y. RGB: red, green and blue. CMYK: C, M and Y
	K             Plane // CMYK and YCCK
}

// Plane is one component. Row y is Pix[y*Stride : y*Stride+Width].
type Plane struct {
	Pix           []byte // has room for whole MCUs; samples past Width and Height are not part of the image
	Stride        int
	Width, Height int // ceil(the component's own full size × scale)
	H, V          int // sampling factors
}

// Components returns the planes that the image has, in the order of the frame header.
func (p *Planes) Components() []*Plane {
	switch p.Color {
	case Gray:
		return p.planes(1)
	case CMYK, YCCK:
		return p.planes(4)
	}
	return p.planes(3)
}

func (p *Planes) planes(n int) []*Plane {
	return []*Plane{&p.Y, &p.Cb, &p.Cr, &p.K}[:n]
}

// shape makes p fit for f at a scale. Samples are left as they were.
func (p *Planes) shape(h *Header, f *frame, scale Scale) {
	p.Width, p.Height = scale.of(h.Width), scale.of(h.Height)
	p.Scale, p.Color = scale, h.Color
	side := int(scale)
	for i, plane := range p.planes(4) {
		if i >= len(f.components) {
			*plane = Plane{Pix: plane.Pix[:0]}
			continue
		}
		c := &f.components[i]
		plane.H, plane.V = c.H, c.V
		plane.Width, plane.Height = scale.of(c.width), scale.of(c.height)
		plane.Stride = c.paddedX*side + scale.spill()
		plane.Pix = sized(plane.Pix, plane.Stride*c.paddedY*side)
	}
}

// empty makes p hold nothing, but keeps its memory.
func (p *Planes) empty() {
	*p = Planes{
		Y: Plane{Pix: p.Y.Pix[:0]}, Cb: Plane{Pix: p.Cb.Pix[:0]}, Cr: Plane{Pix: p.Cr.Pix[:0]}, K: Plane{Pix: p.K.Pix[:0]},
	}
}

// middle is the sample of a block without coefficients: what is missing is filled with it.
const middle = 128

// sized returns a slice of n elements, s's memory if it is large enough.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
