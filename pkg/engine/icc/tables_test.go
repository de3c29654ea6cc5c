package icc_test

import (
	"bytes"
	"image"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/engine/icc"
)

// The colours are those of littlecms 2.14, by transicc -s -t0.
func TestTablesGiveTheColorsOfLittleCMS(t *testing.T) {
	for _, c := range []struct {
		profile string
		to      icc.Target
		in      []byte
		out     [3]float64
	}{
		{"RGB mft1", icc.SRGB, []byte{128, 30, 200}, [3]float64{148.9, 24.8, 204.2}},
		{"RGB mft2", icc.SRGB, []byte{128, 30, 200}, [3]float64{149.7, 24.7, 205.0}},
		{"RGB mAB", icc.SRGB, []byte{128, 30, 200}, [3]float64{149.1, 17.3, 204.7}},
		{"RGB mAB XYZ", icc.SRGB, []byte{128, 30, 200}, [3]float64{149.1, 16.9, 204.9}},
		{"RGB mAB", icc.SRGB, []byte{0, 0, 0}, [3]float64{}},
		{"RGB mAB", icc.SRGB, []byte{255, 255, 255}, [3]float64{255, 255, 255}},
		{"CMYK mft1", icc.SRGB, []byte{0, 204, 229, 26}, [3]float64{228.8, 132.8, 89.1}},
		{"CMYK mft2", icc.SRGB, []byte{102, 51, 26, 13}, [3]float64{200.5, 213.4, 226.3}},
		{"CMYK mAB", icc.SRGB, []byte{0, 204, 229, 26}, [3]float64{229.0, 132.3, 89.8}},
		{"CMYK mAB", icc.DisplayP3, []byte{0, 204, 229, 26}, [3]float64{215.9, 137.0, 98.3}},
		{"CMYK mft2", icc.SRGB, []byte{255, 255, 255, 255}, [3]float64{}},
		{"CMYK mft2", icc.SRGB, []byte{0, 0, 0, 0}, [3]float64{255, 255, 255}},
	} {
		p, err := icc.Parse(enginetest.TableProfiles()[c.profile])
		if err != nil || !p.Usable() {
			t.Fatalf("%s: %v, %s", c.profile, err, p.Trouble)
		}
		got := enginetest.Converted(p.To(c.to), c.in)
		for i, v := range got {
			if d := float64(v) - c.out[i]; d < -1.5 || d > 1.5 {
				t.Errorf("%s: %v becomes %v, want %v", c.profile, c.in, got, c.out)
				break
			}
		}
	}
}

func TestDamagedProfilesAreNotUsed(t *testing.T) {
	for name, whole := range enginetest.TableProfiles() {
		for cut := range 40 {
			data := whole[:(len(whole)-24)*cut/40] // behind the table is the white point, which no one needs
			if p, err := icc.Parse(data); err == nil && p.Usable() {
				t.Errorf("%s: %d bytes of %d are usable", name, len(data), len(whole))
			}
		}
	}
	big := append(bytes.Clone(icc.SRGB.Profile()), make([]byte, 9<<20)...)
	if _, err := icc.Parse(big); err == nil {
		t.Error("a profile of 9 MiB was read")
	}
}

func TestCacheKeepsTheLatestProfiles(t *testing.T) {
	var c icc.Cache
	data := bytes.Clone(icc.DisplayP3.Profile())
	first, err := c.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	conversion := first.To(icc.SRGB)
	before := conversion.Color(200, 100, 50)
	clear(data) // the memory is somebody else's now
	for i := range 20 {
		if again, err := c.Parse(icc.DisplayP3.Profile()); err != nil || again != first {
			t.Fatalf("after %d others: %p, %v, want %p", i, again, err, first)
		}
		if _, err := c.Parse([]byte{byte(i)}); err == nil {
			t.Fatal("a profile of one byte")
		}
	}
	if conversion != first.To(icc.SRGB) || conversion.Color(200, 100, 50) != before {
		t.Error("the conversion has changed")
	}
}

func FuzzParse(f *testing.F) {
	for _, data := range enginetest.TableProfiles() {
		f.Add(data)
	}
	f.Add(icc.DisplayP3.Profile())
	f.Add(enginetest.AdobeRGB())
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := icc.Parse(data)
		if err != nil || !p.Usable() {
			return
		}
		for _, target := range []icc.Target{icc.SRGB, icc.DisplayP3} {
			c := p.To(target)
			if p.Space == icc.CMYK {
				c.Inks(make([]byte, 12), []byte{1, 2, 3, 4, 255, 255, 255, 255, 255, 0, 0, 255})
				continue
			}
			img := image.NewNRGBA(image.Rect(0, 0, 16, 16))
			for i := range img.Pix {
				img.Pix[i] = byte(i * 7)
			}
			c.Image(img)
		}
	})
}

func BenchmarkTables(b *testing.B) {
	for _, name := range []string{"RGB mft2", "CMYK mft2"} {
		data := enginetest.TableProfiles()[name]
		b.Run("make "+name, func(b *testing.B) {
			for b.Loop() {
				p, err := icc.Parse(data)
				if err != nil {
					b.Fatal(err)
				}
				p.To(icc.SRGB)
			}
		})
	}
	photo := enginetest.Photo(256, 256)
	for _, name := range []string{"RGB mft2", "CMYK mft2"} {
		p, err := icc.Parse(enginetest.TableProfiles()[name])
		if err != nil {
			b.Fatal(err)
		}
		c := p.To(icc.SRGB)
		b.Run("convert 256×256 by "+name, func(b *testing.B) {
			img := image.NewNRGBA(photo.Rect)
			for b.Loop() {
				copy(img.Pix, photo.Pix)
				if p.Space == icc.CMYK {
					c.Inks(img.Pix, photo.Pix)
				} else {
					c.Image(img)
				}
			}
		})
	}
}
