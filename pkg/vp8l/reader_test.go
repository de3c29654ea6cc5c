package vp8l

import (
	"bytes"
	"errors"
	"image"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/image/vp8l"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// read returns the samples of all rows.
func read(r *Reader) ([]byte, error) {
	size := raster.RowSize(r)
	_, h := r.Size()
	pix := make([]byte, size*h)
	for y := range h {
		if err := r.ReadRow(pix[y*size:][:size]); err != nil {
			return nil, err
		}
	}
	if err := r.ReadRow(make([]byte, size)); !errors.Is(err, io.EOF) {
		return nil, errors.New("behind the last row there is no io.EOF")
	}
	return pix, nil
}

func decode(stream []byte) ([]byte, error) {
	r, err := Open(stream, raster.Options{})
	if err != nil {
		return nil, err
	}
	return read(r)
}

// definedModes are the modes of predictors that the RFC has.
const definedModes = 14

func TestPicturesAreThoseOfTheGeneralDecoder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		w, h := 1+r.IntN(90), 1+r.IntN(60)
		stream := withHeader(randomStream(r, w, h, definedModes), w, h)
		sameAsGeneral(t, i, stream)
	}
}

func sameAsGeneral(t *testing.T, i int, stream []byte) {
	t.Helper()
	want, err := vp8l.Decode(bytes.NewReader(stream))
	if err != nil {
		t.Fatalf("stream %d: x/image: %v", i, err)
	}
	got, err := decode(stream)
	if err != nil {
		t.Fatalf("stream %d: %v", i, err)
	}
	w, _, _ := Size(stream)
	sameAsOther(t, want, got, w)
}

// sameAsOther compares pixels, w in a row, with those of golang.org/x/image.
func sameAsOther(t *testing.T, other image.Image, got []byte, w int) {
	t.Helper()
	pix := other.(*image.NRGBA).Pix
	if bytes.Equal(got, pix) {
		return
	}
	for at := range pix {
		if got[at] != pix[at] {
			t.Fatalf("sample %d of the pixel at %d,%d is %d, not %d", at%4, at/4%w, at/4/w, got[at], pix[at])
		}
	}
}

// A picture of more pixels than are in memory, with copies from far away.
func TestLargePictures(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for i, size := range []image.Point{{2500, 1700}, {1 << 14, 200}} {
		w := &writer{Rand: r, copy: 3, modes: definedModes}
		w.put(0, 1)
		w.put(1, 1)
		w.put(4, 4) // a cache of 16 colours
		w.put(0, 1)
		w.pixels(size.X, size.Y, 16, 1, anyRed, 256, func(int, int) int { return 0 })
		if size.X*size.Y <= windowSize {
			t.Fatal("a picture that is in memory as a whole")
		}
		sameAsGeneral(t, i, withHeader(w.end(), size.X, size.Y))
	}
}

func TestOpacityIsGreen(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 100 {
		w, h := 1+r.IntN(90), 1+r.IntN(60)
		stream := randomStream(r, w, h, 16)
		pix, err := decode(withHeader(stream, w, h))
		if err != nil {
			t.Fatal(err)
		}
		alpha, err := OpenAlpha(stream, w, h, raster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(alpha)
		if err != nil {
			t.Fatal(err)
		}
		for at, a := range got {
			if a != pix[4*at+1] {
				t.Fatalf("stream %d: opacity of pixel %d is %d, not %d", i, at, a, pix[4*at+1])
			}
		}
	}
}

// dwebp is libwebp's decoder.
func TestPicturesAreThoseOfLibwebp(t *testing.T) {
	tool, err := exec.LookPath("dwebp")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("dwebp is missing")
		}
		t.Skip("dwebp is missing")
	}
	r := rand.New(rand.NewPCG(7, 8))
	dir := t.TempDir()
	for i := range 40 {
		w, h := 1+r.IntN(90), 1+r.IntN(60)
		stream := withHeader(randomStream(r, w, h, 16), w, h)
		in, out := filepath.Join(dir, "in.webp"), filepath.Join(dir, "out.pam")
		if err := os.WriteFile(in, inFile(stream), 0o644); err != nil {
			t.Fatal(err)
		}
		if b, err := exec.Command(tool, in, "-pam", "-o", out).CombinedOutput(); err != nil {
			t.Fatalf("stream %d: %v: %s", i, err, b)
		}
		want, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(stream)
		if err != nil {
			t.Fatalf("stream %d: %v", i, err)
		}
		if !bytes.Equal(got, want[len(want)-4*w*h:]) {
			t.Errorf("stream %d is another picture", i)
		}
	}
}

func TestStreamsThatAreCutShort(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 60 {
		w, h := 1+r.IntN(50), 1+r.IntN(50)
		stream := withHeader(randomStream(r, w, h, 16), w, h)
		whole, err := decode(stream)
		if err != nil {
			t.Fatal(err)
		}
		short := stream[:r.IntN(len(stream)-1)]
		var truncated *raster.TruncatedError
		if got, err := decode(short); !errors.As(err, &truncated) && (err != nil || !bytes.Equal(got, whole)) {
			t.Errorf("%d of %d bytes: %v", len(short), len(stream), err)
		}
		accepted, err := Open(short, raster.Options{AcceptTruncated: true})
		if err != nil {
			continue
		}
		row, missing := make([]byte, 4*w), false
		for y := range h {
			if err := accepted.ReadRow(row); err != nil {
				t.Fatal(err)
			}
			missing = missing || !bytes.Equal(row, whole[4*w*y:][:4*w])
			if missing && !bytes.Equal(row, make([]byte, 4*w)) && !bytes.Equal(row, whole[4*w*y:][:4*w]) {
				t.Errorf("row %d is neither the picture's nor clear", y)
			}
		}
		if missing && len(accepted.Warnings()) != 1 {
			t.Errorf("the warnings are %q", accepted.Warnings())
		}
	}
}

func TestDamage(t *testing.T) {
	bits := func(pairs ...int) []byte {
		w := new(writer)
		for i := 0; i < len(pairs); i += 2 {
			w.put(pairs[i], pairs[i+1])
		}
		return withHeader(append(w.end(), make([]byte, 100)...), 20, 20)
	}
	simple := func(symbol int) []int { return []int{1, 1, 0, 1, 1, 1, symbol, 8} }
	var corrupt *raster.CorruptError
	var unsupported *raster.UnsupportedError
	var large *raster.TooLargeError
	codes := []int{0, 1, 0, 1, 0, 1}
	for range alpha + 1 {
		codes = append(codes, simple(7)...)
	}
	for what, c := range map[string]struct {
		stream []byte
		as     any
		opt    raster.Options
	}{
		"another signature":       {make([]byte, 20), &corrupt, raster.Options{}},
		"a later version":         {[]byte{0x2f, 1, 0, 0, 0x20, 0, 0}, &unsupported, raster.Options{}},
		"too many pixels":         {bits(), &large, raster.Options{MaxPixels: 399}},
		"a transform that recurs": {bits(1, 1, 2, 2, 1, 1, 2, 2), &corrupt, raster.Options{}},
		"a cache of no bits":      {bits(0, 1, 1, 1, 0, 4), &corrupt, raster.Options{}},
		"a cache of 12 bits":      {bits(0, 1, 1, 1, 12, 4), &corrupt, raster.Options{}},
		"codes without symbols":   {bits(0, 1, 0, 1, 0, 1, 0, 1, 0, 4), &corrupt, raster.Options{}},
		"a distance of no code":   {bits(append(codes, simple(200)...)...), &corrupt, raster.Options{}},
	} {
		if _, err := Open(c.stream, c.opt); !errors.As(err, c.as) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := Open(bits(), raster.Options{MaxPixels: -1}); err == nil {
		t.Error("options that make no sense are taken")
	}
	if _, err := OpenAlpha(nil, 1<<14+1, 1, raster.Options{}); !errors.As(err, &unsupported) {
		t.Errorf("too wide: %v", err)
	}
	// Copies from before the first pixel, and beyond the last.
	for what, distanceSymbol := range map[string]int{"before the first": 30, "beyond the last": 1} {
		w := &writer{Rand: rand.New(rand.NewPCG(1, 1))}
		lengths := &prefix{all: []int{5, literals + 18}, length: map[int]int{5: 1, literals + 18: 1}}
		w.put(0, 4) // no transforms, no cache, one group; lengths of green follow
		w.coded(lengths, cacheSymbols)
		for _, s := range []int{7, 7, 7, distanceSymbol} {
			w.put(1, 1)
			w.put(0, 1)
			w.put(1, 1)
			w.put(s, 8)
		}
		w.put(0, 1) // a pixel
		w.put(1, 1) // a copy
		stream := withHeader(append(w.end(), make([]byte, 100)...), 20, 20)
		if _, err := decode(stream); !errors.As(err, &corrupt) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
