package planar

import "image"

// picture is one plane (gray) or three: luma, and two of colour, of the variants at half its width and height.
type picture struct {
	planes []plane
}

// plane is one component. Row y is pix[y*stride:][:width].
type plane struct {
	pix           []byte
	stride        int
	width, height int // samples
	across, down  span
}

// span is where the picture lies among samples, which are more where their number was rounded up.
type span struct{ begin, length float64 }

func (p *picture) gray() bool  { return len(p.planes) == 1 }
func (p *picture) width() int  { return p.planes[0].width }
func (p *picture) height() int { return p.planes[0].height }

// pictureSize is how many bytes a picture of w×h pixels takes up.
func pictureSize(w, h int, gray bool) int {
	if gray {
		return w * h
	}
	return w*h + 2*((w+1)/2)*((h+1)/2)
}

// newPicture lays a picture of w×h pixels out in memory of pictureSize bytes. The samples are what lies there.
func newPicture(memory []byte, w, h int, gray bool) *picture {
	p := new(picture)
	add := func(w, h int, across, down float64) {
		p.planes = append(p.planes, plane{
			pix: memory[: w*h : w*h], stride: w, width: w, height: h, across: span{0, across}, down: span{0, down},
		})
		memory = memory[w*h:]
	}
	add(w, h, float64(w), float64(h))
	if !gray {
		for range 2 {
			add((w+1)/2, (h+1)/2, float64(w)/2, float64(h)/2)
		}
	}
	return p
}

// meant prepares an empty picture for being turned: the sample of colour that an odd width or height has too much must
// be at the right and at the bottom in the end.
func (p *picture) meant(orientation int) {
	for i := range p.planes {
		c := &p.planes[i]
		switch orientation {
		case 2, 3, 7, 8: // the right end comes first
			c.across.begin = float64(c.width) - c.across.length
		}
		switch orientation {
		case 3, 4, 6, 7: // the lower end does
			c.down.begin = float64(c.height) - c.down.length
		}
	}
}

// image returns a picture that has colour as encoders want it.
func (p *picture) image() *image.YCbCr {
	y, cb, cr := &p.planes[0], &p.planes[1], &p.planes[2]
	return &image.YCbCr{
		Y: y.pix, Cb: cb.pix, Cr: cr.pix, YStride: y.stride, CStride: cb.stride,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, y.width, y.height),
	}
}

// oriented returns the picture as an orientation (EXIF's, 1 to 8) wants it displayed, laid out in memory.
func (p *picture) oriented(orientation int, memory []byte) *picture {
	w, h := p.width(), p.height()
	if orientation >= 5 {
		w, h = h, w
	}
	out := newPicture(memory, w, h, p.gray())
	for i := range p.planes {
		p.planes[i].orient(&out.planes[i], orientation)
	}
	return out
}

// orient turns p into out. Displayed pixel (x, y) is stored at start + x·right + y·down.
func (p *plane) orient(out *plane, orientation int) {
	start, right, down := 0, 1, p.stride
	lastX, lastY := p.width-1, (p.height-1)*p.stride
	switch orientation {
	case 2: // mirrored
		start, right = lastX, -1
	case 3: // upside down
		start, right, down = lastX+lastY, -1, -p.stride
	case 4: // mirrored upside down
		start, down = lastY, -p.stride
	case 5: // transposed
		right, down = p.stride, 1
	case 6: // turned right
		start, right, down = lastY, -p.stride, 1
	case 7: // transversed
		start, right, down = lastX+lastY, -p.stride, -1
	case 8: // turned left
		start, right, down = lastX, p.stride, -1
	}
	for y := range out.height {
		at := start + y*down
		row := out.pix[y*out.stride:][:out.width]
		for x := range row {
			row[x] = p.pix[at]
			at += right
		}
	}
}
