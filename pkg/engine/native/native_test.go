//go:build !nodynamic

package native

import (
	"bytes"
	"image"
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/image/webp"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// photo returns planes of gentle waves, with half the resolution of colour.
func photo(w, h int) *picture.Picture {
	p := &picture.Picture{Model: picture.YCbCr}
	for i := range 3 {
		unit := min(i+1, 2)
		pw, ph := (w+unit-1)/unit, (h+unit-1)/unit
		plane := picture.Whole(make([]byte, pw*ph), pw, ph)
		for y := range ph {
			for x := range pw {
				plane.Pix[y*pw+x] = byte(128 + 60*math.Sin(float64(x*unit)/(20+float64(i)))*math.Cos(float64(y*unit)/17))
			}
		}
		p.Planes = append(p.Planes, plane)
	}
	return p
}

// near fails the test where the planes of two pictures differ much.
func near(t *testing.T, got, want *picture.Picture, most float64) {
	t.Helper()
	if len(got.Planes) != len(want.Planes) {
		t.Fatalf("%d planes, want %d", len(got.Planes), len(want.Planes))
	}
	for i := range want.Planes {
		g, w := &got.Planes[i], &want.Planes[i]
		if g.Width != w.Width || g.Height != w.Height {
			t.Fatalf("plane %d: %d×%d samples, want %d×%d", i, g.Width, g.Height, w.Width, w.Height)
		}
		sum := 0.0
		for y := range w.Height {
			for x, v := range w.Pix[y*w.Stride:][:w.Width] {
				sum += math.Abs(float64(g.Pix[y*g.Stride+x]) - float64(v))
			}
		}
		if mean := sum / float64(len(w.Pix)); mean > most {
			t.Errorf("plane %d differs by %.1f on average", i, mean)
		}
	}
}

// What libheif encodes libdav1d decodes.
func TestAVIF(t *testing.T) {
	h, err := LoadHEIF()
	if err != nil {
		t.Skip(err)
	}
	d, err := LoadDav1d()
	if err != nil {
		t.Skip(err)
	}
	if !h.EncodesAV1 {
		t.Skip("libheif does not encode AV1")
	}
	for _, size := range [][2]int{{320, 200}, {101, 67}} {
		want := photo(size[0], size[1])
		data, err := h.EncodeAVIF(want, 80, 8)
		if err != nil {
			t.Fatal(err)
		}
		_, units, _ := bytes.Cut(data, []byte("mdat"))
		got, err := d.Decode(units, Dav1dOptions{MaxPixels: 320 * 200})
		if err != nil {
			t.Fatal(err)
		}
		near(t, got, want, 3)
	}
	if _, err := h.Decode([]byte("nothing"), Sampling420); err == nil {
		t.Error("libheif decoded nothing")
	}
	if _, err := d.Decode([]byte("nothing"), Dav1dOptions{MaxPixels: 1}); err == nil {
		t.Error("libdav1d decoded nothing")
	}
}

func TestWebPThroughLibWebP(t *testing.T) {
	lib, err := LoadWebP()
	if err != nil {
		t.Skip(err)
	}
	for _, size := range [][2]int{{320, 200}, {101, 67}} {
		want := photo(size[0], size[1])
		data, err := lib.Encode(want, WebPOptions{Quality: 90, Method: 4})
		if err != nil {
			t.Fatal(err)
		}
		got, err := webp.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		near(t, picture.OfYCbCr(got.(*image.YCbCr)), want, 3)
	}
	pix := make([]byte, 4*20*10)
	for i := range pix {
		pix[i] = [4]byte{200, 100, 50, 128}[i%4]
	}
	data, err := lib.EncodeRGBA(pix, 80, 20, 10, WebPOptions{Quality: 90, Method: 4})
	if err != nil {
		t.Fatal(err)
	}
	got, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	img := got.(*image.NYCbCrA)
	if p := img.NYCbCrAAt(15, 2); p.A != 128 {
		t.Errorf("%v", p)
	}
}

// A process whose environment does not allow it loads nothing.
func TestLibrariesAreLoadedWhereAllowed(t *testing.T) {
	if os.Getenv("NATIVE_TEST_ASK") != "" {
		_, err := LibWebP()
		if err == errNotAllowed || err == errPortable {
			os.Exit(3)
		}
		os.Exit(0)
	}
	for value, want := range map[string]int{"": 3, Portable: 3, Native: 0} {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestLibrariesAreLoadedWhereAllowed$")
		cmd.Env = append(os.Environ(), "NATIVE_TEST_ASK=1", Env+"="+value)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s=%s: status %d, want %d: %s", Env, value, got, want, strings.TrimSpace(string(out)))
		}
	}
}
