package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/isolate"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

func TestLibrariesThatAnImageNeeds(t *testing.T) {
	photo := enginetest.Photo(20, 20)
	jpeg := enginetest.JPEG(photo, enginetest.JPEGOptions{})
	for _, c := range []struct {
		name  string
		image []byte
		ops   string
		want  isolate.Libraries
	}{
		{"jpeg", jpeg, "fit:8x8", 0},
		{"jpeg to webp", jpeg, "fit:8x8,format:webp", 0},
		{"jpeg to webp with a border", jpeg, "pad:8x8,format:webp", 0},
		{"jpeg to webp with a transparent border", jpeg, "pad:8x8:ffffff80,format:webp", webpEncoder},
		{"jpeg to lossless webp", jpeg, "fit:8x8,format:webp,lossless:yes", webpEncoder},
		{"png to webp", enginetest.PNG(photo), "fit:8x8,format:webp", webpEncoder},
		{"jpeg to avif", jpeg, "fit:8x8,format:avif", heifLibrary | av1Encoder},
		{"png", enginetest.PNG(photo), "fit:8x8", 0},
		{"heic", enginetest.File("quadrants.heic"), "fit:8x8,format:jpeg", heifLibrary},
		{"avif", enginetest.File("quadrants.avif"), "fit:8x8,format:jpeg", dav1dLibrary | av1Decoder},
		{"avif of the same format", enginetest.File("quadrants.avif"), "fit:8x8",
			heifLibrary | dav1dLibrary | av1Decoder | av1Encoder},
		{"jxl", []byte("\xff\x0a\x00"), "fit:8x8,format:jpeg", jxlLibrary},
		{
			"jxl in boxes, to avif", []byte("\x00\x00\x00\x0cJXL \r\n\x87\n"), "fit:8x8,format:avif",
			heifLibrary | jxlLibrary | av1Encoder,
		},
		{"not an image", []byte("text"), "fit:8x8", 0},
		{"nothing", nil, "fit:8x8", 0},
	} {
		r, err := recipe.Parse("x=" + c.ops)
		if err != nil {
			t.Fatal(err)
		}
		if got := librariesFor(c.image, r); got != c.want {
			t.Errorf("%s: libraries %b, want %b", c.name, got, c.want)
		}
	}
}

func TestLibrariesThatWatermarksNeed(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"a.png": enginetest.PNG(enginetest.Photo(20, 20)), "b.avif": enginetest.File("quadrants.avif"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := librariesForAssets(dir); got != dav1dLibrary|av1Decoder || err != nil {
		t.Errorf("libraries %b, %v, want %b", got, err, dav1dLibrary|av1Decoder)
	}
	if got, err := librariesForAssets(""); got != 0 || err != nil {
		t.Errorf("without a directory: %b, %v", got, err)
	}
}
