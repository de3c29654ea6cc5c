package pipeline

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
)

// chessboard paints w×h pixels in fields of across×down. Each second is opaque white, the others are transparent red.
func chessboard(w, h, across, down int) *image.NRGBA {
	board := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{255, 255, 255, 255}
			if (x/across+y/down)%2 == 0 {
				c = color.NRGBA{R: 255}
			}
			board.SetNRGBA(x, y, c)
		}
	}
	return board
}

// Of transparent red beside opaque white, only white is seen, whatever holds the picture and whatever is made of it.
func TestNoFringes(t *testing.T) {
	board := chessboard(122, 86, 3, 2)
	e, err := New(Config{Assets: marks()})
	if err != nil {
		t.Fatal(err)
	}
	for k, s := range enginetest.Transparent(board) {
		for i, op := range []string{
			"fit:61x61", "fit:50x50", "fit:13x13", "fit:99x99", "fit:300x300,enlarge:yes", "fit:50x50,linear:yes",
			"fit:250x250,enlarge:yes,linear:yes", "fill:40x40", "fill:40x40:smart", "fill:70x20:ne,linear:yes", "force:7x80",
			"crop:51x37:se", "crop:51x37,fit:20x20", "pad:60x60:00000000", "pad:200x200:white", "trim,fit:30x30", "blur:1.5",
			"fit:50x50,blur:2", "sharpen:1", "fit:50x50,sharpen:0.7", "blur:1,fit:40x40", "fit:50x50,rotate:90,flip",
			"fit:50x50,gray", "fit:50x50,sharpen:2,linear:yes",
		} {
			to := []string{"png", "webp,lossless:yes", "tiff", "jpeg,quality:100"}[(i+k)%4]
			if strings.Contains(s.Name, "16 bits") && deepOperation(op) {
				to = []string{"png,depth:keep", "tiff,depth:keep"}[i%2]
			}
			variant := "x=" + op + ",format:" + to
			img := decoded(t, outputs(t, e, s.Data, variant)[0])
			worst, seen := 255, 0
			for i := 0; i < len(img.Pix); i += 4 {
				if p := img.Pix[i:]; p[3] > 24 {
					worst = min(worst, int(p[1]), int(p[2]), int(p[0]))
					seen++
				}
			}
			if worst < 250 || seen < len(img.Pix)/4/4 {
				t.Errorf("%s, %s: a level of %d where all is white; %d pixels seen of %d", s.Name, variant, worst, seen,
					len(img.Pix)/4)
			}
		}
	}
}

// deepOperation reports whether operations work with 16 bits a sample.
func deepOperation(ops string) bool {
	for _, word := range []string{"smart", "blur", "pad", "linear", "gray", "sharpen", "trim", "crop:51x37,"} {
		if strings.Contains(ops, word) {
			return false
		}
	}
	return true
}
