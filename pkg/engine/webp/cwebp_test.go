package webp

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// drawing is a picture of so many colours; 0: of as many as a photograph. Its corners are transparent.
func drawing(w, h, colors int) *image.NRGBA {
	r := rand.New(rand.NewPCG(uint64(colors), 1))
	palette := make([]color.NRGBA, colors)
	for i := range palette {
		palette[i] = color.NRGBA{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), 255}
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			wave := 0.5 + 0.5*math.Sin(float64(x)/9)*math.Cos(float64(y)/7)
			c := color.NRGBA{byte(250 * wave), byte(x * 255 / w), byte(y + r.IntN(5)), 255}
			if colors > 0 {
				c = palette[int(wave*float64(colors-1)+0.5)]
			}
			if far := max(x-w/2, w/2-x) + max(y-h/2, h/2-y); colors != 2 && far > w/2 {
				c.A = byte(max(0, 255-8*(far-w/2)))
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// What cwebp encodes is decoded as dwebp does it: all of a lossless picture, and the alpha of a lossy one.
func TestFilesOfCwebpAreDecodedAsDwebpDoes(t *testing.T) {
	for _, tool := range []string{"cwebp", "dwebp"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing", tool)
			}
			t.Skipf("%s is missing", tool)
		}
	}
	const w, h = 67, 49
	dir := t.TempDir()
	inputs := make(map[int]string)
	for _, colors := range []int{0, 2, 4, 16, 200} {
		inputs[colors] = filepath.Join(dir, fmt.Sprintf("%d.png", colors))
		var b bytes.Buffer
		if err := png.Encode(&b, drawing(w, h, colors)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(inputs[colors], b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for colors, options := range map[int][]string{
		0: {
			"-lossless -z 0", "-lossless -z 1", "-lossless -z 2", "-lossless -z 3", "-lossless -z 4", "-lossless -z 5",
			"-lossless -z 6", "-lossless -z 7", "-lossless -z 8", "-lossless -z 9", "-lossless -exact", "-near_lossless 40",
			"-alpha_filter none", "-alpha_filter fast", "-alpha_filter best", "-alpha_method 0", "-alpha_q 30",
			"-alpha_method 0 -alpha_filter best", "-alpha_q 0 -alpha_filter best", "-noalpha -lossless",
		},
		2: {"-lossless -z 9", "-lossless -z 0"}, 4: {"-lossless -z 9", "-lossless -exact"},
		16: {"-lossless -z 9", "-lossless -z 6", "-alpha_filter best"}, 200: {"-lossless -z 9", "-near_lossless 0"},
	} {
		for _, option := range options {
			file, out := filepath.Join(dir, "x.webp"), filepath.Join(dir, "x.pam")
			args := append(strings.Fields(option), "-quiet", inputs[colors], "-o", file)
			if b, err := exec.Command("cwebp", args...).CombinedOutput(); err != nil {
				t.Fatalf("cwebp %s: %v: %s", option, err, b)
			}
			if b, err := exec.Command("dwebp", "-quiet", file, "-pam", "-o", out).CombinedOutput(); err != nil {
				t.Fatalf("dwebp: %v: %s", err, b)
			}
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			want = want[len(want)-4*w*h:]
			img, err := Decode(context.Background(), data, w, h)
			if err != nil {
				t.Fatalf("%d colours, %s: %v", colors, option, err)
			}
			got := img.(*image.NRGBA).Pix
			lossless := strings.Contains(option, "lossless")
			for i := range want {
				if (lossless || i%4 == 3) && got[i] != want[i] {
					t.Fatalf("%d colours, %s: sample %d of the pixel at %d,%d is %d, not %d", colors, option, i%4, i/4%w, i/4/w,
						got[i], want[i])
				}
			}
		}
	}
}
