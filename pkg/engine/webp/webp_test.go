package webp

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func paint(w, h int, alpha bool) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{uint8(x * 255 / w), uint8(y * 255 / h), 128, 255}
			if alpha {
				c.A = uint8(x * 255 / w)
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func encode(t testing.TB, img *image.NRGBA) []byte {
	t.Helper()
	data, err := Encode(img, Options{Quality: 90, Effort: 4})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func frames(data []byte, w, h int) (all []*image.NRGBA, err error) {
	err = DecodeAll(context.Background(), data, w, h, func(f Frame) error {
		all = append(all, &image.NRGBA{Pix: bytes.Clone(f.Image.Pix), Stride: f.Image.Stride, Rect: f.Image.Rect})
		return nil
	})
	return all, err
}

// worst is the largest difference of a sample.
func worst(a, b *image.NRGBA) int {
	most := 0
	for i := range a.Pix {
		if a.Pix[i|3] > 0 { // what is transparent has no colour
			most = max(most, int(max(a.Pix[i], b.Pix[i])-min(a.Pix[i], b.Pix[i])))
		}
	}
	return most
}

func TestWhatIsEncodedDecodes(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {1, 40}, {33, 17}, {64, 64}} {
		for _, alpha := range []bool{false, true} {
			img := paint(size.X, size.Y, alpha)
			got, err := frames(encode(t, img), size.X, size.Y)
			if err != nil || len(got) != 1 {
				t.Fatalf("%v: %d frames, %v", size, len(got), err)
			}
			if d := worst(img, got[0]); size.X > 1 && size.Y > 1 && d > 24 {
				t.Errorf("%v, alpha %v: differs by %d", size, alpha, d)
			}
		}
	}
}

func TestEncodeTakesASubImage(t *testing.T) {
	img := paint(64, 64, false)
	part := img.SubImage(image.Rect(16, 16, 48, 48)).(*image.NRGBA)
	got, err := frames(encode(t, part), 32, 32)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := img.NRGBAAt(16, 16), got[0].NRGBAAt(0, 0); int(max(a.R, b.R)-min(a.R, b.R)) > 12 {
		t.Errorf("%v became %v", a, b)
	}
}

// gradient is planes in studio range, with strides wider than they need be.
func gradient(w, h int) *image.YCbCr {
	img := image.NewYCbCr(image.Rect(0, 0, w+5, h+3), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = uint8(16 + 219*(i%img.YStride)/img.YStride)
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = 100, 150
	}
	img.Rect = image.Rect(0, 0, w, h)
	return img
}

func TestPlanesAreStoredAsTheyAre(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {33, 17}, {64, 64}} {
		img := gradient(size.X, size.Y)
		data, err := EncodePlanes(img, Options{Quality: 95, Effort: 4})
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte("ALPH")) {
			t.Error("planes without transparency have some")
		}
		decoded, err := Decode(context.Background(), data, size.X, size.Y)
		if err != nil {
			t.Fatal(err)
		}
		got, want := decoded.(*image.YCbCr), expand(img)
		for y := range size.Y {
			for x := range size.X {
				a, b := got.YCbCrAt(x, y), want.YCbCrAt(x, y)
				if max(distance(a.Y, b.Y), distance(a.Cb, b.Cb), distance(a.Cr, b.Cr)) > 8 {
					t.Fatalf("%v at %d,%d: %v became %v", size, x, y, b, a)
				}
			}
		}
	}
}

func distance(a, b uint8) int { return int(max(a, b) - min(a, b)) }

func TestPlanesThatLackSamplesAreRefused(t *testing.T) {
	for what, spoil := range map[string]func(*image.YCbCr){
		"luma":     func(p *image.YCbCr) { p.Y = p.Y[:100] },
		"colour":   func(p *image.YCbCr) { p.Cr = p.Cr[:10] },
		"nothing":  func(p *image.YCbCr) { p.Rect = image.Rectangle{} },
		"sampling": func(p *image.YCbCr) { p.SubsampleRatio = image.YCbCrSubsampleRatio444 },
		"too wide": func(p *image.YCbCr) { p.Rect.Max.X = maxSide + 1 },
	} {
		img := gradient(32, 32)
		spoil(img)
		if _, err := EncodePlanes(img, Options{Quality: 80}); err == nil {
			t.Errorf("%s: encoded", what)
		}
	}
}

func TestAnimationKeepsWhatDoesNotChange(t *testing.T) {
	a := paint(60, 40, true)
	b := &image.NRGBA{Pix: bytes.Clone(a.Pix), Stride: a.Stride, Rect: a.Rect}
	for y := 11; y < 21; y++ {
		for x := 31; x < 45; x++ {
			b.SetNRGBA(x, y, color.NRGBA{}) // a hole, which must not show what was there
		}
	}
	data, err := EncodeAll([]*image.NRGBA{a, b, b}, []int{40, 50, 60}, 3, Options{Quality: 90, Effort: 4})
	if err != nil {
		t.Fatal(err)
	}
	var delays []int
	err = DecodeAll(context.Background(), data, 60, 40, func(f Frame) error {
		want := a
		if len(delays) > 0 {
			want = b
		}
		if d := worst(want, f.Image); d > 24 || f.Image.NRGBAAt(40, 15).A != want.NRGBAAt(40, 15).A {
			t.Errorf("frame %d differs by %d, hole %v", len(delays), d, f.Image.NRGBAAt(40, 15))
		}
		if f.Loops != 3 {
			t.Errorf("%d loops", f.Loops)
		}
		delays = append(delays, f.Delay)
		return nil
	})
	if err != nil || len(delays) != 3 || delays[0] != 40 || delays[2] != 60 {
		t.Errorf("delays %v, %v", delays, err)
	}
	if r := changed(a, b); r != image.Rect(30, 10, 45, 21) {
		t.Errorf("changed: %v", r)
	}
	if half := data[:len(data)/2]; DecodeAll(context.Background(), half, 60, 40, func(Frame) error { return nil }) == nil {
		t.Error("half of an animation decodes")
	}
}

func TestAnotherSizeThanAnnouncedIsRefusedBeforeDecoding(t *testing.T) {
	data := encode(t, paint(20, 20, false))
	if _, err := Decode(context.Background(), data, 20, 21); err == nil {
		t.Error("a picture of another size passed")
	}
	if _, err := Decode(context.Background(), data[:len(data)-9], 20, 20); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut short: %v", err)
	}
}

func TestEmbedded(t *testing.T) {
	meta := Metadata{ICC: []byte("profile"), EXIF: []byte("exif!"), XMP: []byte("<x/>")}
	still := encode(t, paint(20, 20, true))
	moving, err := EncodeAll([]*image.NRGBA{paint(20, 20, true), paint(20, 20, false)}, []int{1, 1}, 0,
		Options{Quality: 90, Effort: 4})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"still": still, "animation": moving} {
		out, err := Embed(data, meta)
		if err != nil {
			t.Fatal(err)
		}
		list, err := chunks(out)
		if err != nil || list[0].kind != "VP8X" || list[1].kind != "ICCP" {
			t.Fatalf("%s: %v", name, err)
		}
		if f := list[0].data[0]; f&(flagICC|flagEXIF|flagXMP) != flagICC|flagEXIF|flagXMP {
			t.Errorf("%s: flags %08b", name, f)
		}
		for kind, want := range map[string]string{"ICCP": "profile", "EXIF": "exif!", "XMP ": "<x/>"} {
			if got := find(list, kind); string(got) != want {
				t.Errorf("%s: %s is %q", name, kind, got)
			}
		}
		if got, err := frames(out, 20, 20); err != nil || len(got) == 0 {
			t.Errorf("%s does not decode: %v", name, err)
		}
		if same, err := Embed(data, Metadata{}); err != nil || !bytes.Equal(same, data) {
			t.Errorf("%s: nothing embedded, and changed", name)
		}
	}
}

// webpmux is libwebp's own reader of containers.
func TestLibwebpReadsWhatIsWritten(t *testing.T) {
	tool, err := exec.LookPath("webpmux")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("webpmux is missing")
		}
		t.Skip("webpmux is missing")
	}
	moving, err := EncodeAll([]*image.NRGBA{paint(20, 20, true), paint(20, 20, false)}, []int{10, 10}, 0,
		Options{Quality: 90, Effort: 4})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"still": encode(t, paint(31, 17, true)), "animation": moving} {
		if data, err = Embed(data, Metadata{ICC: []byte("profile"), EXIF: []byte("exif"), XMP: []byte("<x/>")}); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), name+".webp")
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(tool, "-info", file).CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("EXIF metadata")) || !bytes.Contains(out, []byte("ICC profile")) {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}

func FuzzDecodeAll(f *testing.F) {
	still := encode(f, paint(20, 20, true))
	f.Add(still)
	if moving, err := EncodeAll([]*image.NRGBA{paint(20, 20, true), paint(20, 20, false)}, []int{1, 1}, 0,
		Options{Quality: 90, Effort: 4}); err == nil {
		f.Add(moving)
	}
	if out, err := Embed(still, Metadata{ICC: []byte("p")}); err == nil {
		f.Add(out)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		err := DecodeAll(context.Background(), data, 20, 20, func(f Frame) error {
			n++
			return nil
		})
		if err == nil && n == 0 {
			t.Error("no frame and no error")
		}
	})
}
