package enginetest

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

var (
	noLimits = engine.Limits{}
	red      = color.NRGBA{255, 0, 0, 255}
	blue     = color.NRGBA{0, 0, 255, 255}
	green    = color.NRGBA{0, 255, 0, 255}
)

// scenes are what animation shows, frame by frame, in the middle of its left and right half.
var scenes = [3][2]color.NRGBA{{red, red}, {red, blue}, {green, blue}}

// animation is a red canvas whose right half turns blue, and then its left half green.
func animation() []byte {
	return GIF(80, 40, Flat(image.Rect(0, 0, 80, 40), red), Flat(image.Rect(40, 0, 80, 40), blue),
		Flat(image.Rect(0, 0, 40, 40), green))
}

func webpAnimation() []byte {
	var frames []*image.NRGBA
	for _, s := range scenes {
		f := filled(80, 40, s[0])
		for y := range 40 {
			for x := 40; x < 80; x++ {
				f.SetNRGBA(x, y, s[1])
			}
		}
		frames = append(frames, f)
	}
	data, err := webp.EncodeAll(frames, []int{100, 100, 100}, 0, webp.Options{Quality: 95})
	must(err)
	return data
}

func testFirstFrames(t *testing.T, s Suite) {
	for name, data := range map[string][]byte{"GIF": animation(), "WebP": webpAnimation()} {
		for _, f := range []string{"format:jpeg", "format:png", "format:gif", "format:webp"} {
			img := s.one(t, data, "fit:40x40,"+f)
			if img.Rect.Size() != image.Pt(40, 20) || far(img.NRGBAAt(10, 10), red, 6) || far(img.NRGBAAt(30, 10), red, 6) {
				t.Errorf("%s, %s: %v: %v, %v", name, f, img.Rect, img.NRGBAAt(10, 10), img.NRGBAAt(30, 10))
			}
		}
	}
	// Of an animated PNG, whose frames no decoder here reads, the picture for those that know no animation.
	still := PNG(filled(20, 20, blue))
	apng := append(bytes.Clone(still[:33]), pngChunk("acTL", []byte{0, 0, 0, 2, 0, 0, 0, 0})...)
	apng = append(append(apng, pngChunk("fdAT", []byte{0, 0, 0, 1, 9, 9, 9})...), still[33:]...)
	if c := s.one(t, apng, "format:png,animate:yes").NRGBAAt(5, 5); c != blue {
		t.Errorf("animated PNG: %v", c)
	}
	// A first frame that covers a part of the canvas stands where it belongs, on nothing.
	data := GIF(80, 40, Flat(image.Rect(40, 20, 80, 40), blue))
	img := s.one(t, data, "format:png")
	if img.Rect.Size() != image.Pt(80, 40) || img.NRGBAAt(10, 10).A != 0 || img.NRGBAAt(60, 30) != blue {
		t.Errorf("partial frame: %v, %v, %v", img.Rect, img.NRGBAAt(10, 10), img.NRGBAAt(60, 30))
	}
}

func testAnimations(t *testing.T, s Suite) {
	for name, data := range map[string][]byte{"GIF": animation(), "WebP": webpAnimation()} {
		for _, f := range []string{"gif", "webp"} {
			res := s.make(t, data, "x=fit:40x40,animate:yes,format:"+f, "still=fit:20x20,format:png")
			frames, delays, loops := framesOf(t, res.Outputs[0].Data)
			if len(frames) != 3 || loops != 0 {
				t.Errorf("%s to %s: %d frames, %d loops", name, f, len(frames), loops)
				continue
			}
			for i, img := range frames {
				l, r := img.NRGBAAt(10, 10), img.NRGBAAt(30, 10)
				if img.Rect.Size() != image.Pt(40, 20) || far(l, scenes[i][0], 8) || far(r, scenes[i][1], 8) ||
					delays[i] != 100 {
					t.Errorf("%s to %s: frame %d is %v, %v, %v, for %d ms", name, f, i, img.Rect, l, r, delays[i])
				}
			}
		}
		// A still beside it that needs no scaling is the first frame, too.
		res := s.make(t, data, "a=animate:yes,format:gif", "still=format:png")
		still, _, err := Decode(res.Outputs[1].Data)
		if err != nil || far(still.NRGBAAt(60, 20), red, 8) {
			t.Errorf("%s: a still of full size beside the animation shows %v (%v)", name, still.NRGBAAt(60, 20), err)
		}
		// Where the format has no animation, the first frame it is.
		if img := s.one(t, data, "animate:yes,format:png"); img.NRGBAAt(60, 20).R < 240 {
			t.Errorf("%s to PNG is not the first frame: %v", name, img.NRGBAAt(60, 20))
		}
		s.rejects(t, name+" of too many frames", engine.Limits{MaxFrames: 2}, data, outcome.AnimatedTooLong,
			"x=animate:yes,format:gif")
		s.rejects(t, name+" of too many pixels", engine.Limits{MaxPixels: 80*40*3 - 1}, data, outcome.TooManyPixels,
			"x=fit:4x4,animate:yes,format:gif")
		if _, err := s.tryWith(t, engine.Limits{MaxPixels: 80 * 40}, data, "x=fit:4x4,format:gif"); err != nil {
			t.Errorf("%s: the first frame alone is not too large: %v", name, err)
		}
	}
	// Every operation that looks at the picture looks at the first frame only, so that nothing jumps.
	res := s.make(t, animation(), "x=fill:20x20:smart,animate:yes,format:gif")
	if frames, _, _ := framesOf(t, res.Outputs[0].Data); len(frames) != 3 {
		t.Errorf("smart: %d frames", len(frames))
	}
}

// How often an animation is shown stays: image/gif counts repetitions (−1: none, 0: for ever), WebP showings (0: for
// ever).
func testLoops(t *testing.T, s Suite) {
	frames := []*image.Paletted{Flat(image.Rect(0, 0, 20, 20), red), Flat(image.Rect(0, 0, 20, 20), blue)}
	for count, shown := range map[int]int{-1: 1, 0: 0, 1: 2, 7: 8} {
		var b bytes.Buffer
		must(gif.EncodeAll(&b, &gif.GIF{Image: frames, Delay: []int{10, 10}, LoopCount: count}))
		moving, err := webp.EncodeAll([]*image.NRGBA{NRGBA(frames[0]), NRGBA(frames[1])}, []int{100, 100}, shown,
			webp.Options{Quality: 95})
		must(err)
		for name, data := range map[string][]byte{"GIF": b.Bytes(), "WebP": moving} {
			res := s.make(t, data, "g=animate:yes,format:gif", "w=animate:yes,format:webp")
			if _, _, got := framesOf(t, res.Outputs[0].Data); got != count {
				t.Errorf("%s shown %d times: as GIF its count is %d, want %d", name, shown, got, count)
			}
			if _, _, got := framesOf(t, res.Outputs[1].Data); got != shown {
				t.Errorf("%s shown %d times: as WebP %d times", name, shown, got)
			}
		}
	}
	// An animation of one frame is a picture.
	single, err := webp.EncodeAll([]*image.NRGBA{filled(20, 20, red)}, []int{100}, 0, webp.Options{Quality: 95})
	must(err)
	for _, ops := range []string{"format:png", "format:png,animate:yes", "format:webp,animate:yes"} {
		if c := s.one(t, single, ops).NRGBAAt(5, 5); far(c, red, 8) {
			t.Errorf("a WebP animation of one frame, %s: %v", ops, c)
		}
	}
}

// Decoders take 12 bytes of a plain text whatever its size says: frames that hide from who believes it.
func testHiddenFrames(t *testing.T, s Suite) {
	frame := Flat(image.Rect(0, 0, 20, 20), red)
	data := GIF(20, 20, frame, frame, frame, frame, frame)
	two := len(GIF(20, 20, frame, frame)) - 1
	hiding := append(bytes.Clone(data[:two]), 0x21, 0x01, 0x00, 0x3b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0)
	hiding = append(hiding, data[two:]...)
	_, err := s.tryWith(t, engine.Limits{MaxFrames: 2}, hiding, "x=animate:yes,format:gif")
	var rejection *outcome.Rejection
	if !errors.As(err, &rejection) {
		t.Errorf("five frames of which two are seen: %v", err)
	}
}

// framesOf decodes an animation. Delays are milliseconds.
func framesOf(t *testing.T, data []byte) (frames []*image.NRGBA, delays []int, loops int) {
	t.Helper()
	info, err := header.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	if info.Format == "gif" {
		g, err := gif.DecodeAll(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for i, img := range g.Image {
			frames, delays = append(frames, NRGBA(img)), append(delays, 10*g.Delay[i])
		}
		return frames, delays, g.LoopCount
	}
	err = webp.DecodeAll(context.Background(), data, info.Width, info.Height, func(f webp.Frame) error {
		frames, delays, loops = append(frames, NRGBA(f.Image)), append(delays, f.Delay), f.Loops
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return frames, delays, loops
}
