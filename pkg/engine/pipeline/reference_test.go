package pipeline

import (
	"fmt"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
)

// Geometry that collapses into one window and one scale must give what the operations give one after the other, at every
// orientation. Two scalings in one are better than two, so pictures differ a little.
func TestCollapsedGeometryIsThatOfTheReference(t *testing.T) {
	ours, reference := alone(t), general(t)
	img := enginetest.Photo(337, 251)
	for o := 1; o <= 8; o++ {
		data := turned(img, o, enginetest.JPEGOptions{Quality: 95, Progressive: o%2 == 0})
		for i, op := range []string{
			"fit:100x100", "fit:400x400,enlarge:yes", "force:120x50", "force:400x400,enlarge:yes",
			"fill:100x100", "fill:60x120:ne", "fill:120x60:south", "fill:500x300,enlarge:yes",
			"crop:100x80", "crop:101x77:se", "crop:99x33:west", "crop:100x100:nw,fit:50x50",
			"fit:200x200,crop:101x50:north", "fit:200x200,crop:100x50:se,fit:50x50", "crop:40x40,fit:160x160,enlarge:yes",
			"rotate:90", "rotate:180", "rotate:270,fit:100x100", "fit:101x101,rotate:90", "flip", "flop,fit:101x101",
			"rotate:90,flip,crop:90x111:sw", "fill:80x50:east,rotate:270,flop", "crop:99x99:ne,rotate:90,crop:51x35:nw",
			"pad:120x120:336699", "fit:90x90,pad:101x121:fff", "pad:100x100,fit:50x50", "orient:off,fill:90x90:ne",
			"fit:100x100,gray", "fit:100x100,blur:1.5", "fit:100x100,sharpen:0.7", "fill:101x99,gray,sharpen:1",
			"fit:100x100,brightness:20,contrast:10", "fit:100x100,invert", "gamma:1.5,fit:90x90", "blur:2",
			"fit:120x120,saturation:-40,gamma:0.8", "trim", "fit:100x100,trim", "trim,fill:50x90",
		} {
			format := []string{"jpeg,quality:95", "png", "webp,quality:95"}[(i+o)%3]
			variant := fmt.Sprintf("x=%s,format:%s", op, format)
			got, want := outputs(t, ours, data, variant)[0], outputs(t, reference, data, variant)[0]
			if got.Width != want.Width || got.Height != want.Height {
				t.Errorf("orientation %d, %s: %d×%d, want %d×%d", o, variant, got.Width, got.Height, want.Width, want.Height)
				continue
			}
			if d := enginetest.PSNR(decoded(t, got), decoded(t, want)); d < 33 {
				t.Errorf("orientation %d, %s: %.1f dB from the reference", o, variant, d)
			}
		}
	}
}
