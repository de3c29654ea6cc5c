package format_test

import (
	"bytes"
	"image"
	"strings"
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
		"mif1": "heic", "msf1": "heic", "heis": "heic", "hevs": "heic", "miafMiHB": "heic", "mif1miafMA1B": "avif",
		"msf1avis": "avif", "isom": "", "qt  ": "", "mp42isom": "", "crx isom": "raw", "isomheic": "heic",
	} {
		if got := format.Detect(box(brands)); got != want {
			t.Errorf("brands %s are taken for %q, want %q", brands, got, want)
		}
	}
}

func TestTableIsConsistent(t *testing.T) {
	names, extensions := make(map[string]bool), make(map[string]bool)
	for _, f := range format.All() {
		if names[f.Name] || f.Name != strings.ToLower(f.Name) || format.Of(f.Name).Name != f.Name {
			t.Errorf("%q cannot name one format", f.Name)
		}
		names[f.Name] = true
		if len(f.Extensions) == 0 {
			t.Errorf("%s has no extension", f.Name)
		}
		for _, ext := range f.Extensions {
			if extensions[ext] || !strings.HasPrefix(ext, ".") || format.OfFile("A"+strings.ToUpper(ext)).Name != f.Name {
				t.Errorf("%s cannot stand for %s alone", ext, f.Name)
			}
			extensions[ext] = true
		}
		carries := f.Quality > 0 || f.Animates || f.Alpha || f.ICC || f.EXIF || f.XMP || f.IPTC
		if f.Written != (f.MaxSide > 0) || !f.Written && carries {
			t.Errorf("%s: what outputs can hold is said of formats that are written, and of no other", f.Name)
		}
	}
	if f := format.Of("xyz"); f.Name != "" || f.Read || f.Written {
		t.Errorf("an unknown name is the format %+v", f)
	}
}

func TestExtension(t *testing.T) {
	for name, want := range map[string]string{
		"a.jpg": ".jpg", "d/a.b.JPEG": ".JPEG", "a": "", ".jpg": "", "d/.jpg": "", "d/.x.png": ".png",
		"d.jpg/a": "", "a.": ".",
	} {
		if got := format.Extension(name); got != want {
			t.Errorf("the extension of %q is %q, want %q", name, got, want)
		}
	}
}

func TestDetectReportsNoFormatForText(t *testing.T) {
	for _, text := range []string{"BM", "BMW sold 2.5 million cars in 2023, more than", "GIF87",
		"RIFF\x00\x00\x00\x00WAVE", "II*"} {
		if got := format.Detect([]byte(text)); got != "" {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
}
