package webp

import (
	"bytes"
	"context"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	_ "image/jpeg"

	"golang.org/x/image/draw"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// photograph returns planes of one of the repository's photographs, about so many pixels wide.
func photograph(t testing.TB, name string, width int) (*image.NRGBA, *image.YCbCr) {
	t.Helper()
	f, err := os.Open(filepath.Join("../../../testdata/photos", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	b := img.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, width, b.Dy()*width/b.Dx()))
	draw.ApproxBiLinear.Scale(out, out.Rect, img, b, draw.Src, nil)
	return out, planesOf(out)
}

// decibels is the PSNR of a file beside the planes that were encoded.
func decibels(t testing.TB, data []byte, img *image.YCbCr) float64 {
	t.Helper()
	decoded, err := Decode(context.Background(), data, img.Rect.Dx(), img.Rect.Dy())
	if err != nil {
		t.Fatal(err)
	}
	got, want := decoded.(*image.YCbCr), expand(img)
	sum, n := 0, 0
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			a, b := got.YCbCrAt(x, y), want.YCbCrAt(x, y)
			for _, d := range [3]int{int(a.Y) - int(b.Y), int(a.Cb) - int(b.Cb), int(a.Cr) - int(b.Cr)} {
				sum += d * d
				n++
			}
		}
	}
	return 10 * math.Log10(255*255*float64(n)/float64(sum))
}

var photographs = []string{"orientation/lighthouse_1.jpg"}

// A quality means what it means to libwebp: files are about as large and as near.
func TestOwnEncoderBesideLibwebp(t *testing.T) {
	lib, err := native.LoadWebP()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, name := range photographs {
		for _, width := range []int{640, 120} {
			_, img := photograph(t, name, width)
			for _, opt := range []Options{
				{Quality: 5, Effort: 4}, {Quality: 50, Effort: 4}, {Quality: 80, Effort: 4}, {Quality: 96, Effort: 4},
				{Quality: 80, Effort: 3}, {Quality: 80, Effort: 5}, {Quality: 80, Effort: 6}, {Quality: 30, Effort: 6},
			} {
				own, err := encodeOwn(img, opt)
				if err != nil {
					t.Fatal(err)
				}
				theirs, err := lib.Encode(pictureOf(img), opt.native())
				if err != nil {
					t.Fatal(err)
				}
				ratio := float64(len(own)) / float64(len(theirs))
				lost := decibels(t, theirs, img) - decibels(t, own, img)
				t.Logf("%s, %d pixels wide, %+v: %d bytes, %.3f of libwebp's, %.2f dB less", name, width, opt, len(own), ratio,
					lost)
				if ratio > 1.03 || ratio < 0.97 || lost > 0.3 { // at effort 5 libwebp diffuses errors of colour twice
					t.Errorf("%s, %d pixels wide, %+v: %.3f of libwebp's size, %.2f dB less", name, width, opt, ratio, lost)
				}
			}
		}
	}
}

// Without libwebp, package vp8 encodes what is opaque and lossy; the rest goes elsewhere.
func TestWhatIsEncodedHere(t *testing.T) {
	if !EncodesInSandbox() {
		t.Skip("libwebp is installed and encodes everything")
	}
	img := paint(33, 17, false)
	own, err := encodeOwn(planesOf(img), Options{Quality: 77, Effort: 4})
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		img *image.NRGBA
		opt Options
		own bool
	}{
		"opaque":   {img, Options{Quality: 77, Effort: 4}, true},
		"lossless": {img, Options{Quality: 77, Effort: 4, Lossless: true}, false},
		"alpha":    {paint(33, 17, true), Options{Quality: 77, Effort: 4}, false},
	} {
		data, err := Encode(c.img, c.opt)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(data, own) != c.own {
			t.Errorf("%s: by the own encoder %v, want %v", what, !c.own, c.own)
		}
	}
}

// libwebp's decoder sees the samples that our own does.
func TestDwebpDecodesWhatIsEncodedHere(t *testing.T) {
	tool, err := exec.LookPath("dwebp")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("dwebp is missing")
		}
		t.Skip("dwebp is missing")
	}
	for _, quality := range []int{3, 60, 100} {
		_, img := photograph(t, photographs[0], 203)
		data, err := encodeOwn(img, Options{Quality: quality, Effort: 4})
		if err != nil {
			t.Fatal(err)
		}
		w, h := img.Rect.Dx(), img.Rect.Dy()
		file, raw := filepath.Join(t.TempDir(), "a.webp"), filepath.Join(t.TempDir(), "a.yuv")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(tool, "-quiet", file, "-yuv", "-o", raw).CombinedOutput(); err != nil {
			t.Fatalf("dwebp: %v: %s", err, out)
		}
		want, err := os.ReadFile(raw)
		if err != nil {
			t.Fatal(err)
		}
		s, err := stillOf([]chunk{{"VP8 ", data[20:]}})
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.planes(context.Background(), w, h, picture.Need{Exact: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for i := range p.Planes {
			for y := range p.Planes[i].Height {
				got = append(got, p.Planes[i].Pix[y*p.Planes[i].Stride:][:p.Planes[i].Width]...)
			}
		}
		if !bytes.Equal(got, want) {
			t.Errorf("quality %d: dwebp reads other samples", quality)
		}
	}
}
