package pipeline

import (
	"image"
	"math/rand/v2"
	"testing"

	lanczos3 "github.com/disintegration/imaging"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
)

// landscape is a picture with as much detail at every scale as a photograph has: noise of all wavelengths, edges.
func landscape(w, h int) *image.NRGBA {
	rng := rand.New(rand.NewPCG(3, 4))
	img := enginetest.Photo(w, h)
	for cell := 128; cell >= 1; cell /= 2 {
		cols := w/cell + 2
		values := make([]float32, cols*(h/cell+2))
		for i := range values {
			values[i] = (rng.Float32() - 0.5) * (4 + float32(cell))
		}
		for y := range h {
			fy := float32(y%cell) / float32(cell)
			for x := range w {
				fx := float32(x%cell) / float32(cell)
				at := values[y/cell*cols+x/cell:]
				below := at[cols:]
				v := (at[0]*(1-fx)+at[1]*fx)*(1-fy) + (below[0]*(1-fx)+below[1]*fx)*fy
				p := img.Pix[y*img.Stride+4*x:][:3]
				for c := range p {
					p[c] = uint8(min(max(float32(p[c])+v, 0), 255))
				}
			}
		}
	}
	return img
}

// Reduced decoding and planes may cost 0.3 dB against a full decode and Lanczos in RGB, which nobody sees.
func TestThumbnailsAreAsNearAsThoseOfAFullDecode(t *testing.T) {
	if testing.Short() {
		t.Skip("many transforms of large pictures")
	}
	img := landscape(2600, 1733)
	gray := image.NewGray(img.Rect)
	for y := range 1733 {
		for x := range 2600 {
			gray.Set(x, y, img.At(x, y))
		}
	}
	variants := []string{
		"a=fit:1280x1280", "b=fit:256x256", "c=fit:64x64", "d=fit:256x256,format:webp", "e=fit:600x600", "f=fit:100x100",
		// 1.5 times
		"l=fit:1510x1510", "m=fit:1300x1300", "n=fit:1080x1080", "o=fit:645x645",
		"g=fit:860x860", "h=fit:430x430", "i=fit:215x215,format:webp", "j=fit:215x215", "k=fit:860x860,quality:95",
	}
	for name, c := range map[string]struct {
		img  image.Image
		data []byte
	}{
		"baseline":    {img, enginetest.JPEG(img, enginetest.JPEGOptions{Quality: 92})},
		"progressive": {img, enginetest.JPEG(img, enginetest.JPEGOptions{Quality: 92, Progressive: true})},
		"gray":        {gray, grayJPEG(t, gray)},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range variants { // each alone, so that each has its own scale
				ours, theirs := outputs(t, alone(t), c.data, v)[0], outputs(t, general(t), c.data, v)[0]
				want := lanczos3.Resize(c.img, ours.Width, ours.Height, lanczos3.Lanczos)
				a, b := enginetest.PSNR(decoded(t, ours), want), enginetest.PSNR(decoded(t, theirs), want)
				t.Logf("%s: %.2f dB, of a full decode %.2f dB", v, a, b)
				if a < b-0.3 {
					t.Errorf("%s: %.2f dB, of a full decode %.2f dB", v, a, b)
				}
			}
		})
	}
	t.Run("smaller from larger", func(t *testing.T) {
		data := enginetest.JPEG(img, enginetest.JPEGOptions{Quality: 92})
		together := outputs(t, alone(t), data, variants...)
		for i, o := range outputs(t, general(t), data, variants...) {
			want := lanczos3.Resize(img, o.Width, o.Height, lanczos3.Lanczos)
			if a, b := enginetest.PSNR(decoded(t, together[i]), want), enginetest.PSNR(decoded(t, o), want); a < b-0.3 {
				t.Errorf("%s: %.2f dB, of a full decode %.2f dB", variants[i], a, b)
			}
		}
	})
}

// So may every other recipe, and every other format: planes, boxes and what is averaged in them cost no more.
func TestEveryRecipeIsAsNearAsThatOfAFullDecode(t *testing.T) {
	if testing.Short() {
		t.Skip("many transforms of large pictures")
	}
	img := landscape(1300, 867)
	inputs := map[string][]byte{
		"JPEG": enginetest.JPEG(img, enginetest.JPEGOptions{Quality: 92}), "PNG": enginetest.PNG(img),
		"4:4:4": enginetest.JPEG(img, enginetest.JPEGOptions{Quality: 92, Sampling: [2]int{1, 1}}),
		"WebP":  enginetest.WebP(img),
	}
	lossless := inputs["PNG"]
	ours, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{
		"fit:640x640", "fit:128x128", "fit:32x32", "fill:200x200", "fill:100x300:se", "crop:500x500,fit:100x100",
		"fit:640x640,sharpen:0.5", "fit:640x640,gray", "fit:200x200,blur:0.8", "pad:300x300", "rotate:90,fit:150x150",
	} {
		want := decoded(t, outputs(t, general(t), lossless, "x="+op+",format:png")[0])
		for name, data := range inputs {
			for _, to := range []string{"jpeg", "png"} {
				variant := "x=" + op + ",format:" + to
				a := enginetest.PSNR(decoded(t, outputs(t, ours, data, variant)[0]), want)
				b := enginetest.PSNR(decoded(t, outputs(t, general(t), data, variant)[0]), want)
				t.Logf("%s, %s: %.2f dB, of a full decode %.2f dB", name, variant, a, b)
				if a < min(b, 48)-0.3 { // nobody sees a difference of 48 dB
					t.Errorf("%s, %s: %.2f dB, of a full decode %.2f dB", name, variant, a, b)
				}
			}
		}
	}
}
