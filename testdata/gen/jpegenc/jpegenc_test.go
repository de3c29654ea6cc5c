package jpegenc

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"
)

func scenery(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	seed := uint32(7)
	for y := range h {
		for x := range w {
			seed = seed*1664525 + 1013904223
			v := 128 + 90*math.Sin(float64(x)/9)*math.Cos(float64(y)/13) + float64(seed>>27) - 16
			m.SetRGBA(x, y, color.RGBA{uint8(v), uint8((v + float64(x)) / 2), uint8(255 - v), 255})
		}
	}
	return m
}

func psnr(a, b image.Image) float64 {
	var sum, n float64
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r, g, bl, _ := a.At(x, y).RGBA()
			r2, g2, bl2, _ := b.At(x, y).RGBA()
			for _, d := range [3]float64{float64(r) - float64(r2), float64(g) - float64(g2), float64(bl) -
				float64(bl2)} {
				sum += d * d / 257 / 257
				n++
			}
		}
	}
	return 10 * math.Log10(255*255*n/math.Max(sum, 1e-9))
}

func TestWhatIsWrittenDecodesToThePicture(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {8, 8}, {67, 45}, {200, 131}} {
		for _, sampling := range [][2]int{{1, 1}, {2, 1}, {2, 2}, {1, 2}, {4, 1}} {
			for _, progressive := range []bool{false, true} {
				for _, quality := range []int{30, 85, 98} {
					opt := Options{Quality: quality, Sampling: sampling, Progressive: progressive}
					if !progressive {
						opt.Restart = 3
					}
					t.Run(fmt.Sprint(size, opt), func(t *testing.T) { check(t, size, opt) })
				}
			}
		}
	}
}

func check(t *testing.T, size [2]int, opt Options) {
	m := scenery(size[0], size[1])
	back, err := jpeg.Decode(bytes.NewReader(Encode(m, opt)))
	if err != nil {
		t.Fatal(err)
	}
	if back.Bounds() != m.Bounds() {
		t.Fatalf("bounds %v, want %v", back.Bounds(), m.Bounds())
	}
	want := 22.0
	if opt.Sampling == [2]int{1, 1} {
		want = map[int]float64{30: 25, 85: 28, 98: 37}[opt.Quality]
	}
	if got := psnr(m, back); got < want {
		t.Errorf("%.1f dB, want at least %.0f", got, want)
	}
}

// The scans of a progressive file carry the same coefficients as the one scan of a baseline file.
func TestProgressiveAndBaselineDecodeAlike(t *testing.T) {
	m := scenery(123, 77)
	for _, sampling := range [][2]int{{1, 1}, {2, 2}} {
		a, err := jpeg.Decode(bytes.NewReader(Encode(m, Options{Sampling: sampling, Quality: 95})))
		if err != nil {
			t.Fatal(err)
		}
		b, err := jpeg.Decode(bytes.NewReader(Encode(m, Options{Sampling: sampling, Quality: 95, Progressive: true})))
		if err != nil {
			t.Fatal(err)
		}
		if d := psnr(a, b); d < 90 {
			t.Errorf("sampling %v: %.1f dB between baseline and progressive", sampling, d)
		}
	}
}

func TestGrayAndCMYK(t *testing.T) {
	m := scenery(90, 50)
	for _, space := range []Space{Gray, AdobeCMYK} {
		back, err := jpeg.Decode(bytes.NewReader(Encode(m, Options{Space: space, Quality: 95})))
		if err != nil {
			t.Fatal(err)
		}
		var want image.Image = m
		if space == Gray {
			g := image.NewGray(m.Bounds())
			for y := range 50 {
				for x := range 90 {
					g.Set(x, y, m.At(x, y))
				}
			}
			want = g
		}
		if d := psnr(want, back); d < 30 {
			t.Errorf("space %d: %.1f dB", space, d)
		}
	}
}
