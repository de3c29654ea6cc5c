package pipeline

import (
	"fmt"
	"image"
	"image/draw"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
)

// Geometry that collapses into one window and one scale must give what the operations give one after the other, at
// every orientation. Two scalings in one are better than two, so pictures differ a little.
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

// Pictures that come by rows are shrunk, or resampled, while these arrive.
func TestRowsGiveWhatTheReferenceGives(t *testing.T) {
	ours, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	reference := general(t)
	img := enginetest.Photo(350, 251)
	clear := enginetest.Photo(351, 250)
	for y := range 250 {
		for x := range 351 {
			clear.Pix[y*clear.Stride+4*x+3] = uint8(min(255, max(0, 4*x-2*y)))
		}
	}
	deep := image.NewNRGBA64(img.Rect)
	draw.Draw(deep, deep.Rect, img, image.Point{}, draw.Src)
	for name, data := range map[string][]byte{
		"PNG": enginetest.PNG(img), "transparent PNG": enginetest.PNG(clear), "16-bit PNG": enginetest.PNG(deep),
		"gray PNG": enginetest.PNG(grayPhoto(350, 251)), "TIFF": enginetest.TIFF(img), "BMP": enginetest.BMP(img),
		"WebP": enginetest.WebP(img),
	} {
		for _, ops := range [][]string{
			{"fit:64x64"}, {"fit:150x150"}, {"fit:250x250", "fit:200x200", "fit:50x50"}, {"fill:100x100:ne", "fill:150x50"},
			{"crop:167x111:se"}, {"fit:320x320"}, {"fit:50x50", "crop:25x25"}, {"fit:175x175,crop:51x49:west"}, {"force:250x45"},
			{"fit:200x200,rotate:90,gray"}, {"pad:250x250:aabbcc"}, {"trim,fit:50x50"}, {"fit:500x500,enlarge:yes",
				"fit:150x150"},
			{"fit:100x100,blur:1"}, {"flip"},
		} {
			var variants []string
			for i, op := range ops {
				variants = append(variants, fmt.Sprintf("v%d=%s,format:png", i, op))
			}
			want := outputs(t, reference, data, variants...)
			for i, got := range outputs(t, ours, data, variants...) {
				if got.Width != want[i].Width || got.Height != want[i].Height {
					t.Errorf("%s, %s: %d×%d, want %d×%d", name, variants[i], got.Width, got.Height, want[i].Width, want[i].Height)
				} else if d := enginetest.PSNR(decoded(t, got), decoded(t, want[i])); d < 36 {
					t.Errorf("%s, %s: %.1f dB from the reference", name, variants[i], d)
				}
			}
		}
	}
}
