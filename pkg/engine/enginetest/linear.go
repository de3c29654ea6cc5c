package enginetest

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/icc"
)

// checkerboard has pixels of two colours in turn.
func checkerboard(w, h int, a, b color.NRGBA) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := a
			if (x+y)%2 == 1 {
				c = b
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// gammaProfile returns the profile of Adobe RGB with another gamma.
func gammaProfile(gamma float64) []byte {
	curve := []byte("para\x00\x00\x00\x00\x00\x00\x00\x00")
	adobe := append(bytes.Clone(curve), 0, 2, 51, 0) // 563/256
	data := icc.AdobeRGB()
	if !bytes.Contains(data, adobe) {
		panic("the profile of Adobe RGB has another curve")
	}
	curve = binary.BigEndian.AppendUint32(curve, uint32(math.Round(gamma*65536)))
	return bytes.ReplaceAll(data, adobe, curve)
}

// Light is what the curve of the picture's profile makes of levels, whether the profile is kept or the colours are
// converted, and whatever comes before the scaling.
func testLinearOfProfiles(t *testing.T, s Suite) {
	for _, gamma := range []float64{1, 1.8, 2.2} {
		profile := gammaProfile(gamma)
		for _, colors := range [][2][3]byte{
			{{0, 0, 0}, {255, 255, 255}}, {{40, 200, 90}, {220, 10, 90}}, {{10, 10, 10}, {60, 60, 60}},
		} {
			var mean [3]byte
			for c := range mean {
				light := 0.0
				for _, color := range colors {
					light += math.Pow(float64(color[c])/255, gamma) / 2
				}
				mean[c] = byte(math.Round(255 * math.Pow(light, 1/gamma)))
			}
			opaque := func(c [3]byte) color.NRGBA { return color.NRGBA{c[0], c[1], c[2], 255} }
			board := checkerboard(128, 128, opaque(colors[0]), opaque(colors[1]))
			data := insertChunk(PNG(board), "iCCP", append([]byte("p\x00\x00"), deflated(profile)...))
			for _, c := range []struct {
				ops  string
				want color.NRGBA
			}{
				{"fit:16x16,linear:yes,icc:keep", opaque(mean)},
				{"fit:16x16,linear:yes", converted(t, profile, icc.SRGB, mean[:])},
				{"fill:8x16,linear:yes,icc:p3", converted(t, profile, icc.DisplayP3, mean[:])},
			} {
				if got := s.one(t, data, c.ops+",format:png").NRGBAAt(4, 4); far(got, c.want, 2) {
					t.Errorf("gamma %.2f, %s of %v: %v, want %v", gamma, c.ops, colors, got, c.want)
				}
			}
			kept := s.one(t, data, "blur:0.1,force:16x16,linear:yes,icc:keep,format:png").NRGBAAt(4, 4)
			if far(kept, opaque(mean), 2) {
				t.Errorf("gamma %.2f, scaled after a blur: %v, want %v", gamma, kept, mean)
			}
			first := converted(t, profile, icc.SRGB, colors[0][:])
			same := s.one(t, data, "crop:64x64,linear:yes,format:png").NRGBAAt(0, 0)
			if far(same, first, 1) {
				t.Errorf("gamma %.2f, not scaled: %v, want %v", gamma, same, first)
			}
		}
	}
}

func testLinear(t *testing.T, s Suite) {
	black, white := color.NRGBA{0, 0, 0, 255}, color.NRGBA{255, 255, 255, 255}
	board := checkerboard(128, 128, black, white)
	files := map[string][]byte{
		"PNG": PNG(board), "TIFF": TIFF(board), "BMP": BMP(board),
		"gray JPEG": JPEG(board, JPEGOptions{Gray: true, Quality: 100}), "GIF": s.gif(board),
		"JPEG": JPEG(board, JPEGOptions{Quality: 100, Sampling: [2]int{1, 1}}),
	}
	for name, data := range files {
		for _, c := range []struct {
			ops  string
			want uint8
		}{
			// Half of the light is level 188; half of the levels is 128.
			{"fit:16x16,linear:yes", 188}, {"fit:16x16,linear:no", 128}, {"fit:16x16", 128},
			{"fill:8x16,linear:yes", 188}, {"crop:64x64,fit:8x8,linear:yes", 188},
			{"blur:0.1,force:16x16,linear:yes", 188},
		} {
			got := s.one(t, data, c.ops+",format:png").NRGBAAt(4, 4)
			if far(got, color.NRGBA{c.want, c.want, c.want, 255}, 3) {
				t.Errorf("%s, %s: %v, want %d", name, c.ops, got, c.want)
			}
		}
	}
	// What keeps its size keeps its samples.
	cut := s.one(t, files["PNG"], "crop:64x64:nw,linear:yes,format:png")
	if d := PSNR(cut, crop(board, image.Rect(0, 0, 64, 64))); d < 90 {
		t.Errorf("not scaled: %.1f dB", d)
	}
	// One variant made of another is as right as one made of the picture, and a variant that is not linear is not.
	res := s.make(t, files["PNG"], "a=fit:64x64,linear:yes,format:png", "b=fit:16x16,linear:yes,format:png",
		"c=fit:16x16,format:png")
	for i, want := range []uint8{188, 188, 128} {
		img, _, err := Decode(res.Outputs[i].Data)
		must(err)
		if got := img.NRGBAAt(4, 4); far(got, color.NRGBA{want, want, want, 255}, 3) {
			t.Errorf("variant %d: %v, want %d", i, got, want)
		}
	}
	// Transparent red beside opaque white makes white that is half there, and neither dark nor pink.
	edges := PNG(checkerboard(128, 128, color.NRGBA{255, 0, 0, 0}, white))
	for _, ops := range []string{"fit:16x16,linear:yes", "fit:96x96,linear:yes"} {
		img := s.one(t, edges, ops+",format:png")
		for y := range img.Rect.Dy() {
			for x := range img.Rect.Dx() {
				if c := img.NRGBAAt(x, y); c.A > 8 && (c.R < 253 || c.G < 253 || c.B < 253) {
					t.Fatalf("%s: %v at %d, %d", ops, c, x, y)
				}
			}
		}
		if a := img.NRGBAAt(8, 8).A; ops == "fit:16x16,linear:yes" && (a < 125 || a > 130) {
			t.Errorf("half of the pixels are opaque, and alpha is %d", a)
		}
	}
	// A soft picture looks nearly the same either way.
	photo := Photo(160, 120)
	for name, data := range map[string][]byte{
		"PNG": PNG(photo), "JPEG": JPEG(photo, JPEGOptions{Quality: 95}), "WebP": WebP(photo), "turned": JPEG(photo,
			JPEGOptions{Quality: 95, Segments: [][]byte{exifSegment(6)}}),
	} {
		linear, plain := s.one(t, data, "fit:100x100,linear:yes,format:png"), s.one(t, data, "fit:100x100,format:png")
		near(t, name, linear, plain, 26)
	}
	grown := s.one(t, PNG(photo), "fit:300x300,enlarge:yes,linear:yes,format:png")
	near(t, "enlarged", grown, s.one(t, PNG(photo), "fit:300x300,enlarge:yes,format:png"), 28)
}
