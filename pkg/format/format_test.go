package format_test

import (
	"bytes"
	"image"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/format"
)

func TestDetect(t *testing.T) {
	img := enginetest.Photo(20, 20)
	for want, data := range map[string][]byte{
		"jpeg": enginetest.JPEG(img, enginetest.JPEGOptions{}), "png": enginetest.PNG(img), "tiff": enginetest.TIFF(img),
		"gif": enginetest.GIF(20, 20, enginetest.Flat(image.Rect(0, 0, 20, 20), img.At(0, 0))), "bmp": enginetest.BMP(img),
		"webp": enginetest.WebP(img), "heic": enginetest.File("quadrants.heic"), "avif": enginetest.File("quadrants.avif"),
	} {
		if got := format.Detect(data); got != want {
			t.Errorf("%s is taken for %q", want, got)
		}
		if got := format.Detect(data[:format.HeadSize]); got != want {
			t.Errorf("%s is taken for %q by its first bytes", want, got)
		}
		for n := range 4 {
			if got := format.Detect(data[:n]); got != "" && n < 3 {
				t.Errorf("%d bytes of %s are taken for %q", n, want, got)
			}
		}
	}
}

func TestDetectByBrand(t *testing.T) {
	box := func(brands string) []byte {
		b := []byte("\x00\x00\x00\x00ftyp" + brands[:4] + "\x00\x00\x00\x00" + brands[4:])
		b[3] = byte(len(b))
		return append(b, bytes.Repeat([]byte("heic"), 8)...) // what comes after the box does not count
	}
	for brands, want := range map[string]string{
		"heic": "heic", "heixmif1": "heic", "avif": "avif", "avis": "avif", "mif1avif": "avif", "mif1miafheic": "heic",
		"mif1": "heic", "msf1avis": "avif", "isom": "", "qt  ": "", "mp42isom": "",
	} {
		if got := format.Detect(box(brands)); got != want {
			t.Errorf("brands %s are taken for %q, want %q", brands, got, want)
		}
	}
}

func TestDetectTakesNoTextForABitmap(t *testing.T) {
	for _, text := range []string{"BM", "BMW sold 2.5 million cars in 2023, more than", "GIF87", "RIFF\x00\x00\x00\x00WAVE", "II*"} {
		if got := format.Detect([]byte(text)); got != "" {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
}
