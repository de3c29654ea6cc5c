package webp

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"io"
	"math/rand/v2"
	"testing"

	"golang.org/x/image/webp"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/raster"
)

// lossyParts returns a lossy picture with alpha, and its chunks.
func lossyParts(t *testing.T, w, h int) (data, frame, alph []byte) {
	t.Helper()
	data = encode(t, paint(w, h, true))
	list, err := chunks(data)
	if err != nil {
		t.Fatal(err)
	}
	if frame, alph = find(list, "VP8 "), find(list, "ALPH"); frame == nil || alph == nil {
		t.Fatal("the encoder made no lossy picture with alpha")
	}
	return data, frame, alph
}

// Alpha is what golang.org/x/image reads, whatever its compression and filter.
func TestAlphaIsAsTheGeneralDecoderReadsIt(t *testing.T) {
	const w, h = 61, 43
	coded, frame, alph := lossyParts(t, w, h)
	r := rand.New(rand.NewPCG(1, 2))
	samples := make([]byte, w*h)
	for i := range samples {
		samples[i] = byte(r.Uint32())
	}
	files := map[string][]byte{"as encoded": coded}
	for filter := range byte(4) {
		for what, chunked := range map[string][]byte{
			"raw": append([]byte{filter << 2}, samples...), "coded": append([]byte{alph[0]&3 | filter<<2}, alph[1:]...),
		} {
			files[what+" "+string('0'+filter)] = build([]chunk{
				vp8x(flagAlpha, w, h), {"ALPH", chunked}, {"VP8 ", frame},
			})
		}
	}
	for what, data := range files {
		want, err := webp.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%s: x/image: %v", what, err)
		}
		got, err := Decode(context.Background(), data, w, h)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		img := want.(*image.NYCbCrA)
		for y := range h {
			for x := range w {
				if a, b := got.(*image.NRGBA).NRGBAAt(x, y).A, img.A[img.AOffset(x, y)]; a != b {
					t.Fatalf("%s: alpha at %d,%d is %d, not %d", what, x, y, a, b)
				}
			}
		}
	}
}

func TestAlphaThatIsDamaged(t *testing.T) {
	_, frame, alph := lossyParts(t, 20, 20)
	for what, chunked := range map[string][]byte{
		"no bytes": {}, "too few samples": make([]byte, 20*20), "an unknown compression": {3, 0, 0},
		"half of a stream": alph[:len(alph)/2],
	} {
		data := build([]chunk{vp8x(flagAlpha, 20, 20), {"ALPH", chunked}, {"VP8 ", frame}})
		if _, err := Decode(context.Background(), data, 20, 20); err == nil {
			t.Errorf("%s: decoded", what)
		}
	}
}

// A picture that is shrunk while it is decoded is the mean of one that is not.
func TestShrunkIsTheMeanOfTheWhole(t *testing.T) {
	const w, h, factor = 121, 79, 3
	need := picture.Need{Width: w / factor, Height: h / factor, Exact: true}
	data := encode(t, paint(w, h, false))
	full, err := Planes(context.Background(), data, w, h, picture.Need{Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	small, err := Planes(context.Background(), data, w, h, need)
	if err != nil {
		t.Fatal(err)
	}
	if small.Width() != (w+factor-1)/factor || small.Height() != (h+factor-1)/factor {
		t.Fatalf("%d×%d", small.Width(), small.Height())
	}
	for y := range h / factor {
		for x := range w / factor {
			sum := 0
			for i := range factor * factor {
				sum += int(full.Planes[0].Pix[(y*factor+i/factor)*full.Planes[0].Stride+x*factor+i%factor])
			}
			got := int(small.Planes[0].Pix[y*small.Planes[0].Stride+x])
			if want := (sum + factor*factor/2) / (factor * factor); max(got-want, want-got) > 1 {
				t.Fatalf("%d at %d,%d, want %d", got, x, y, want)
			}
		}
	}
}

// Planes and Rows share the stills: one of them decodes each.
func TestStillsAreReadAsPlanesOrRows(t *testing.T) {
	for kind := range 4 {
		alpha, lossless := kind&1 != 0, kind&2 != 0
		img := paint(61, 43, alpha)
		data, err := Encode(img, Options{Quality: 90, Effort: 4, Lossless: lossless})
		if err != nil {
			t.Fatal(err)
		}
		p, err := Planes(context.Background(), data, 61, 43, picture.Need{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := Rows(data, 61, 43, picture.Need{})
		if err != nil {
			t.Fatal(err)
		}
		if (p != nil) != (kind == 0) || (r == nil) != (kind == 0) {
			t.Fatalf("alpha %v, lossless %v: planes %v, rows %v", alpha, lossless, p != nil, r != nil)
		}
		if r == nil {
			continue
		}
		got := image.NewNRGBA(img.Rect)
		for y := range 43 {
			if err := r.ReadRow(got.Pix[y*got.Stride:]); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.ReadRow(make([]byte, 4*61)); !errors.Is(err, io.EOF) {
			t.Errorf("behind the last row: %v", err)
		}
		if d := worst(img, got); d > 24 || lossless && d > 0 {
			t.Errorf("alpha %v, lossless %v: differs by %d", alpha, lossless, d)
		}
	}
}

// A frame of an animation covers what is below it as far as it is opaque.
func TestPixelsCoverOthers(t *testing.T) {
	for _, c := range []struct{ below, over, want color.NRGBA }{
		{color.NRGBA{10, 20, 30, 255}, color.NRGBA{200, 100, 0, 255}, color.NRGBA{200, 100, 0, 255}},
		{color.NRGBA{10, 20, 30, 255}, color.NRGBA{200, 100, 0, 0}, color.NRGBA{10, 20, 30, 255}},
		{color.NRGBA{0, 0, 0, 0}, color.NRGBA{200, 100, 0, 40}, color.NRGBA{200, 100, 0, 40}},
		{color.NRGBA{0, 100, 200, 255}, color.NRGBA{200, 100, 0, 128}, color.NRGBA{100, 100, 100, 255}},
		{color.NRGBA{0, 0, 200, 128}, color.NRGBA{200, 0, 0, 128}, color.NRGBA{134, 0, 66, 192}},
	} {
		below := []byte{c.below.R, c.below.G, c.below.B, c.below.A}
		cover(below, []byte{c.over.R, c.over.G, c.over.B, c.over.A})
		if got := (color.NRGBA{below[0], below[1], below[2], below[3]}); got != c.want {
			t.Errorf("%v over %v: %v, want %v", c.over, c.below, got, c.want)
		}
	}
}

// The edges are smoothed unless the picture is shrunk much, for an encoder that loses more.
func TestEdgesAreSmoothedWhereThatIsSeen(t *testing.T) {
	img := paint(160, 160, false)
	for i := range img.Pix {
		if i%4 < 3 {
			img.Pix[i] += byte(i / 160 % 90)
		}
	}
	data, err := Encode(img, Options{Quality: 5, Effort: 4}) // smoothed much
	if err != nil {
		t.Fatal(err)
	}
	shrunk := func(side int, exact bool) []byte {
		p, err := Planes(context.Background(), data, 160, 160, picture.Need{Width: side, Height: side, Exact: exact})
		if err != nil {
			t.Fatal(err)
		}
		return p.Planes[0].Pix
	}
	for side, differs := range map[int]bool{160: false, 60: false, 40: true, 16: true, 10: false} {
		if got := !bytes.Equal(shrunk(side, true), shrunk(side, false)); got != differs {
			t.Errorf("%d pixels of 160: exact and not exact differ: %v", side, got)
		}
	}
}

func TestDecodingEndsWithItsContext(t *testing.T) {
	data := encode(t, paint(64, 64, false))
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("enough")
	cancel(cause)
	if _, err := Planes(ctx, data, 64, 64, picture.Need{}); !errors.Is(err, cause) {
		t.Errorf("%v", err)
	}
}

// A frame that is too short for its picture is truncated even where its chunk is whole.
func TestFramesThatAreTooShort(t *testing.T) {
	list, err := chunks(encode(t, paint(64, 64, false)))
	if err != nil {
		t.Fatal(err)
	}
	frame := find(list, "VP8 ")
	short := build([]chunk{{"VP8 ", frame[:len(frame)*2/3]}})
	var truncated *raster.TruncatedError
	if _, err := Planes(context.Background(), short, 64, 64, picture.Need{}); !errors.As(err, &truncated) {
		t.Errorf("%v", err)
	}
	if _, err := Planes(context.Background(), short[:20], 64, 64, picture.Need{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}
