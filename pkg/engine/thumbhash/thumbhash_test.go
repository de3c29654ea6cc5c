package thumbhash

import (
	"bytes"
	"image"
	"math"
	"testing"
)

// reference is the encoder of evanw/thumbhash, line by line.
func reference(w, h int, rgba []byte) []byte {
	var avgR, avgG, avgB, avgA float64
	for j := 0; j < len(rgba); j += 4 {
		alpha := float64(rgba[j+3]) / 255
		avgR += alpha / 255 * float64(rgba[j])
		avgG += alpha / 255 * float64(rgba[j+1])
		avgB += alpha / 255 * float64(rgba[j+2])
		avgA += alpha
	}
	if avgA > 0 {
		avgR, avgG, avgB = avgR/avgA, avgG/avgA, avgB/avgA
	}
	hasAlpha := avgA < float64(w*h)
	limit := 7.0
	if hasAlpha {
		limit = 5
	}
	round := func(x float64) int { return int(math.Floor(x + 0.5)) }
	lx := max(1, round(limit*float64(w)/float64(max(w, h))))
	ly := max(1, round(limit*float64(h)/float64(max(w, h))))
	var l, p, q, a []float64
	for j := 0; j < len(rgba); j += 4 {
		alpha := float64(rgba[j+3]) / 255
		r := avgR*(1-alpha) + alpha/255*float64(rgba[j])
		g := avgG*(1-alpha) + alpha/255*float64(rgba[j+1])
		b := avgB*(1-alpha) + alpha/255*float64(rgba[j+2])
		l, p, q, a = append(l, (r+g+b)/3), append(p, (r+g)/2-b), append(q, r-g), append(a, alpha)
	}
	encode := func(channel []float64, nx, ny int) (dc float64, ac []float64, scale float64) {
		fx := make([]float64, w)
		for cy := range ny {
			for cx := 0; cx*ny < nx*(ny-cy); cx++ {
				f := 0.0
				for x := range w {
					fx[x] = math.Cos(math.Pi / float64(w) * float64(cx) * (float64(x) + 0.5))
				}
				for y := range h {
					fy := math.Cos(math.Pi / float64(h) * float64(cy) * (float64(y) + 0.5))
					for x := range w {
						f += channel[x+y*w] * fx[x] * fy
					}
				}
				f /= float64(w * h)
				if cx > 0 || cy > 0 {
					ac = append(ac, f)
					scale = max(scale, math.Abs(f))
				} else {
					dc = f
				}
			}
		}
		if scale > 0 {
			for i := range ac {
				ac[i] = 0.5 + 0.5/scale*ac[i]
			}
		}
		return dc, ac, scale
	}
	lDC, lAC, lScale := encode(l, max(3, lx), max(3, ly))
	pDC, pAC, pScale := encode(p, 3, 3)
	qDC, qAC, qScale := encode(q, 3, 3)
	flag := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	header24 := round(63*lDC) | round(31.5+31.5*pDC)<<6 | round(31.5+31.5*qDC)<<12 | round(31*lScale)<<18 |
		flag(hasAlpha)<<23
	short := lx
	if w > h {
		short = ly
	}
	header16 := short | round(63*pScale)<<3 | round(63*qScale)<<9 | flag(w > h)<<15
	hash := []byte{byte(header24), byte(header24 >> 8), byte(header24 >> 16), byte(header16), byte(header16 >> 8)}
	all := [][]float64{lAC, pAC, qAC}
	if hasAlpha {
		aDC, aAC, aScale := encode(a, 5, 5)
		hash = append(hash, byte(round(15*aDC)|round(15*aScale)<<4))
		all = append(all, aAC)
	}
	start, index := len(hash), 0
	for _, ac := range all {
		for _, f := range ac {
			if start+index/2 == len(hash) {
				hash = append(hash, 0)
			}
			hash[start+index/2] |= byte(round(15*f) << (index % 2 * 4))
			index++
		}
	}
	return hash
}

func TestHashesAreThoseOfTheReference(t *testing.T) {
	for _, size := range []image.Point{{32, 32}, {32, 21}, {11, 32}, {1, 1}, {100, 3}, {3, 100}, {32, 1}} {
		for _, kind := range []string{"colours", "one colour", "transparent", "nothing"} {
			img := image.NewNRGBA(image.Rect(0, 0, size.X, size.Y))
			for i := range size.X * size.Y {
				x, y := i%size.X, i/size.X
				p := img.Pix[4*i : 4*i+4]
				switch kind {
				case "colours", "transparent":
					copy(p, []byte{byte(x * 7), byte(255 - y*5), byte(x * y), 255})
					if kind == "transparent" {
						p[3] = byte(x*11 + y)
					}
				case "one colour":
					copy(p, []byte{200, 100, 50, 255})
				}
			}
			got, want := Of(img), reference(size.X, size.Y, img.Pix)
			if len(got.Hash) != len(want) || !bytes.Equal(got.Hash[:5], want[:5]) {
				t.Fatalf("%v, %s: %x, want %x", size, kind, got.Hash, want)
			}
			for i, b := range got.Hash[5:] { // a wave that is not there is 7 or 8, as the noise of rounding has it
				low, high := int(b&15)-int(want[5+i]&15), int(b>>4)-int(want[5+i]>>4)
				if kind != "one colour" && kind != "nothing" && (low < -1 || low > 1 || high < -1 || high > 1) {
					t.Errorf("%v, %s: %x, want %x", size, kind, got.Hash, want)
					break
				}
			}
			if kind == "one colour" && got.Color != [3]uint8{200, 100, 50} {
				t.Errorf("%v: the mean is %v", size, got.Color)
			}
			if len(got.Hash) > 25 {
				t.Errorf("%v, %s: %d bytes", size, kind, len(got.Hash))
			}
		}
	}
}

func BenchmarkOf(b *testing.B) {
	img := image.NewNRGBA(image.Rect(0, 0, Side, Side*3/4))
	for i := range img.Pix {
		img.Pix[i] = byte(i * i)
	}
	for b.Loop() {
		Of(img)
	}
}
