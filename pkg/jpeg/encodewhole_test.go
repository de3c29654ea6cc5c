package jpeg

import (
	"bytes"
	"hash/crc32"
	"image"
	stdjpeg "image/jpeg"
	"math/rand/v2"
	"testing"
)

var ratios = []image.YCbCrSubsampleRatio{
	image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio440,
	image.YCbCrSubsampleRatio444,
}

// encodedAs returns a file of planes. It ends the test if they cannot be encoded.
func encodedAs(t testing.TB, e *Encoder, planes []Plane, opt EncodeOptions) []byte {
	t.Helper()
	data, err := e.Encode(planes, opt)
	if err != nil {
		t.Fatalf("%+v: %v", opt, err)
	}
	return data
}

// A progressive file has the pixels of a sequential one, whether coefficients are chosen or rounded. An encoder
// that has encoded other pictures makes the same file as a new one.
func TestProgressiveFilesHaveTheSamePixels(t *testing.T) {
	var e Encoder
	for _, size := range [][2]int{{1, 1}, {16, 16}, {17, 9}, {7, 60}, {100, 75}} {
		for _, ratio := range ratios {
			for kind := range 3 {
				for _, quality := range []int{1, 85, 100} {
					for _, trellis := range []bool{false, true} {
						_, planes := pictureOf(size[0], size[1], kind, ratio)
						opt := EncodeOptions{Quality: quality, Trellis: trellis}
						sequential := encodedAs(t, &e, planes, opt)
						opt.Progressive = true
						progressive := encodedAs(t, &e, planes, opt)
						sameVisible(t, progressive, sequential)
						if !bytes.Equal(progressive, encodedAs(t, new(Encoder), planes, opt)) {
							t.Fatalf("%v, %+v: an encoder makes another file when it is used again", size, opt)
						}
					}
				}
			}
		}
	}
}

// The decoder of libjpeg-turbo reads the same samples as that of this package.
func TestTurboReadsChosenCoefficients(t *testing.T) {
	program := turbo(t)
	for _, ratio := range ratios {
		for kind := range 3 {
			for _, opt := range []EncodeOptions{
				{Quality: 1, Trellis: true}, {Quality: 85, Trellis: true, Progressive: true},
				{Quality: 100, Trellis: true, Progressive: true}, {Quality: 85, Progressive: true},
			} {
				_, planes := pictureOf(131, 77, kind, ratio)
				data := encodedAs(t, new(Encoder), planes, opt)
				want, sound := turboPlanes(t, program, "planes", Full, data)
				var d Decoder
				var got Planes
				if err := d.Decode(&got, data, Options{Scale: Full}); err != nil || !sound {
					t.Fatalf("%+v: %v; libjpeg is content: %v", opt, err, sound)
				}
				for i, p := range got.Components() {
					if far := farthest(p, want[i]); far > 0 {
						t.Errorf("%v, kind %d, %+v: component %d differs by %d", ratio, kind, opt, i, far)
					}
				}
			}
		}
	}
}

// Pictures of the largest sides, without any detail, and without colour.
func TestEncodeExtremes(t *testing.T) {
	for _, size := range [][2]int{{65535, 1}, {1, 65535}, {65535, 40}, {1, 1}} {
		w, h := size[0], size[1]
		flat, noise := make([]byte, w*h), make([]byte, w*h)
		r := rand.New(rand.NewPCG(1, 2))
		for i := range flat {
			flat[i], noise[i] = middle, byte(r.IntN(256))
		}
		for name, pix := range map[string][]byte{"flat": flat, "noise": noise} {
			for _, quality := range []int{1, 100} {
				gray := []Plane{{Pix: pix, Stride: w, Width: w, Height: h, H: 1, V: 1}}
				want := encodedAs(t, new(Encoder), gray, EncodeOptions{Quality: quality, Trellis: true})
				for _, opt := range []EncodeOptions{
					{Quality: quality, Progressive: true}, {Quality: quality, Trellis: true, Progressive: true},
				} {
					data := encodedAs(t, new(Encoder), gray, opt)
					if opt.Trellis {
						sameVisible(t, data, want)
					}
					if name == "flat" && !bytes.Equal(decoded(t, data)[0], flat) {
						t.Errorf("%v, %+v: a gray picture did not stay so", size, opt)
					}
				}
			}
		}
	}
}

// Whatever the scans are, they bring all bits.
func TestEveryScriptBringsAllBits(t *testing.T) {
	_, planes := pictureOf(300, 231, 2, image.YCbCrSubsampleRatio420)
	clear(planes[0].Pix[:300*100]) // runs of blocks that end at once
	for _, quality := range []int{20, 85, 100} {
		want := encodedAs(t, new(Encoder), planes, EncodeOptions{Quality: quality})
		for low := range uint(6) {
			for _, split := range []int{1, 2, 31, 62} {
				e := Encoder{parts: []scanPart{{components: []int{0, 1, 2}}}}
				for i := range 3 {
					component := []int{i}
					e.parts = append(e.parts, scanPart{component, 1, split, low, false})
					e.parts = append(e.parts, scanPart{component, split + 1, 63, low, false})
					for bit := int(low) - 1; bit >= 0; bit-- {
						e.parts = append(e.parts, scanPart{component, 1, 63, uint(bit), true})
					}
				}
				sameVisible(t, encodedAs(t, &e, planes, EncodeOptions{Quality: quality, Progressive: true}), want)
			}
		}
	}
}

// The scans that are chosen take no more bytes than usual ones.
func TestScriptTakesTheFewestBytes(t *testing.T) {
	for kind := range 3 {
		_, planes := pictureOf(256, 171, kind, image.YCbCrSubsampleRatio420)
		opt := EncodeOptions{Quality: 85, Progressive: true}
		chosen := len(encodedAs(t, new(Encoder), planes, opt))
		for low := range uint(3) {
			e := Encoder{parts: []scanPart{{components: []int{0, 1, 2}}}}
			for i := range 3 {
				component := []int{i}
				e.parts = append(e.parts, scanPart{component, 1, 5, low, false}, scanPart{component, 6, 63, low, false})
				for bit := int(low) - 1; bit >= 0; bit-- {
					e.parts = append(e.parts, scanPart{component, 1, 63, uint(bit), true})
				}
			}
			if usual := len(encodedAs(t, &e, planes, opt)); chosen > usual+usual/500 { // zeros are stuffed by chance
				t.Errorf("kind %d: %d bytes were chosen, %d are enough", kind, chosen, usual)
			}
		}
	}
}

// The same bytes come from every processor and with every build tag.
func TestChosenCoefficientsAreTheSameEverywhere(t *testing.T) {
	const w, h = 120, 90
	pix := make([]byte, w*h)
	r := rand.New(rand.NewPCG(3, 4))
	for y := range h {
		for x := range w {
			pix[y*w+x] = byte(x*x/60 + y + int(r.Uint32()>>24)*y/300)
		}
	}
	planes := []Plane{
		{Pix: pix, Stride: w, Width: w, Height: h, H: 2, V: 2},
		{Pix: pix[w*7:], Stride: w, Width: w / 2, Height: h / 2, H: 1, V: 1},
		{Pix: pix[w*9:], Stride: w, Width: w / 2, Height: h / 2, H: 1, V: 1},
	}
	for _, c := range []struct {
		opt EncodeOptions
		sum uint32
	}{
		{EncodeOptions{Quality: 30, Trellis: true}, 0x151cfe02},
		{EncodeOptions{Quality: 85, Trellis: true, Progressive: true}, 0xe020faa8},
		{EncodeOptions{Quality: 96, Trellis: true}, 0x9b2c9d1c},
	} {
		if sum := crc32.ChecksumIEEE(encodedAs(t, new(Encoder), planes, c.opt)); sum != c.sum {
			t.Errorf("%+v: the checksum is %#x, not %#x", c.opt, sum, c.sum)
		}
	}
}

// Of all ways to choose the coefficients of a block, the cheapest is taken.
func TestTrellisIsOptimal(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var dc, ac [256]uint32
	for s := range ac {
		dc[s&11], ac[s] = 5, uint32(1+r.IntN(1<<uint(r.IntN(12))))
	}
	choosing := newChooser(&lumaQuant, &dc, &ac)
	for range 300 {
		var raw, out [64]int16
		var nonzero uint64
		for range 5 {
			k := 1 + r.IntN(63)
			step := int(choosing.step[k])
			v := step/2 + r.IntN(step*3)
			if r.IntN(2) == 0 {
				v = -v
			}
			raw[zigzag[k]] = int16(v)
			nonzero |= 1 << zigzag[k]
		}
		lambda := int64(64 + r.IntN(40<<lambdaBits))
		mask := choosing.block(&out, &raw, nonzero, lambda)
		for i, v := range out[1:] {
			if (v != 0) != (mask>>(i+1)&1 == 1) || v != 0 && (v < 0) != (raw[i+1] < 0) {
				t.Fatalf("coefficient %d is %d, and %d was chosen, with the mask %x", i+1, raw[i+1], v, mask)
			}
		}
		got := choosing.costOf(&out, &raw, lambda)
		if least := choosing.leastOf(&raw, lambda); got != least {
			t.Fatalf("the choice %v of %v costs %d, the best one %d", out, raw, got, least)
		}
	}
}

// costOf returns what a block costs by definition: its codes and its errors.
func (t *chooser) costOf(out, raw *[64]int16, lambda int64) (cost int64) {
	run := 0
	for k := 1; k < 64; k++ {
		v, x := int32(out[zigzag[k]]), int32(raw[zigzag[k]])
		if 2*max(x, -x) >= t.step[k] { // what is rounded to zero anyway costs the same in all ways
			cost += t.loss(k, x-v*t.step[k], lambda)
		}
		if v == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			cost += t.ac[0xf0]
		}
		size, _ := magnitude(int(v))
		cost += t.ac[run<<4|int(size)]
		run = 0
	}
	if run > 0 {
		cost += t.ac[0]
	}
	return cost
}

// leastOf tries all ways.
func (t *chooser) leastOf(raw *[64]int16, lambda int64) int64 {
	var at []int
	for k := 1; k < 64; k++ {
		if x := int32(raw[zigzag[k]]); 2*max(x, -x) >= t.step[k] {
			at = append(at, k)
		}
	}
	least := int64(unknown)
	var out [64]int16
	var try func(i int)
	try = func(i int) {
		if i == len(at) {
			least = min(least, t.costOf(&out, raw, lambda))
			return
		}
		k := at[i]
		x := int(raw[zigzag[k]])
		sign := 1
		if x < 0 {
			sign, x = -1, -x
		}
		for v := 0; v <= (x+int(t.step[k])/2)/int(t.step[k]); v++ {
			out[zigzag[k]] = int16(sign * v)
			try(i + 1)
		}
		out[zigzag[k]] = 0
	}
	try(0)
	return least
}

// FuzzEncode encodes pictures of any size and content in all ways; every decoder must read them, and alike.
func FuzzEncode(f *testing.F) {
	f.Add([]byte{0, 255, 128, 3}, uint8(9), uint8(17), uint8(85), uint8(0))
	f.Add([]byte{128}, uint8(1), uint8(1), uint8(1), uint8(7))
	f.Add([]byte("noise, and the like"), uint8(63), uint8(40), uint8(100), uint8(6))
	f.Fuzz(func(t *testing.T, content []byte, w, h, quality, kind uint8) {
		if len(content) == 0 || w == 0 || h == 0 {
			return
		}
		_, planes := pictureOf(int(w), int(h), 0, ratios[kind>>1&3])
		for i := range planes {
			for j := range planes[i].Pix {
				planes[i].Pix[j] = content[(j+i)*7%len(content)]
			}
		}
		if kind>>3&1 == 1 {
			planes = planes[:1]
			planes[0].H, planes[0].V = 1, 1
		}
		opt := EncodeOptions{Quality: 1 + int(quality)%100, Trellis: kind&1 == 1}
		sequential := encodedAs(t, new(Encoder), planes, opt)
		opt.Progressive = true
		sameVisible(t, encodedAs(t, new(Encoder), planes, opt), sequential)
	})
}

// sameVisible fails the test where two files differ in a sample that is part of the picture, or where image/jpeg does
// not read what this package reads.
func sameVisible(t *testing.T, a, b []byte) {
	t.Helper()
	x, y := decoded(t, a), decoded(t, b)
	if len(x) != len(y) {
		t.Fatalf("%d and %d components", len(x), len(y))
	}
	for i := range x {
		if !bytes.Equal(x[i], y[i]) {
			t.Fatalf("component %d differs", i)
		}
	}
}

// decoded returns the samples of each component of a file, row by row. Those that image/jpeg decodes may differ by 2:
// its transform rounds otherwise.
func decoded(t *testing.T, data []byte) (samples [][]byte) {
	t.Helper()
	var d Decoder
	var p Planes
	if err := d.Decode(&p, data, Options{Scale: Full}); err != nil {
		t.Fatal(err)
	}
	img, err := stdjpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var pix [3][]byte
	var strides [3]int
	switch img := img.(type) {
	case *image.Gray:
		pix[0], strides[0] = img.Pix, img.Stride
	case *image.YCbCr:
		pix, strides = [3][]byte{img.Y, img.Cb, img.Cr}, [3]int{img.YStride, img.CStride, img.CStride}
	}
	for i, plane := range p.Components() {
		var own []byte
		for y := range plane.Height {
			row := plane.Pix[y*plane.Stride:][:plane.Width]
			own = append(own, row...)
			for x, std := range pix[i][y*strides[i]:][:plane.Width] {
				if far := int(std) - int(row[x]); far < -2 || far > 2 {
					t.Fatalf("sample %d, %d of component %d is %d, and %d by image/jpeg", x, y, i, row[x], std)
				}
			}
		}
		samples = append(samples, own)
	}
	return samples
}
