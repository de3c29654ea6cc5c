package jpeg

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
)

// The standard library's transform differs from libjpeg's; nowhere by more than this.
const standardTolerance = 2

// compareStandard fails the test unless the planes are, within a tolerance, what image/jpeg decodes.
func compareStandard(t *testing.T, what string, d *Decoder, data []byte) {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: image/jpeg: %v", what, err)
	}
	var planes Planes
	if err := d.Decode(&planes, data, Options{}); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	check := func(p *Plane, pix []byte, stride int) {
		t.Helper()
		for y := range p.Height {
			for x := range p.Width {
				got, want := int(p.Pix[y*p.Stride+x]), int(pix[y*stride+x])
				if max(got-want, want-got) > standardTolerance {
					t.Fatalf("%s: (%d,%d) is %d, not %d", what, x, y, got, want)
				}
			}
		}
	}
	switch img := img.(type) {
	case *image.Gray:
		check(&planes.Y, img.Pix, img.Stride)
	case *image.YCbCr:
		check(&planes.Y, img.Y, img.YStride)
		check(&planes.Cb, img.Cb, img.CStride)
		check(&planes.Cr, img.Cr, img.CStride)
	default:
		t.Fatalf("%s: image/jpeg gives a %T", what, img)
	}
}

func TestPicturesEqualStandardLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 26))
	var d Decoder
	for i := range 400 {
		first := [][2]int{{1, 1}, {2, 1}, {2, 2}, {1, 2}, {4, 1}, {4, 2}}[r.IntN(6)] // what image/jpeg knows
		p := newPicture(r, 1+r.IntN(100), 1+r.IntN(80), first, [2]int{1, 1}, [2]int{1, 1})
		if i%4 == 0 {
			p = newPicture(r, 1+r.IntN(100), 1+r.IntN(80), [2]int{1, 1})
		}
		if i%3 == 0 {
			p.progress(r)
		} else if i%5 == 0 { // image/jpeg counts restart intervals of scans of one component in whole MCUs of the image
			p.restart = 1 + r.IntN(9)
		}
		compareStandard(t, fmt.Sprintf("picture %d, %v", i, p), &d, p.encode())
	}
}

func TestFilesOfStandardLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(27, 28))
	var d Decoder
	for quality := 1; quality <= 100; quality++ {
		w, h := 1+r.IntN(100), 1+r.IntN(100)
		ycbcr := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
		gray := image.NewGray(ycbcr.Rect)
		for y := range h {
			for x := range w {
				v := color.Gray{Y: byte(128 + 100*math.Sin(float64(x*y)/300) + float64(r.IntN(20)))}
				gray.Set(x, y, v)
				ycbcr.Y[ycbcr.YOffset(x, y)] = v.Y
				ycbcr.Cb[ycbcr.COffset(x, y)] = byte(x * 2)
				ycbcr.Cr[ycbcr.COffset(x, y)] = byte(y*2 + r.IntN(9))
			}
		}
		for _, img := range []image.Image{ycbcr, gray} {
			var b bytes.Buffer
			if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
				t.Fatal(err)
			}
			compareStandard(t, fmt.Sprintf("quality %d, %T", quality, img), &d, b.Bytes())
		}
	}
}

// Each scale is the inverse DCT over as many frequencies within 1, by its definition in floating point.
func TestScalesAreInverseTransforms(t *testing.T) {
	for _, scale := range scales {
		t.Run(fmt.Sprintf("%d of 8", scale), func(t *testing.T) { equalsDefinition(t, scale) })
	}
}

func equalsDefinition(t *testing.T, scale Scale) {
	r := rand.New(rand.NewPCG(29, 30))
	side := int(scale)
	var cosine [8][8]float64 // by sample and frequency; 0 for those that are dropped
	for x := range side {
		for u := range side {
			cosine[x][u] = math.Cos(float64(2*x+1)*float64(u)*math.Pi/float64(2*side)) / 2
			if u == 0 {
				cosine[x][u] /= math.Sqrt2
			}
		}
	}
	for range 2000 {
		var quant [64]uint16
		fill(quant[:], uint16(1+r.IntN(20)))
		var b [64]int16
		randomBlock(r, &b, &quant)
		var got [64]byte
		transformBlock(got[:], side, scale, &b, &quant)
		for i, g := range got[:side*side] {
			sum := 128.0
			for k, v := range b {
				natural := zigzag[k]
				sum += float64(v) * float64(quant[k]) * cosine[i/side][natural/8] * cosine[i%side][natural%8]
			}
			if want := min(max(sum, 0), 255); math.Abs(float64(g)-want) > 1 {
				t.Fatalf("sample %d of %v is %d, not %.2f", i, b, g, want)
			}
		}
	}
}

// Once warm a decoder allocates next to nothing, and a cold one no more than the header justifies: the planes, and
// for progressive images the coefficients.
func TestMemoryFollowsTheHeader(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	for _, progressive := range []bool{false, true} {
		p := newPicture(r, 1500, 1000, [2]int{2, 2}, [2]int{1, 1}, [2]int{1, 1})
		if progressive {
			p.progress(r)
		}
		file := p.encode()
		for _, scale := range scales {
			var d Decoder
			var planes Planes
			decode := func() {
				if err := d.Decode(&planes, file, Options{Scale: scale}); err != nil {
					t.Fatal(err)
				}
			}
			const blocks = 1504 * 1008 * 3 / 2 / 64
			cold, limit := allocated(decode), blocks*int(scale*scale)+1<<20
			if progressive {
				limit += blocks * (2*scale.kept() + 10)
			}
			if cold > limit {
				t.Errorf("progressive %v, %d/8: the first decode allocates %d bytes, more than %d", progressive, scale, cold, limit)
			}
			if warm := allocated(decode); warm > 64<<10 {
				t.Errorf("progressive %v, %d/8: the second decode allocates %d bytes", progressive, scale, warm)
			}
		}
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}
