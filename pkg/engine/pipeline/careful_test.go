package pipeline

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe/recipetest"
	"github.com/imagefarm/imagefarm/testdata/gen/jpegenc"
)

// engines are both engines, with limits.
func engines(t *testing.T, limits engine.Limits) map[string]engine.Engine {
	t.Helper()
	fast, err := New(Config{Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	slow, err := reference.New(reference.Config{Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]engine.Engine{"pipeline": fast, "reference": slow}
}

func transformed(t *testing.T, e engine.Engine, data []byte, variants ...string) (*engine.Result, error) {
	t.Helper()
	r := recipetest.Parse(t, variants...)
	return e.Transform(t.Context(), data, r)
}

// ramps has more levels than 8 bits hold.
func ramps(w, h int) *image.NRGBA64 {
	img := image.NewNRGBA64(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA64(x, y, color.NRGBA64{
				R: uint16(9000 + 190*x + 30*y), G: uint16(60_000 - 151*x - 90*y), B: uint16(30_000 + 40*x - 77*y),
				A: 65535,
			})
		}
	}
	return img
}

// meanDifference is of red, green and blue, of 65535 levels.
func meanDifference(a, b image.Image) float64 {
	sum := 0.0
	size := a.Bounds().Size()
	for y := range size.Y {
		for x := range size.X {
			p := color.NRGBA64Model.Convert(a.At(x, y)).(color.NRGBA64)
			q := color.NRGBA64Model.Convert(b.At(x, y)).(color.NRGBA64)
			for _, d := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B)} {
				sum += math.Abs(float64(d))
			}
		}
	}
	return sum / float64(3*size.X*size.Y)
}

// JPEG of 12 bits comes out with 16 where they are kept, nearer to the picture than 8 bits can be; else with 8.
func TestJPEGOf12Bits(t *testing.T) {
	img := ramps(150, 100)
	gray := image.NewGray16(img.Rect)
	for i := 0; i < len(gray.Pix); i += 2 {
		v := 2000 + 300*(i/2%150)
		gray.Pix[i], gray.Pix[i+1] = byte(v>>8), byte(v)
	}
	for name, c := range map[string]struct {
		img  image.Image
		opt  jpegenc.Options
		most float64 // mean difference of 65535; one level of 8 bits is 257
	}{
		"4:4:4":             {img, jpegenc.Options{Sampling: [2]int{1, 1}}, 12},
		"4:2:0":             {img, jpegenc.Options{}, 40},
		"4:2:0 progressive": {img, jpegenc.Options{Progressive: true}, 40},
		"restarts":          {img, jpegenc.Options{Restart: 2}, 40},
		"gray":              {gray, jpegenc.Options{Space: jpegenc.Gray}, 12},
		"gray progressive":  {gray, jpegenc.Options{Space: jpegenc.Gray, Progressive: true}, 12},
	} {
		c.opt.Precision, c.opt.Quality = 12, 100
		data := jpegenc.Encode(c.img, c.opt)
		for engineName, e := range engines(t, engine.Limits{}) {
			eight, err := transformed(t, e, data, "x=format:png")
			if err != nil {
				t.Fatalf("%s, %s: %v", name, engineName, err)
			}
			got, err := png.Decode(bytes.NewReader(eight.Outputs[0].Data))
			if err != nil {
				t.Fatal(err)
			}
			if d := meanDifference(got, c.img); d > 100 {
				t.Errorf("%s, %s: 8 bits differ by %.1f of 65535", name, engineName, d)
			}
			if engineName == "reference" {
				_, err := transformed(t, e, data, "x=format:png,depth:keep")
				if r := rejectionOf(err); r == nil || r.Reason != outcome.Unsupported {
					t.Errorf("%s: the reference engine keeps no depth, and says %v", name, err)
				}
				continue
			}
			deep, err := transformed(t, e, data, "x=format:png,depth:keep", "y=fit:75x50,format:tiff,depth:keep")
			if err != nil {
				t.Fatal(err)
			}
			if got, err = png.Decode(bytes.NewReader(deep.Outputs[0].Data)); err != nil {
				t.Fatal(err)
			}
			if d := meanDifference(got, c.img); d > c.most {
				t.Errorf("%s: 16 bits differ by %.1f of 65535, at most %.1f is right", name, d, c.most)
			}
		}
	}
}

// Inks of 12 bits become the colours that those of 8 bits become.
func TestInksOf12Bits(t *testing.T) {
	img := enginetest.Photo(96, 64)
	for name, e := range engines(t, engine.Limits{}) {
		var made [2]image.Image
		for i, precision := range []int{8, 12} {
			data := jpegenc.Encode(img, jpegenc.Options{Space: jpegenc.AdobeCMYK, Quality: 98, Precision: precision})
			res, err := transformed(t, e, data, "x=format:png,depth:keep")
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if made[i], err = png.Decode(bytes.NewReader(res.Outputs[0].Data)); err != nil {
				t.Fatal(err)
			}
		}
		if d := meanDifference(made[0], made[1]); d > 2*257 {
			t.Errorf("%s: they differ by %.1f of 65535", name, d)
		}
	}
}

func rejectionOf(err error) *outcome.Rejection {
	var r *outcome.Rejection
	errors.As(err, &r)
	return r
}

// What arithmetic coding or 12 bits hold is kept of a file that was cut, where that is accepted, and rejected else.
func TestCutFilesOfCarefulDecoders(t *testing.T) {
	twelve := jpegenc.Encode(ramps(150, 100), jpegenc.Options{Precision: 12, Quality: 95})
	files := map[string][]byte{"12 bits": twelve}
	for _, name := range []string{"arithmetic.jpg", "arithmetic-progressive.jpg"} {
		data, err := os.ReadFile(filepath.Join("../../jpeg/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	for name, data := range files {
		cut := data[:len(data)*4/5]
		for engineName, e := range engines(t, engine.Limits{}) {
			_, err := transformed(t, e, cut, "x=fit:30x30,format:png")
			if r := rejectionOf(err); r == nil || r.Reason != outcome.Truncated {
				t.Errorf("%s, %s: %v, want %s", name, engineName, err, outcome.Truncated)
			}
		}
		for engineName, e := range engines(t, engine.Limits{OnTruncated: engine.AcceptTruncated}) {
			res, err := transformed(t, e, cut, "x=fit:30x30,format:png")
			if err != nil || len(res.Warnings) != 1 {
				t.Errorf("%s, %s: %v, %+v; want an output and a warning", name, engineName, err, res)
				continue
			}
			whole, err := transformed(t, e, data, "x=fit:30x30,format:png")
			if err != nil || len(whole.Warnings) > 0 {
				t.Fatalf("%s, %s: %v", name, engineName, err)
			}
			var upper [2]image.Image
			for i, r := range []*engine.Result{res, whole} {
				img, err := png.Decode(bytes.NewReader(r.Outputs[0].Data))
				if err != nil {
					t.Fatal(err)
				}
				size := img.Bounds().Size()
				upper[i] = img.(interface {
					SubImage(image.Rectangle) image.Image
				}).SubImage(image.Rect(0, 0, size.X, size.Y/3))
			}
			if d := meanDifference(upper[0], upper[1]); d > 1500 {
				t.Errorf("%s, %s: the upper third of what was kept differs by %.0f of 65535", name, engineName, d)
			}
		}
	}
}

// Arithmetic coding is read as any JPEG is: the same picture comes of it, at every size.
func TestArithmeticJPEG(t *testing.T) {
	jpegtran, err := exec.LookPath("jpegtran")
	if err != nil {
		t.Skip(err)
	}
	exif := enginetest.Segment(0xe1, []byte("Exif\x00\x00"), enginetest.EXIF(6))
	huffman := enginetest.JPEG(enginetest.Photo(200, 130), enginetest.JPEGOptions{Segments: [][]byte{exif}})
	variants := []string{"a=format:png", "b=fit:40x40", "c=strip:keep,quality:90"}
	for name, e := range engines(t, engine.Limits{}) {
		want, err := transformed(t, e, huffman, variants...)
		if err != nil {
			t.Fatal(err)
		}
		for _, options := range [][]string{{"-arithmetic"}, {"-arithmetic", "-progressive"}} {
			cmd := exec.Command(jpegtran, append(options, "-copy", "all")...)
			cmd.Stdin = bytes.NewReader(huffman)
			data, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			got, err := transformed(t, e, data, variants...)
			if err != nil {
				t.Fatal(err)
			}
			for i, o := range got.Outputs {
				if name == "pipeline" && !bytes.Equal(o.Data, want.Outputs[i].Data) {
					t.Errorf("%v: variant %s differs from that of the same JPEG in Huffman's codes", options, o.Variant)
				}
			}
		}
	}
}
