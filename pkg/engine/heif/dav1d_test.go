package heif

import (
	"image"
	"math"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// wavy paints smooth patterns of all channels, of an odd size.
func wavy() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, 301, 201))
	for i := 0; i < len(img.Pix); i += 4 {
		x, y := float64(i/4%301), float64(i/4/301)
		for c := range 3 {
			img.Pix[i+c] = byte(128 + 90*math.Sin(x/(19+9*float64(c)))*math.Cos(y/23))
		}
		img.Pix[i+3] = 255
	}
	return img
}

// byDav1d decodes the primary picture of a file by libdav1d.
func byDav1d(t *testing.T, lib *native.Dav1d, data []byte, how fidelity) (*picture.Picture, error) {
	t.Helper()
	f, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	w, h := f.primary.size()
	return dav1d{lib}.decode(f.primary, color{}, w, h, how)
}

// distance returns the root of the mean square of the difference between the samples of two planes.
func distance(a, b *picture.Plane) float64 {
	sum := 0.0
	for y := range a.Height {
		for x, v := range a.Pix[y*a.Stride:][:a.Width] {
			d := float64(v) - float64(b.Pix[y*b.Stride+x])
			sum += d * d
		}
	}
	return math.Sqrt(sum / float64(a.Width*a.Height))
}

// libdav1d yields the planes as they are coded: none is converted, and each has its own size.
func TestDav1dYieldsPlanesAsTheyAreCoded(t *testing.T) {
	lib, err := native.LoadDav1d()
	if err != nil {
		t.Skip(err)
	}
	for name, chroma := range map[string]picture.Chroma{
		"4:2:0": picture.Quarter, "4:2:2": {HalfAcross: true}, "4:4:4": {},
	} {
		want := picture.FromNRGBA(wavy(), chroma)
		data, err := encodeInSandbox(wavy(), Options{Quality: 90, Effort: 1, Chroma: chroma})
		if err != nil {
			t.Fatal(err)
		}
		got, err := byDav1d(t, lib, data, fidelity{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := range want.Planes {
			g, w := &got.Planes[i], &want.Planes[i]
			if g.Width != w.Width || g.Height != w.Height || g.Across != w.Across || g.Down != w.Down {
				t.Errorf("%s: plane %d of %d×%d samples spans %v and %v, want %d×%d, %v and %v",
					name, i, g.Width, g.Height, g.Across, g.Down, w.Width, w.Height, w.Across, w.Down)
			} else if d := distance(g, w); d > 2.5 {
				t.Errorf("%s: plane %d is %.1f from the original", name, i, d)
			}
		}
	}
}

// Without in-loop filters a picture is nearly the same, and not quite: otherwise nothing would be left out.
func TestDav1dLeavesOutFilters(t *testing.T) {
	lib, err := native.LoadDav1d()
	if err != nil {
		t.Skip(err)
	}
	data, err := encodeInSandbox(wavy(), Options{Quality: 20, Effort: 1, Chroma: picture.Quarter})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := byDav1d(t, lib, data, fidelity{})
	if err != nil {
		t.Fatal(err)
	}
	unfiltered, err := byDav1d(t, lib, data, fidelity{unfiltered: true})
	if err != nil {
		t.Fatal(err)
	}
	if d := distance(&whole.Planes[0], &unfiltered.Planes[0]); d == 0 || d > 3 {
		t.Errorf("luma without filters is %.2f from luma with them", d)
	}
}

// Damage is an error or another picture of the same size, and never the end of the process.
func TestDav1dSurvivesDamage(t *testing.T) {
	lib, err := native.LoadDav1d()
	if err != nil {
		t.Skip(err)
	}
	data, err := encodeInSandbox(wavy(), Options{Quality: 60, Effort: 1, Chroma: picture.Quarter})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	units, failed := f.primary.bytes(), 0
	for n := 0; n < len(units); n += 1 + len(units)/40 {
		damaged := append([]byte(nil), units...)
		damaged[n] ^= 0x55
		for _, p := range [][]byte{units[:n], damaged} {
			got, err := lib.Decode(p, native.Dav1dOptions{MaxPixels: 301 * 201})
			switch {
			case err != nil:
				failed++
			case got.Width()*got.Height() > 301*201:
				t.Fatalf("%d×%d pixels, more than the limit", got.Width(), got.Height())
			}
		}
	}
	if failed == 0 {
		t.Error("nothing was refused")
	}
	if _, err := lib.Decode(units, native.Dav1dOptions{MaxPixels: 301*201 - 1}); err == nil {
		t.Error("a picture beyond the limit was decoded")
	}
}
