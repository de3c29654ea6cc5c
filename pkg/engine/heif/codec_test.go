package heif

import (
	"bytes"
	"image"
	stdcolor "image/color"
	"math"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Both codings leave no sample to the decoder: every codec must decode the same.
func TestCodecsAgree(t *testing.T) {
	installedCodecs := make(map[string]codec)
	if lib, err := native.LoadHEIF(); err == nil {
		installedCodecs["libheif"] = installed{lib}
	}
	if lib, err := native.LoadDav1d(); err == nil {
		installedCodecs["libdav1d"] = dav1d{lib}
	}
	if len(installedCodecs) == 0 {
		t.Skip("neither libheif nor libdav1d is installed")
	}
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		p := codedPart(t, filepath.Base(name), 1)
		f, err := Parse(build(p))
		if err != nil {
			t.Fatal(err)
		}
		if p.kind == "grid" {
			continue
		}
		c := f.colorOf(f.primary, f.primary)
		w, h := f.primary.size()
		sandboxed, err := newWASM(p.kind)
		if err != nil {
			t.Fatal(err)
		}
		defer sandboxed.close()
		want, err := sandboxed.decode(f.primary, toldTo(sandboxed, c), w, h, fidelity{})
		if err != nil {
			t.Errorf("%s in WebAssembly: %v", name, err)
			continue
		}
		for lib, codec := range installedCodecs {
			if (lib == "libdav1d") != (p.kind == "av01") {
				continue
			}
			got, err := codec.decode(f.primary, toldTo(codec, c), w, h, fidelity{})
			if err != nil {
				t.Errorf("%s by %s: %v", name, lib, err)
				continue
			}
			if got.Width() != w || got.Height() != h {
				t.Errorf("%s by %s: %d×%d pixels", name, lib, got.Width(), got.Height())
			}
			if want.Model == picture.RGB { // converted; it is gray
				got.Planes = got.Planes[:1]
			}
			for i := range got.Planes {
				if !bytes.Equal(got.Planes[i].Pix, want.Planes[i].Pix) {
					t.Errorf("%s by %s: plane %d differs", name, lib, i)
				}
			}
		}
	}
}

// Both encoders make about the same of a picture: sizes within a quarter, and pixels near the original.
func TestEncodersAgree(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 301, 201))
	for y := range 201 {
		for x := range 301 {
			wave := math.Sin(float64(x)/9)*math.Cos(float64(y)/13) + 0.2*math.Sin(float64(x*y)/50)
			img.SetNRGBA(x, y, stdcolor.NRGBA{byte(128 + 90*wave), byte(120 + 80*wave), byte(x / 2), 255})
		}
	}
	lib, err := native.LoadHEIF()
	if err != nil || !lib.EncodesAV1 {
		t.Skip("no encoder is installed")
	}
	for _, quality := range []int{30, 60, 90} {
		opt := Options{Quality: quality, Effort: 1, Chroma: picture.Quarter}
		a, err := encodeInSandbox(img, opt)
		if err != nil {
			t.Fatal(err)
		}
		b, err := lib.EncodeAVIF(picture.FromNRGBA(img, opt.Chroma), quality, opt.speed())
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("quality %d: %d bytes in WebAssembly, %d by libheif", quality, len(a), len(b))
		if ratio := float64(len(b)) / float64(len(a)); ratio < 0.75 || ratio > 1.33 {
			t.Errorf("quality %d: %d bytes in WebAssembly, %d by libheif", quality, len(a), len(b))
		}
		for what, data := range map[string][]byte{"WebAssembly": a, "libheif": b} {
			p := decode(t, data, 0, 0)
			if p.Model == picture.RGB || p.Width() != 301 || p.Height() != 201 {
				continue // converted; the engines' tests compare pixels
			}
			want, sum := picture.FromNRGBA(img, opt.Chroma), 0.0
			for i, v := range p.Planes[0].Pix {
				d := float64(v) - float64(want.Planes[0].Pix[i])
				sum += d * d
			}
			if mean := sum / 301 / 201; mean > 60 {
				t.Errorf("%s, quality %d: a mean square error of %.1f", what, quality, mean)
			}
		}
	}
}
