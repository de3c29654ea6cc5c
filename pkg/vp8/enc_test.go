package vp8

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

// painted returns a picture of one kind, with strides that are larger than they need be.
func painted(kind string, w, h int) *image.YCbCr {
	img := image.NewYCbCr(image.Rect(0, 0, w+3, h+1), image.YCbCrSubsampleRatio420)
	r := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	at := func(x, y, component int) byte {
		switch kind {
		case "flat":
			return byte(90 + 30*component)
		case "noise":
			return byte(r.Uint32())
		case "black and white":
			return byte(255 * ((x/5 + y/3 + component) & 1))
		case "gradient":
			return byte(16 + (x*7+y*3)/(4+component))
		}
		wave := math.Sin(float64(x)/9+float64(component)) * math.Cos(float64(y)/7)
		return clamp(int(128+90*wave) + r.IntN(9) + 40*(x>>4&y>>3&1))
	}
	for y := range h + 1 {
		for x := range img.YStride {
			img.Y[y*img.YStride+x] = at(x, y, 0)
		}
	}
	for y := range (h + 2) / 2 {
		for x := range img.CStride {
			img.Cb[y*img.CStride+x], img.Cr[y*img.CStride+x] = at(2*x, 2*y, 1), at(2*x, 2*y, 2)
		}
	}
	img.Rect = image.Rect(0, 0, w, h)
	return img
}

// encodeChecked encodes a picture and makes sure that decoders see what the encoder reconstructed.
func encodeChecked(t *testing.T, what string, img *image.YCbCr, opt EncodeOptions) []byte {
	t.Helper()
	if err := opt.Validate(); err != nil {
		t.Fatal(err)
	}
	e := newEncoder(img, opt)
	e.built = image.NewYCbCr(image.Rect(0, 0, 16*e.across, 16*e.down), image.YCbCrSubsampleRatio420)
	frame, err := e.encode()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	plain, err := read(frame, Options{Unfiltered: true})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	e.built.Rect = img.Rect
	same(t, what+", before smoothing", plain, e.built)
	got, err := read(frame, Options{})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	want, err := general(frame)
	if err != nil {
		t.Fatalf("%s: x/image: %v", what, err)
	}
	same(t, what+", beside x/image", got, want)
	return frame
}

// errorOf is the mean squared error of a frame's samples.
func errorOf(t *testing.T, frame []byte, img *image.YCbCr) float64 {
	t.Helper()
	got, err := read(frame, Options{})
	if err != nil {
		t.Fatal(err)
	}
	sum, n := 0, 0
	plane := func(a, b []byte, aStride, bStride, w, h int) {
		for y := range h {
			for x := range w {
				d := int(a[y*aStride+x]) - int(b[y*bStride+x])
				sum += d * d
			}
		}
		n += w * h
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	plane(got.Y, img.Y, got.YStride, img.YStride, w, h)
	plane(got.Cb, img.Cb, got.CStride, img.CStride, (w+1)/2, (h+1)/2)
	plane(got.Cr, img.Cr, got.CStride, img.CStride, (w+1)/2, (h+1)/2)
	return float64(sum) / float64(n)
}

var pictureKinds = []string{"flat", "noise", "black and white", "gradient", "waves"}

// What is encoded is decoded as the encoder reconstructed it.
func TestFramesOfAllSizes(t *testing.T) {
	for w := 1; w <= 40; w++ {
		for h := 1; h <= 40; h++ {
			img := painted(pictureKinds[(w+3*h)%len(pictureKinds)], w, h)
			opt := EncodeOptions{Quality: (w*37 + h*11) % 101, Effort: efforts[(w+h)%len(efforts)]}
			encodeChecked(t, fmt.Sprintf("%d×%d, %+v", w, h, opt), img, opt)
		}
	}
}

func TestFramesOfAllKinds(t *testing.T) {
	for _, kind := range pictureKinds {
		img := painted(kind, 190, 173)
		for _, effort := range efforts {
			sizes, errs := map[int]int{}, map[int]float64{}
			for _, quality := range []int{0, 1, 30, 75, 98, 99, 100} {
				frame := encodeChecked(t, fmt.Sprintf("%s, quality %d, effort %d", kind, quality, effort), img,
					EncodeOptions{Quality: quality, Effort: effort})
				sizes[quality], errs[quality] = len(frame), errorOf(t, frame, img)
			}
			if kind == "flat" {
				if errs[30] > 4 || sizes[100] > 300 {
					t.Errorf("a flat picture, effort %d: errors %v, sizes %v", effort, errs, sizes)
				}
				continue
			}
			if sizes[0] >= sizes[75] || sizes[75] >= sizes[100] || errs[0] <= errs[75] || errs[75] <= errs[100] {
				t.Errorf("%s, effort %d: a higher quality is not better and larger: errors %v, sizes %v", kind, effort, errs,
					sizes)
			}
			if errs[100] > 6 {
				t.Errorf("%s, effort %d: an error of %v at quality 100", kind, effort, errs[100])
			}
		}
	}
}

// efforts are those that differ.
var efforts = []int{3, 4, 5, 6}

// More effort takes fewer bytes for a picture that is as near.
func TestMoreEffortTakesFewerBytes(t *testing.T) {
	img := painted("waves", 210, 190)
	var sizes, errs [mostEffort + 1]float64
	for effort := range sizes {
		frame := encodeChecked(t, fmt.Sprint("effort ", effort), img, EncodeOptions{Quality: 70, Effort: effort})
		sizes[effort], errs[effort] = float64(len(frame)), errorOf(t, frame, img)
	}
	if sizes[0] != sizes[3] || sizes[5] >= sizes[4] || sizes[6] >= sizes[5] || errs[6] > 1.25*errs[4] {
		t.Errorf("sizes %v, errors %v", sizes, errs)
	}
}

// Where modes would not fit into their partition, fewer blocks have modes of their own.
func TestModesThatDoNotFit(t *testing.T) {
	img := painted("noise", 300, 200)
	opt := EncodeOptions{Quality: 90, Effort: 4}
	free := encodeChecked(t, "without a limit", img, opt)
	for _, share := range []int64{2, 8, 1 << 20} {
		e := newEncoder(img, opt)
		first := int64(free[0])>>5 | int64(free[1])<<3 | int64(free[2])<<11
		e.mostModes = first / share
		frame, err := e.encode()
		if err != nil {
			t.Fatal(err)
		}
		n := int64(frame[0])>>5 | int64(frame[1])<<3 | int64(frame[2])<<11
		if n >= first*3/4 || share == 2 && n > first/2+600 {
			t.Errorf("a limit of %d bytes: %d, without one %d", e.mostModes, n, first)
		}
		if got := errorOf(t, frame, img); got > 2*errorOf(t, free, img) {
			t.Errorf("a limit of %d bytes: error %v", e.mostModes, got)
		}
	}
}

func TestPicturesThatCannotBeEncoded(t *testing.T) {
	good := EncodeOptions{Quality: 80, Effort: 4}
	for what, spoil := range map[string]func(*image.YCbCr){
		"luma":     func(p *image.YCbCr) { p.Y = p.Y[:100] },
		"colour":   func(p *image.YCbCr) { p.Cr = p.Cr[:10] },
		"nothing":  func(p *image.YCbCr) { p.Rect = image.Rectangle{} },
		"sampling": func(p *image.YCbCr) { p.SubsampleRatio = image.YCbCrSubsampleRatio444 },
		"too wide": func(p *image.YCbCr) { p.Rect.Max.X = maxEncodedSide + 1 },
		"moved":    func(p *image.YCbCr) { p.Rect = p.Rect.Add(image.Pt(1, 0)) },
	} {
		img := painted("waves", 32, 32)
		spoil(img)
		if _, err := Encode(img, good); err == nil {
			t.Errorf("%s: encoded", what)
		}
	}
	for _, opt := range []EncodeOptions{
		{Quality: -1, Effort: 4}, {Quality: 101, Effort: 4}, {Quality: 5, Effort: 7}, {Effort: -1},
	} {
		if _, err := Encode(painted("waves", 32, 32), opt); err == nil {
			t.Errorf("%+v: encoded", opt)
		}
	}
}

// The picture and its memory stay as they are, and an encoder does the same twice.
func TestEncodingTwice(t *testing.T) {
	img := painted("waves", 77, 50)
	before := bytes.Clone(img.Y)
	opt := EncodeOptions{Quality: 60, Effort: 4}
	a, err := Encode(img, opt)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Encode(img, opt)
	if err != nil || !bytes.Equal(a, b) || !bytes.Equal(img.Y, before) {
		t.Errorf("%v; the same bytes %v, the picture changed %v", err, bytes.Equal(a, b), !bytes.Equal(img.Y, before))
	}
}

func FuzzEncode(f *testing.F) {
	f.Add(uint8(20), uint8(30), uint8(80), uint8(0), []byte("samples"))
	f.Add(uint8(1), uint8(1), uint8(0), uint8(1), []byte{})
	f.Add(uint8(63), uint8(17), uint8(100), uint8(2), []byte{0, 255, 3, 128, 255, 0, 9})
	f.Fuzz(func(t *testing.T, w, h, quality, effort uint8, samples []byte) {
		img := image.NewYCbCr(image.Rect(0, 0, 1+int(w)%64, 1+int(h)%64), image.YCbCrSubsampleRatio420)
		if len(samples) > 0 {
			at := 0
			for _, plane := range [][]byte{img.Y, img.Cb, img.Cr} {
				for i := range plane {
					plane[i] = samples[at%len(samples)] + byte(at/len(samples)/7)
					at++
				}
			}
		}
		opt := EncodeOptions{Quality: int(quality) % 101, Effort: efforts[int(effort)%len(efforts)]}
		encodeChecked(t, fmt.Sprint(opt), img, opt)
	})
}
