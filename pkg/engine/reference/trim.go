package reference

import (
	"image"

	"github.com/disintegration/imaging"
)

// trim cuts a border of one colour off. The border's colour is that of the first frame's upper left pixel. The
// window that the first frame leaves holds for all frames, so that an animation does not jump.
func (m *made) trim(img *image.NRGBA, i int, threshold float64) *image.NRGBA {
	for len(m.windows) <= i {
		m.windows = append(m.windows, image.Rectangle{})
	}
	if m.windows[i].Empty() {
		m.windows[i] = Content(img, threshold)
	}
	return imaging.Crop(img, m.windows[i])
}

// Content returns the smallest rectangle outside of which no sample differs from the upper left pixel's by more than
// threshold. Colours count as much as they are opaque. A picture without such samples is content as a whole.
func Content(img *image.NRGBA, threshold float64) image.Rectangle {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	border := premultiplied(img.Pix[:4])
	limit := int(threshold * 255)
	differs := func(p []uint8) bool {
		for c, v := range premultiplied(p) {
			if max(v-border[c], border[c]-v) > limit {
				return true
			}
		}
		return false
	}
	found := image.Rectangle{Min: image.Pt(w, h)}
	for y := range h {
		row := img.Pix[y*img.Stride:][:4*w]
		left := 0
		for left < w && !differs(row[4*left:][:4:4]) {
			left++
		}
		if left == w {
			continue
		}
		right := w
		for right > found.Max.X && !differs(row[4*right-4:][:4:4]) { // the pixel at left ends it
			right--
		}
		found = image.Rect(min(found.Min.X, left), min(found.Min.Y, y), max(found.Max.X, right), y+1)
	}
	if found.Min.X == w {
		return img.Rect
	}
	return found
}

// premultiplied returns the samples of a pixel times 255, colours in proportion to their alpha.
func premultiplied(p []uint8) [4]int {
	a := int(p[3])
	return [4]int{int(p[0]) * a, int(p[1]) * a, int(p[2]) * a, a * 255}
}
