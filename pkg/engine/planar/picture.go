package planar

import (
	"image"

	"github.com/imagefarm/imagefarm/pkg/jpeg"
)

// picture is one plane (gray) or three: luma, and two of colour at half its width and height.
type picture struct {
	planes []plane
}

func (p *picture) gray() bool { return len(p.planes) == 1 }

// source returns what was decoded, each plane with the extent that it covers: the decoder rounds sizes up, but the picture
// did not grow. Without that, small variants would be shifted by parts of a pixel.
func (t *transform) source() *picture {
	d := &t.decoded
	planes := []*jpeg.Plane{&d.Y, &d.Cb, &d.Cr}
	if d.Color == jpeg.Gray {
		planes = planes[:1]
	}
	maxH, maxV := 1, 1
	for _, p := range planes {
		maxH, maxV = max(maxH, p.H), max(maxV, p.V)
	}
	src := new(picture)
	for _, p := range planes {
		h, v := p.H, p.V
		if len(planes) == 1 {
			h, v = maxH, maxV // one component fills the picture whatever its factors are
		}
		src.planes = append(src.planes, plane{
			pix: p.Pix, stride: p.Stride, width: p.Width, height: p.Height,
			extentX: float64(t.info.Width) * float64(h) / float64(maxH) / float64(d.Scale),
			extentY: float64(t.info.Height) * float64(v) / float64(maxV) / float64(d.Scale),
		})
	}
	return src
}

// newPicture returns a picture of w×h pixels, all its planes black.
func newPicture(w, h int, gray bool) *picture {
	p := new(picture)
	add := func(w, h int, extentX, extentY float64) {
		p.planes = append(p.planes, plane{
			pix: make([]byte, w*h), stride: w, width: w, height: h, extentX: extentX, extentY: extentY,
		})
	}
	add(w, h, float64(w), float64(h))
	if !gray {
		for range 2 {
			add((w+1)/2, (h+1)/2, float64(w)/2, float64(h)/2)
		}
	}
	return p
}

func (p *picture) image() image.Image {
	y := &p.planes[0]
	rect := image.Rect(0, 0, y.width, y.height)
	if p.gray() {
		return &image.Gray{Pix: y.pix, Stride: y.stride, Rect: rect}
	}
	cb, cr := &p.planes[1], &p.planes[2]
	return &image.YCbCr{
		Y: y.pix, Cb: cb.pix, Cr: cr.pix, YStride: y.stride, CStride: cb.stride,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: rect,
	}
}

// oriented returns the picture as an orientation (EXIF's, 1 to 8) wants it displayed.
func (p *picture) oriented(orientation int) *picture {
	if orientation < 2 || orientation > 8 {
		return p
	}
	out := new(picture)
	for i := range p.planes {
		out.planes = append(out.planes, p.planes[i].oriented(orientation))
	}
	return out
}

// oriented turns one plane. Displayed pixel (x, y) is stored at (sx, sy), which walks by a fixed step along each row.
func (p *plane) oriented(orientation int) plane {
	w, h := p.width, p.height
	if orientation >= 5 {
		w, h = h, w
	}
	out := plane{pix: make([]byte, w*h), stride: w, width: w, height: h, extentX: float64(w), extentY: float64(h)}
	right, down := 1, p.stride // in stored bytes: one step to the right and one down, as displayed
	start := 0
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
	for y := range h {
		at := start + y*down
		row := out.pix[y*w : (y+1)*w]
		for x := range row {
			row[x] = p.pix[at]
			at += right
		}
	}
	return out
}
