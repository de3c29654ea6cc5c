package imaging

import "image"

// picture begins a variant with a frame.
func (t *transform) picture(img image.Image, m *made) (*picture, error) {
	p := &picture{img: img, orient: 1}
	if m.Orient {
		p.orient = t.info.Orientation
	}
	return p, nil
}
