package heif

import (
	"image"
	"testing"
)

// The container says "so many quarter turns counter-clockwise, then a mirror"; EXIF has a number for each outcome.
func TestTurnsAndMirrorsHaveAnOrientation(t *testing.T) {
	const w, h = 5, 3
	for turns := range 4 {
		for mirror := -1; mirror < 2; mirror++ {
			o := orientationOf(turns, mirror >= 0, mirror)
			for _, p := range []image.Point{{0, 0}, {4, 0}, {1, 2}} {
				x, y, cw, ch := p.X, p.Y, w, h
				for range turns { // a point goes to the left edge's side
					x, y, cw, ch = y, cw-1-x, ch, cw
				}
				switch mirror {
				case 0:
					y = ch - 1 - y
				case 1:
					x = cw - 1 - x
				}
				if got := displayed(p, o, w, h); got != image.Pt(x, y) {
					t.Errorf("%d turns, mirror %d: orientation %d shows %v at %v, want %d, %d", turns, mirror, o, p, got, x, y)
				}
			}
		}
	}
}

// displayed is where EXIF's orientations show a stored point.
func displayed(p image.Point, o, w, h int) image.Point {
	x, y := p.X, p.Y
	return [9]image.Point{
		1: {x, y}, 2: {w - 1 - x, y}, 3: {w - 1 - x, h - 1 - y}, 4: {x, h - 1 - y},
		5: {y, x}, 6: {h - 1 - y, x}, 7: {h - 1 - y, w - 1 - x}, 8: {y, w - 1 - x},
	}[o]
}
