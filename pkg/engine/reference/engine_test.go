package reference

import (
	"context"
	"errors"
	"image"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe/recipetest"
)

// Packages that decode register themselves for image.Decode, and the last one wins: gen2brain/jpegn would decode the
// JPEGs, and four-component ones come out black.
func TestImageDecodeIsNeverAsked(t *testing.T) {
	files, err := filepath.Glob("../*/*.go")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range []string{"image.Decode(", "image.DecodeConfig(", "imaging.Decode(", "imaging.Open("} {
			if !strings.HasSuffix(f, "_test.go") && strings.Contains(string(text), call) {
				t.Errorf("%s calls %s…)", f, call)
			}
		}
	}
}

// disintegration/imaging would panic in a goroutine of its own, where nobody recovers (CVE-2023-36308).
func TestPicturesWithSamplesMissingNeverReachTheLibrary(t *testing.T) {
	r := image.Rect(0, 0, 8, 8)
	ycbcr := func(y, cb, cr int) *image.YCbCr {
		return &image.YCbCr{
			Y: make([]uint8, y), Cb: make([]uint8, cb), Cr: make([]uint8, cr), YStride: 8, CStride: 4,
			SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: r,
		}
	}
	short := func(n int) []uint8 { return make([]uint8, n) }
	for name, img := range map[string]image.Image{
		"palette index":   &image.Paletted{Pix: []uint8{9, 9, 9, 9}, Stride: 2, Rect: image.Rect(0, 0, 2, 2)},
		"palette, pixels": &image.Paletted{Pix: short(63), Stride: 8, Rect: r},
		"NRGBA":           &image.NRGBA{Pix: short(255), Stride: 32, Rect: r},
		"RGBA, stride":    &image.RGBA{Pix: short(256), Stride: 31, Rect: r},
		"NRGBA64":         &image.NRGBA64{Pix: short(511), Stride: 64, Rect: r},
		"RGBA64":          &image.RGBA64{Pix: short(511), Stride: 64, Rect: r},
		"Gray":            &image.Gray{Pix: short(63), Stride: 8, Rect: r},
		"Gray16":          &image.Gray16{Pix: short(127), Stride: 16, Rect: r},
		"CMYK":            &image.CMYK{Pix: short(255), Stride: 32, Rect: r},
		"nothing":         &image.NRGBA{},
		"YCbCr, luma":     ycbcr(63, 16, 16),
		"YCbCr, chroma":   ycbcr(64, 16, 15),
		"something else":  image.NewUniform(image.Black),
	} {
		var rejection *outcome.Rejection
		if _, err := plain(img, nil); !errors.As(err, &rejection) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The sandboxed decoders get damaged files too; each ends in a result or a rejection.
func TestDamagedHEICAndAVIF(t *testing.T) {
	e, err := New(Config{Limits: engine.Limits{MaxPixels: 1e6}})
	if err != nil {
		t.Fatal(err)
	}
	r := recipetest.Parse(t, "x=fit:16x16,format:jpeg")
	random := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"quadrants.heic", "turned.avif"} {
		whole := enginetest.File(name)
		for n := range 40 {
			data := append([]byte(nil), whole...)
			for range 1 + n%4 {
				data[16+random.IntN(len(data)-16)] ^= 1 << random.IntN(8)
			}
			_, err := e.Transform(context.Background(), data, r)
			var rejection *outcome.Rejection
			if err != nil && !errors.As(err, &rejection) {
				t.Errorf("%s, damage %d: %v", name, n, err)
			}
		}
	}
}

func TestTheFirstScanIsNotThatOfAThumbnail(t *testing.T) {
	thumbnail := "Exif\x00\x00\xff\xd8\xff\xda\x00\x02\xff\xd9"
	data := append([]byte("\xff\xd8\xff\xff\xe1\x00"), byte(2+len(thumbnail)))
	data = append(append(data, thumbnail...), "\xff\xda\x00\x02"...)
	if got, want := firstScan(data), len(data)-4; got != want {
		t.Errorf("it is at %d, not %d", got, want)
	}
	for _, none := range []string{"", "\xff\xd8", "\xff\xd8\xff\xe1\x00\x00", "\xff\xd8\xff\xff\xff", "\xff\xd8text"} {
		if got := firstScan([]byte(none)); got != -1 {
			t.Errorf("%q has one at %d", none, got)
		}
	}
}
