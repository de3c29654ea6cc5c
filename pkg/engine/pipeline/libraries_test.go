package pipeline

import (
	"bytes"
	"errors"
	"image/color"
	"os"
	"os/exec"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe/recipetest"
)

// Libraries are loaded only in processes whose environment says so, and this one's does not.
func TestJPEGXLIsRefusedByNameWithoutItsLibrary(t *testing.T) {
	if os.Getenv(native.Env) == native.Native {
		t.Skip("this process loads libraries")
	}
	_, err := header.Read(enginetest.File("quadrants.jxl"))
	var r *outcome.Rejection
	if !errors.As(err, &r) || r.Reason != outcome.Unsupported || !bytes.Contains([]byte(r.Detail), []byte("libjxl")) {
		t.Errorf("%v, want a rejection that names libjxl", err)
	}
}

// newWithLibraries returns an engine that uses libraries, or nil if the test has run in a process of its own: one that
// may load them. It skips the test if something that the test needs is missing.
func newWithLibraries(t *testing.T, missing error) *Engine {
	t.Helper()
	if missing != nil {
		t.Skip(missing)
	}
	if os.Getenv(native.Env) == native.Native {
		e, err := New(Config{})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), native.Env+"="+native.Native)
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Fatalf("%v\n%s", err, out)
	}
	return nil
}

func TestJPEGXL(t *testing.T) {
	_, missing := native.LoadJXL()
	e := newWithLibraries(t, missing)
	if e == nil {
		return
	}
	one := func(data []byte, ops string) (pixels, error) {
		r := recipetest.Parse(t, "x="+ops)
		res, err := e.Transform(t.Context(), data, r)
		if err != nil {
			return pixels{}, err
		}
		img, _, err := enginetest.Decode(res.Outputs[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		return pixels{img.NRGBAAt, img.Rect.Dx(), img.Rect.Dy()}, nil
	}
	red, blue := color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 0, 255, 255}
	for _, c := range []struct {
		file, ops  string
		w, h       int
		upper, low color.NRGBA // left
	}{
		{"quadrants.jxl", "format:png", 160, 120, red, blue},
		{"quadrants.jxl", "fit:80x80,format:png", 80, 60, red, blue},
		{"alpha.jxl", "format:png", 160, 120, color.NRGBA{255, 0, 0, 128}, color.NRGBA{0, 0, 255, 128}},
		{"turned.jxl", "format:png", 160, 120, red, blue},
		{"turned.jxl", "orient:off,format:png", 120, 160, color.NRGBA{0, 192, 0, 255}, red},
		{"adobe.jxl", "format:png", 32, 32, color.NRGBA{0, 201, 0, 255}, color.NRGBA{0, 201, 0, 255}},
		{"gray.jxl", "format:png", 64, 48, color.NRGBA{}, color.NRGBA{}},
	} {
		img, err := one(enginetest.File(c.file), c.ops)
		if err != nil || img.w != c.w || img.h != c.h {
			t.Errorf("%s, %s: %d×%d (%v)", c.file, c.ops, img.w, img.h, err)
			continue
		}
		for y, want := range map[int]color.NRGBA{c.h / 4: c.upper, c.h * 3 / 4: c.low} {
			if c.file == "gray.jxl" {
				v := uint8(3 * (y*64 + 16))
				want = color.NRGBA{v, v, v, 255}
			}
			got := img.at(c.w/4, y)
			for _, d := range []int{int(got.R) - int(want.R), int(got.G) - int(want.G), int(got.B) - int(want.B),
				int(got.A) - int(want.A)} {
				if d*d > 36 {
					t.Errorf("%s, %s: %v at %d, want %v", c.file, c.ops, got, y, want)
					break
				}
			}
		}
	}
	whole := enginetest.File("turned.jxl")
	for n := range len(whole) {
		if _, err := one(whole[:n], "fit:9x9"); err == nil {
			t.Errorf("%d bytes of %d were enough", n, len(whole))
		}
	}
	var r *outcome.Rejection
	if _, err := one(whole[:len(whole)-200], "fit:9x9"); !errors.As(err, &r) || r.Reason != outcome.Truncated {
		t.Errorf("a file that was cut: %v", err)
	}
	for i := range len(whole) - 12 {
		damaged := bytes.Clone(whole)
		damaged[12+i] ^= 0x55
		if _, err := one(damaged, "fit:9x9"); err != nil && !errors.As(err, &r) {
			t.Errorf("byte %d damaged: %v is no rejection", 12+i, err)
		}
	}
}

type pixels struct {
	at   func(x, y int) color.NRGBA
	w, h int
}

// Each frame of an animation is a page.
func TestPagesOfJPEGXL(t *testing.T) {
	_, missing := native.LoadJXL()
	e := newWithLibraries(t, missing)
	if e == nil {
		return
	}
	data := enginetest.File("animated.jxl")
	stripes := []color.NRGBA{{255, 0, 0, 255}, {0, 192, 0, 255}, {0, 0, 255, 255}}
	grays := []uint8{200, 90, 10}
	r := recipetest.Parse(t, "c=format:png,page:2", "a=format:png", "b=format:png,page:1", "none=page:3,format:png")
	res, err := e.Transform(t.Context(), data, r)
	if err != nil {
		t.Fatal(err)
	}
	for i, page := range []int{2, 0, 1} {
		img, _, err := enginetest.Decode(res.Outputs[i].Data)
		if err != nil || img.Rect.Dx() != 40 || img.Rect.Dy() != 30 {
			t.Fatalf("page %d: %v, %v", page, img.Rect, err)
		}
		for n, want := range stripes {
			switch {
			case n < page: // the negative of its colour
				want = color.NRGBA{255 - want.R, 255 - want.G, 255 - want.B, 255}
			case n > page:
				want = color.NRGBA{grays[page], grays[page], grays[page], 255}
			}
			if got := img.NRGBAAt(10*n+5, 15); got != want {
				t.Errorf("page %d, stripe %d: %v, want %v", page, n, got, want)
			}
		}
	}
	if why := res.Outputs[3].Refused; why == nil || why.Reason != outcome.NoSuchPage {
		t.Errorf("page 3: %v, want %s", why, outcome.NoSuchPage)
	}
	// The pages of a file that was cut are those that are whole.
	for n := range len(data) {
		info, err := header.Read(data[:n])
		if err == nil && (info.Pages < 1 || info.Pages > 3) {
			t.Errorf("%d bytes: %d pages", n, info.Pages)
		}
	}
}
