package imaging

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
	"github.com/imagefarm/imagefarm/pkg/engine/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
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
		enginetest.GIF(24, 17, enginetest.Flat(image.Rect(3, 3, 9, 9), img.At(0, 0)), enginetest.Flat(img.Rect, img.At(5, 5))),
		enginetest.JPEG(img, enginetest.JPEGOptions{Segments: [][]byte{
			enginetest.Segment(0xe1, []byte("Exif\x00\x00"), enginetest.EXIF(6)),
			enginetest.Segment(0xe2, []byte("ICC_PROFILE\x00\x01\x01"), enginetest.AdobeRGB()),
		}}),
	} {
		f.Add(data)
	}
	r, err := recipe.Parse(
		"a=fit:16x16,format:jpeg", "b=fill:9x20:smart,format:png,strip:keep,icc:keep", "c=format:gif,animate:yes,fit:12x12",
		"d=rotate:90,crop:5x5,format:webp,strip:copyright,orient:off", "e=fit:8x8",
	)
	if err != nil {
		f.Fatal(err)
	}
	for _, accept := range []string{engine.RejectTruncated, engine.AcceptTruncated} {
		if _, err := New(Config{Limits: engine.Limits{OnTruncated: accept}}); err != nil {
			f.Fatal(err)
		}
	}
	limits := engine.Limits{MaxPixels: 100_000, MaxFrames: 10, MaxBytes: 64 << 10}
	strict, _ := New(Config{Limits: limits})
	limits.OnTruncated = engine.AcceptTruncated
	lenient, _ := New(Config{Limits: limits})
	f.Fuzz(func(t *testing.T, data []byte) {
		if d := format.Detect(data); d == format.HEIC || d == format.AVIF {
			return // their sandbox is a fuzz target of its own, and takes a second to start
		}
		for _, e := range []*Engine{strict, lenient} {
			res, err := e.Transform(context.Background(), data, r)
			if err == nil {
				if len(res.Outputs) != 5 {
					t.Fatalf("%d outputs", len(res.Outputs))
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
	})
}
