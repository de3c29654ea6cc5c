package icc

import (
	"encoding/binary"
	"image"
	"testing"
)

// adobeRGB and srgb are the primaries under D50.
var (
	adobeRGB  = [3][3]float64{{0.60974, 0.31111, 0.01947}, {0.20528, 0.62567, 0.06087}, {0.14919, 0.06322, 0.74457}}
	displayP3 = [3][3]float64{{0.51512, 0.24120, -0.00105}, {0.29198, 0.69225, 0.04189}, {0.15710, 0.06657, 0.78407}}
	srgb      = [3][3]float64{{0.43607, 0.22249, 0.01392}, {0.38515, 0.71687, 0.09708}, {0.14307, 0.06061, 0.71410}}
)

func curv(gamma int) []byte {
	return binary.BigEndian.AppendUint16([]byte("curv\x00\x00\x00\x00\x00\x00\x00\x01"), uint16(gamma))
}

func para(kind int, v ...float64) []byte {
	b := append([]byte("para\x00\x00\x00\x00"), 0, byte(kind), 0, 0)
	for _, x := range v {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(x*65536)))
	}
	return b
}

func srgbCurve() []byte { return para(3, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045) }

// profile assembles a profile of tags.
func profile(space string, tags map[string][]byte) []byte {
	b := make([]byte, 128)
	copy(b[16:], space)
	copy(b[20:], "XYZ ")
	copy(b[36:], "acsp")
	b = binary.BigEndian.AppendUint32(b, uint32(len(tags)))
	var body []byte
	for name, data := range tags {
		b = append(b, name...)
		b = binary.BigEndian.AppendUint32(b, uint32(132+12*len(tags)+len(body)))
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
		body = append(body, data...)
	}
	return append(b, body...)
}

func rgbProfile(primaries [3][3]float64, trc []byte) []byte {
	tags := map[string][]byte{}
	for i, c := range []string{"r", "g", "b"} {
		x := []byte("XYZ \x00\x00\x00\x00")
		for _, v := range primaries[i] {
			x = binary.BigEndian.AppendUint32(x, uint32(int32(v*65536)))
		}
		tags[c+"XYZ"], tags[c+"TRC"] = x, trc
	}
	return profile(RGB, tags)
}

func TestConversions(t *testing.T) {
	for _, c := range []struct {
		name    string
		profile []byte
		in, out [3]uint8
	}{
		{"Adobe RGB green leaves the gamut", rgbProfile(adobeRGB, curv(563)), [3]uint8{40, 200, 40}, [3]uint8{0, 201, 0}},
		{"Adobe RGB white", rgbProfile(adobeRGB, curv(563)), [3]uint8{255, 255, 255}, [3]uint8{255, 255, 255}},
		{"Adobe RGB gray", rgbProfile(adobeRGB, curv(563)), [3]uint8{128, 128, 128}, [3]uint8{128, 128, 128}},
		{"Display P3", rgbProfile(displayP3, srgbCurve()), [3]uint8{200, 100, 50}, [3]uint8{215, 93, 31}},
		{"gray of gamma 1", profile(Gray, map[string][]byte{"kTRC": curv(256)}), [3]uint8{55, 55, 55},
			[3]uint8{128, 128, 128}},
	} {
		p, err := Parse(c.profile)
		if err != nil || !p.Usable() {
			t.Fatalf("%s: %v, usable %v", c.name, err, p.Usable())
		}
		img := image.NewNRGBA(image.Rect(0, 0, 1, 1))
		img.Pix = []byte{c.in[0], c.in[1], c.in[2], 77}
		p.To(SRGB).Image(img)
		for i := range 3 {
			if d := int(img.Pix[i]) - int(c.out[i]); d < -1 || d > 1 {
				t.Errorf("%s: %v became %v, want %v", c.name, c.in, img.Pix[:3], c.out)
				break
			}
		}
		if img.Pix[3] != 77 {
			t.Errorf("%s: alpha became %d", c.name, img.Pix[3])
		}
		if p.To(SRGB).Same() {
			t.Errorf("%s passes for sRGB", c.name)
		}
	}
}

func TestSRGBProfilesAreLeftAlone(t *testing.T) {
	table := []byte("curv\x00\x00\x00\x00\x00\x00\x04\x00")
	back := make([]byte, 0, 1024)
	for i := range 1024 {
		x := float64(i) / 1023
		p, _ := parametric(srgbCurve())
		back = binary.BigEndian.AppendUint16(back, uint16(p(x)*65535+0.5))
	}
	for name, trc := range map[string][]byte{"formula": srgbCurve(), "table": append(table, back...)} {
		p, err := Parse(rgbProfile(srgb, trc))
		if err != nil || !p.To(SRGB).Same() {
			t.Errorf("sRGB by %s is not taken for sRGB (%v)", name, err)
		}
	}
}

// Pictures are converted in integers, colours in floating point.
func TestAPictureIsConvertedLikeItsColours(t *testing.T) {
	for name, data := range map[string][]byte{
		"Adobe RGB": rgbProfile(adobeRGB, curv(563)), "Display P3": rgbProfile(displayP3, srgbCurve()),
		"gray": profile(Gray, map[string][]byte{"kTRC": curv(461)}),
	} {
		p, err := Parse(data)
		if err != nil || !p.Usable() {
			t.Fatalf("%s: %v", name, err)
		}
		img := image.NewNRGBA(image.Rect(0, 0, 64, 64*64))
		for i := range 64 * 64 * 64 {
			v := [3]byte{byte(i % 64 * 255 / 63), byte(i / 64 % 64 * 255 / 63), byte(i / 4096 * 255 / 63)}
			if p.Space == Gray {
				v[1], v[2] = v[0], v[0]
			}
			copy(img.Pix[4*i:], append(v[:], 200))
		}
		before := append([]byte(nil), img.Pix...)
		p.To(SRGB).Image(img)
		for i := 0; i < len(before); i += 4 {
			to := p.To(SRGB).Color(before[i], before[i+1], before[i+2])
			for c, want := range []byte{to[0], to[1], to[2], 200} {
				if got := img.Pix[i+c]; max(got, want)-min(got, want) > 1 || c == 3 && got != want {
					t.Fatalf("%s: %v becomes %v, want %v", name, before[i:i+3], img.Pix[i:i+4], to)
				}
			}
		}
	}
}
