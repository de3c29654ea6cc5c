package main

import (
	"bytes"
	"errors"
	"flag"
	"image"
	"image/color"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// The encoders of compress/flate and image/gif may change with Go, and arithmetic differs in the last bit between
// processors. So what differs in bytes may differ by a step or two in pixels, and no more.
//
// The large pictures take minutes to paint: they are compared with go test ./testdata/gen -args -all.
func TestWhatIsCommittedIsWhatTheGeneratorMakes(t *testing.T) {
	for _, f := range append(photos(), hostile()...) {
		if !*all && !quick(f.path) {
			continue
		}
		committed, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(f.path)))
		if err != nil {
			t.Errorf("%v (go run ./testdata/gen makes it)", err)
			continue
		}
		made, err := f.make()
		if err != nil {
			t.Errorf("%s: %v", f.path, err)
			continue
		}
		if bytes.Equal(committed, made) {
			continue
		}
		if d := distance(committed, made); d > 1.5 {
			t.Errorf("%s is not what the generator makes (mean difference %.2f steps)", f.path, d)
		}
	}
}

var all = flag.Bool("all", false, "compare every picture, which takes minutes")

func quick(path string) bool {
	for _, p := range []string{"hostile/*", "photos/orientation/*", "photos/archive/poster*", "photos/nature/moon*",
		"photos/nature/daisy*"} {
		if ok, err := filepath.Match(p, path); err == nil && ok {
			return true
		}
	}
	return false
}

// distance is the mean difference of two encoded pictures in steps of 8 bits, infinite when they are not comparable.
func distance(a, b []byte) float64 {
	x, _, err := image.Decode(bytes.NewReader(a))
	if err != nil {
		return math.Inf(1)
	}
	y, _, err := image.Decode(bytes.NewReader(b))
	if err != nil || x.Bounds() != y.Bounds() {
		return math.Inf(1)
	}
	sum := 0.0
	r := x.Bounds()
	for j := r.Min.Y; j < r.Max.Y; j++ {
		for i := r.Min.X; i < r.Max.X; i++ {
			c, d := color.NRGBA64Model.Convert(x.At(i, j)).(color.NRGBA64), color.NRGBA64Model.Convert(y.At(i,
				j)).(color.NRGBA64)
			for _, v := range [4][2]uint16{{c.R, d.R}, {c.G, d.G}, {c.B, d.B}, {c.A, d.A}} {
				sum += math.Abs(float64(v[0]) - float64(v[1]))
			}
		}
	}
	return sum / 257 / 4 / float64(r.Dx()*r.Dy())
}

func TestNothingIsCommittedThatTheGeneratorDoesNotMake(t *testing.T) {
	known := map[string]bool{}
	for _, f := range append(photos(), hostile()...) {
		if known[f.path] {
			t.Errorf("%s is made twice", f.path)
		}
		known[f.path] = true
	}
	for _, tree := range []string{"photos", "hostile"} {
		err := fs.WalkDir(os.DirFS(".."), tree, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !known[path] {
				t.Errorf("testdata/%s: the generator does not make it", path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestEveryPhotoDecodes(t *testing.T) {
	paths := map[string]bool{}
	total := int64(0)
	err := filepath.WalkDir("../photos", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		total += int64(len(data))
		paths[path] = true
		if _, _, err := image.Decode(bytes.NewReader(data)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) < 24 {
		t.Errorf("%d photos, want at least 24", len(paths))
	}
	if total > 4<<20 {
		t.Errorf("the photos take %d bytes, more than 4 MiB", total)
	}
}

// What the hostile files do to the standard library is what they are for: those to be rejected do not decode, the
// others do.
func TestHostileFilesDoWhatTheySay(t *testing.T) {
	list, err := os.ReadFile("../hostile/EXPECTED.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(list)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 3 {
			t.Fatalf("%q: want three fields", line)
		}
		checkHostile(t, f[0], f[1], f[2])
	}
}

func checkHostile(t *testing.T, name, want, reason string) {
	o, err := outcome.Parse(want)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if _, err := outcome.ParseReason(reason); (err == nil) != (o == outcome.Rejected) {
		t.Errorf("%s: outcome %q with reason %q", name, want, reason)
	}
	data, err := os.ReadFile(filepath.Join("../hostile", name))
	if err != nil {
		t.Error(err)
		return
	}
	r := outcome.Reason(reason)
	if r == outcome.TooManyPixels {
		c, _, err := image.DecodeConfig(bytes.NewReader(data))
		if err != nil || int64(c.Width)*int64(c.Height) < 250e6 && c.Width < 65536 {
			t.Errorf("%s: %d×%d, %v: not too many pixels", name, c.Width, c.Height, err)
		}
		return
	}
	_, format, err := image.Decode(bytes.NewReader(data))
	switch {
	case r == outcome.AnimatedTooLong:
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	case r == outcome.NotAnImage:
		if !errors.Is(err, image.ErrFormat) {
			t.Errorf("%s: decoded as %q, %v: want %v", name, format, err, image.ErrFormat)
		}
	case (err == nil) != (o == outcome.Done):
		t.Errorf("%s: decoded with %v, but is to be %s", name, err, want)
	}
}

func TestLosslessWebPIsLossless(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {5, 3}, {130, 70}} {
		m := sample(size[0], size[1])
		back, err := webp.Decode(bytes.NewReader(webpLossless(m)))
		if err != nil {
			t.Fatalf("%v: %v", size, err)
		}
		if !bytes.Equal(eightBit(back).Pix, eightBit(m).Pix) {
			t.Errorf("%v: the pixels changed", size)
		}
	}
}

func TestOrientationsAreTakenBackByADisplay(t *testing.T) {
	m := sample(7, 4)
	for o := 1; o <= 8; o++ {
		s := stored(m, o)
		for y := range 4 {
			for x := range 7 {
				// Where a display finds the pixel, from the table in the EXIF specification: what the stored
				// picture's first row and first column are.
				sx := [9]int{0, x, 6 - x, 6 - x, x, y, y, 3 - y, 3 - y}[o]
				sy := [9]int{0, y, y, 3 - y, 3 - y, x, 6 - x, 6 - x, x}[o]
				if s.At(sx, sy) != color.NRGBA64Model.Convert(m.At(x, y)) {
					t.Fatalf("orientation %d: pixel %d,%d is elsewhere", o, x, y)
				}
			}
		}
	}
}
