package enginetest

import (
	"flag"
	"image/color"
	"image/color/palette"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

var update = flag.Bool("update-goldens", false, "write the golden pictures instead of comparing with them")

func websafe() color.Palette { return palette.WebSafe }

// goldens are what engines made once, and people looked at. Engines agree with them by distance, not by bytes.
func goldens() map[string]struct {
	data []byte
	ops  string
} {
	photo := Photo(640, 480)
	turned := JPEG(Stored(photo, 6), JPEGOptions{Segments: [][]byte{exifSegment(6)}})
	alpha := NRGBA(Photo(200, 150))
	for i := 3; i < len(alpha.Pix); i += 4 {
		alpha.Pix[i] = uint8(i / 4 % 200)
	}
	return map[string]struct {
		data []byte
		ops  string
	}{
		"fit":          {JPEG(photo, JPEGOptions{}), "fit:128x128,format:jpeg"},
		"fit-turned":   {turned, "fit:128x128,format:jpeg"},
		"fit-progress": {JPEG(photo, JPEGOptions{Progressive: true}), "fit:64x64,format:jpeg"},
		"fit-gray":     {JPEG(photo, JPEGOptions{Gray: true}), "fit:128x128,format:jpeg"},
		"fit-cmyk":     {File("cmyk.jpg"), "fit:128x128,format:jpeg"},
		"fill-smart":   {JPEG(photo, JPEGOptions{}), "fill:90x90:smart,format:jpeg"},
		"pad":          {JPEG(photo, JPEGOptions{}), "pad:120x120:teal,format:jpeg"},
		"alpha":        {PNG(alpha), "fit:100x100,format:jpeg,background:orange"},
		"alpha-webp":   {PNG(alpha), "fit:100x100,format:webp"},
		"blur":         {JPEG(photo, JPEGOptions{}), "fit:128x128,blur:2,saturation:40,format:png"},
		"sharpen":      {JPEG(photo, JPEGOptions{}), "fit:128x128,sharpen:1,contrast:20,gamma:1.2,format:png"},
		"mark":         {JPEG(photo, JPEGOptions{}), "fit:128x128,watermark:mark.png:nw:0.7,format:png"},
		"gif":          {JPEG(photo, JPEGOptions{}), "fit:128x128,format:gif"},
	}
}

func testGoldens(t *testing.T, s Suite) {
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(here), "../../../testdata/goldens")
	for name, g := range goldens() {
		t.Run(name, func(t *testing.T) {
			got := s.one(t, g.data, g.ops)
			file := filepath.Join(dir, name+".png")
			if *update {
				must(os.MkdirAll(dir, 0o755))
				must(os.WriteFile(file, PNG(got), 0o644))
				return
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v (to write the goldens again: go test ./pkg/engine/reference -update-goldens)", err)
			}
			want, _, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			near(t, name, got, want, 32)
		})
	}
}
