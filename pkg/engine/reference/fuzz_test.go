package reference

import (
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/recipe/recipetest"
)

// FuzzTransform gives the engine what is no proper image. It must come to an end, in a result or in a rejection; a
// panic in a goroutine of a library would end the test.
func FuzzTransform(f *testing.F) {
	files, _ := filepath.Glob("../../../testdata/hostile/*")
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && len(data) < 16<<10 {
			f.Add(data)
		}
	}
	img := enginetest.Photo(24, 17)
	for _, data := range [][]byte{
		enginetest.JPEG(img, enginetest.JPEGOptions{}), enginetest.JPEG(img, enginetest.JPEGOptions{Progressive: true}),
		enginetest.PNG(img), enginetest.TIFF(img), enginetest.BMP(img), enginetest.WebP(img),
		enginetest.GIF(24, 17, enginetest.Flat(image.Rect(3, 3, 9, 9), img.At(0, 0)),
			enginetest.Flat(img.Rect, img.At(5, 5))),
		enginetest.JPEG(img, enginetest.JPEGOptions{Segments: [][]byte{
			enginetest.Segment(0xe1, []byte("Exif\x00\x00"), enginetest.EXIF(6)),
			enginetest.Segment(0xe2, []byte("ICC_PROFILE\x00\x01\x01"), enginetest.AdobeRGB()),
		}}),
	} {
		f.Add(data)
	}
	r := recipetest.Parse(f,
		"a=fit:16x16,format:jpeg", "b=fill:9x20:smart,format:png,strip:keep,icc:keep", "c=format:gif,animate:yes,fit:12x12",
		"d=rotate:90,crop:5x5,format:webp,strip:copyright,orient:off", "e=fit:8x8",
	)
	engines := strictAndLenient(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if d := format.Detect(data); d == format.HEIC || d == format.AVIF {
			return // FuzzHEIC and FuzzAVIF: their sandbox takes a second to start
		}
		end(t, engines, r, data)
	})
}

// Each decoder for itself: fuzzed together, the slow ones leave little to the others.

func FuzzPNG(f *testing.F) {
	img := enginetest.Photo(24, 17)
	fuzz(f, format.PNG, enginetest.PNG(img), enginetest.PNG(enginetest.Photo(1, 1)))
}

func FuzzGIF(f *testing.F) {
	img := enginetest.Photo(24, 17)
	fuzz(f, format.GIF, enginetest.GIF(24, 17, enginetest.Flat(image.Rect(3, 3, 9, 9), img.At(0, 0)),
		enginetest.Flat(img.Rect, img.At(5, 5))))
}

func FuzzTIFF(f *testing.F) { fuzz(f, format.TIFF, enginetest.TIFF(enginetest.Photo(24, 17))) }

func FuzzBMP(f *testing.F) { fuzz(f, format.BMP, enginetest.BMP(enginetest.Photo(24, 17))) }

func FuzzWebP(f *testing.F) { fuzz(f, format.WebP, enginetest.WebP(enginetest.Photo(24, 17))) }

func FuzzHEIC(f *testing.F) {
	fuzz(f, format.HEIC, enginetest.File("quadrants.heic"), enginetest.File("turned.heic"))
}

func FuzzAVIF(f *testing.F) {
	fuzz(f, format.AVIF, enginetest.File("quadrants.avif"), enginetest.File("turned.avif"), enginetest.File("rgb.avif"),
		enginetest.File("ten-bits.avif"), enginetest.File("limited.avif"))
}

// fuzz gives the engine what begins like an image of one format: seeds, the hostile images of that format, and what the
// fuzzer makes of them.
func fuzz(f *testing.F, only string, seeds ...[]byte) {
	files, _ := filepath.Glob("../../../testdata/hostile/*")
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && len(data) < 16<<10 && format.Detect(data) == only {
			seeds = append(seeds, data)
		}
	}
	for _, data := range seeds {
		f.Add(data)
	}
	r := recipetest.Parse(f, "still=fit:8x8,format:png", "moving=fit:12x12,format:gif,animate:yes")
	engines := strictAndLenient(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if format.Detect(data) == only {
			end(t, engines, r, data)
		}
	})
}

// strictAndLenient returns the engine as it is, and one that accepts truncated images.
func strictAndLenient(f *testing.F) (engines []*Engine) {
	for _, onTruncated := range []string{engine.RejectTruncated, engine.AcceptTruncated} {
		e, err := New(Config{Limits: engine.Limits{
			MaxPixels: 100_000, MaxFrames: 10, MaxBytes: 64 << 10, OnTruncated: onTruncated,
		}})
		if err != nil {
			f.Fatal(err)
		}
		engines = append(engines, e)
	}
	return engines
}

// end checks that a transform ends in outputs or in a rejection, and not in a panic that was caught.
func end(t *testing.T, engines []*Engine, r recipe.Recipe, data []byte) {
	for _, e := range engines {
		res, err := e.Transform(context.Background(), data, r)
		if err == nil {
			if len(res.Outputs) != len(r.Variants) {
				t.Fatalf("%d outputs of %d variants", len(res.Outputs), len(r.Variants))
			}
			continue
		}
		var rejection *outcome.Rejection
		if !errors.As(err, &rejection) {
			t.Fatalf("%v is no rejection", err)
		}
		if strings.Contains(rejection.Detail, "panicked") {
			t.Fatal(err)
		}
	}
}
