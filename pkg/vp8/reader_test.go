package vp8

import (
	"bytes"
	"errors"
	"image"
	"io"
	"math/rand/v2"
	"testing"

	"golang.org/x/image/vp8"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// read returns the whole picture.
func read(frame []byte, opt Options) (*image.YCbCr, error) {
	r, err := Open(frame, opt)
	if err != nil {
		return nil, err
	}
	w, h := r.Size()
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	y, c := 0, 0
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			if y != h || c != (h+1)/2 {
				return nil, errors.New("rows are missing")
			}
			return img, nil
		}
		if err != nil {
			return img, err
		}
		for i := range b.Rows {
			copy(img.Y[y*img.YStride:][:w], b.Y[i*b.YStride:])
			y++
		}
		for i := range b.CRows {
			copy(img.Cb[c*img.CStride:][:(w+1)/2], b.Cb[i*b.CStride:])
			copy(img.Cr[c*img.CStride:][:(w+1)/2], b.Cr[i*b.CStride:])
			c++
		}
	}
}

// general is what golang.org/x/image makes of a frame.
func general(frame []byte) (*image.YCbCr, error) {
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(frame), len(frame))
	if _, err := d.DecodeFrameHeader(); err != nil {
		return nil, err
	}
	return d.DecodeFrame()
}

// same compares the samples of two pictures.
func same(t *testing.T, what string, got, want *image.YCbCr) {
	t.Helper()
	plane := func(name string, got, want []byte, gotStride, wantStride, w, h int) {
		for y := range h {
			a, b := got[y*gotStride:][:w], want[y*wantStride:][:w]
			for x := range a {
				if a[x] != b[x] {
					t.Fatalf("%s: %s at %d,%d of %d×%d is %d, not %d", what, name, x, y, w, h, a[x], b[x])
				}
			}
		}
	}
	w, h := want.Rect.Dx(), want.Rect.Dy()
	if got.Rect.Dx() != w || got.Rect.Dy() != h {
		t.Fatalf("%s: %v, not %v", what, got.Rect, want.Rect)
	}
	plane("Y", got.Y, want.Y, got.YStride, want.YStride, w, h)
	plane("Cb", got.Cb, want.Cb, got.CStride, want.CStride, (w+1)/2, (h+1)/2)
	plane("Cr", got.Cr, want.Cr, got.CStride, want.CStride, (w+1)/2, (h+1)/2)
}

func TestRandomFramesAreAsTheGeneralDecoderReadsThem(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		f := randomForm(r)
		frame := f.frame(r)
		want, err := general(frame)
		if err != nil {
			t.Fatalf("%+v: x/image: %v", f, err)
		}
		got, err := read(frame, Options{})
		if err != nil {
			t.Fatalf("%+v: %v", f, err)
		}
		same(t, "filtered", got, want)
		f.level = 0
	}
}

// Smoothing changes nothing that other samples are predicted from.
func TestUnfilteredIsWithoutSmoothingAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 50 {
		f := randomForm(r)
		f.level = 20
		seed := r.Uint64()
		filtered := f.frame(rand.New(rand.NewPCG(seed, 1)))
		f.level = 0
		plain := f.frame(rand.New(rand.NewPCG(seed, 1)))
		want, err := read(plain, Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(filtered, Options{Unfiltered: true})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "unfiltered", got, want)
	}
}

// behindFirst returns where the first partition ends.
func behindFirst(frame []byte) int {
	return 10 + int(frame[0])>>5 + int(frame[1])<<3 + int(frame[2])<<11
}

func TestDamagedFrames(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	f := form{width: 70, height: 50, level: 10, partitions: 1}
	frame := f.frame(r)
	single := form{width: 70, height: 50}.frame(r)
	changed := func(at int, v byte) []byte {
		c := bytes.Clone(frame)
		c[at] = v
		return c
	}
	var truncated *raster.TruncatedError
	var corrupt *raster.CorruptError
	var unsupported *raster.UnsupportedError
	var tooLarge *raster.TooLargeError
	for _, c := range []struct {
		what  string
		frame []byte
		opt   Options
		want  any
	}{
		{"nothing", nil, Options{}, &truncated},
		{"half of a header", frame[:9], Options{}, &truncated},
		{"the first partition cut", frame[:100], Options{}, &truncated},
		{"no second partition", frame[:behindFirst(frame)+2], Options{}, &truncated},
		{"the last partition cut", single[:behindFirst(single)+40], Options{}, &truncated},
		{"no key frame", changed(0, frame[0]|1), Options{}, &corrupt},
		{"no start code", changed(4, 0), Options{}, &corrupt},
		{"a profile of the future", changed(0, frame[0]|0xe), Options{}, &unsupported},
		{"no width", changed(6, 0), Options{}, &corrupt},
		{"more pixels than allowed", frame, Options{MaxPixels: 70*50 - 1}, &tooLarge},
	} {
		if _, err := read(c.frame, c.opt); !errors.As(err, c.want) {
			t.Errorf("%s: %v, want a %T", c.what, err, c.want)
		}
	}
	if _, err := read(frame, Options{MaxPixels: 70 * 50}); err != nil {
		t.Error(err)
	}
	if _, err := read(frame, Options{MaxPixels: -1}); err == nil {
		t.Error("a negative limit passes")
	}
}

// A stream is truncated where samples are missing, and what precedes the cut was given.
func TestBandsBeforeACutAreGood(t *testing.T) {
	f := form{width: 64, height: 640}
	frame := f.frame(rand.New(rand.NewPCG(11, 12)))
	whole, err := read(frame, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(frame[:behindFirst(frame)+400], Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for {
		b, err := r.Next()
		if err != nil {
			var truncated *raster.TruncatedError
			if !errors.As(err, &truncated) {
				t.Fatal(err)
			}
			break
		}
		// The last row of macroblocks may have been completed with zeros, by less than a byte.
		for y := range b.Rows {
			if !bytes.Equal(b.Y[y*b.YStride:][:64], whole.Y[(rows+y)*whole.YStride:][:64]) {
				t.Fatalf("row %d differs", rows+y)
			}
		}
		rows += b.Rows
	}
	if rows == 0 || rows == 640 {
		t.Errorf("%d rows of 640", rows)
	}
}
