//go:build unix

package webp

import (
	"fmt"
	"image"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/cputime"
	"github.com/imagefarm/imagefarm/pkg/engine/native"
)

// BenchmarkLossy encodes a photograph of 1280 pixels by each encoder.
func BenchmarkLossy(b *testing.B) {
	img, _ := photograph(b, "nature/poppies.jpg", 1280)
	type encoder struct {
		name   string
		encode func(*image.NRGBA, Options) ([]byte, error)
	}
	encoders := []encoder{
		{"vp8", func(img *image.NRGBA, o Options) ([]byte, error) { return encodeOwn(planesOf(img), o) }},
		{"sandbox", encodeInSandbox},
	}
	if lib, err := native.LoadWebP(); err == nil {
		encoders = append(encoders, encoder{"libwebp", func(img *image.NRGBA, o Options) ([]byte, error) {
			return lib.EncodeRGBA(img.Pix, img.Stride, img.Rect.Dx(), img.Rect.Dy(), o.native())
		}})
	}
	for _, effort := range []int{0, 4, 5, 6} {
		for _, e := range encoders {
			b.Run(fmt.Sprintf("effort%d/%s", effort, e.name), func(b *testing.B) {
				opt := Options{Quality: 80, Effort: effort}
				if _, err := e.encode(img, opt); err != nil { // a module is translated once
					b.Fatal(err)
				}
				size, n, before := 0, 0, cputime.Used()
				for b.Loop() {
					data, err := e.encode(img, opt)
					if err != nil {
						b.Fatal(err)
					}
					size = len(data)
					n++
				}
				b.ReportMetric(float64((cputime.Used()-before).Microseconds())/1000/float64(n), "cpu-ms/op")
				b.ReportMetric(float64(size)/1000, "kB")
			})
		}
	}
}
