package pipeline

import (
	"fmt"
	"image"
	"image/draw"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/testdata/gen/jpegenc"
)

// everyOperation are the operations and settings that change pixels, and some after one another.
var everyOperation = []string{
	"fit:50x50", "fit:x31", "fit:500x500,enlarge:yes", "fit:33x33,linear:yes", "fit:200x200,enlarge:yes,linear:yes",
	"fill:40x40", "fill:60x20:north", "fill:20x60:south", "fill:20x60:east", "fill:40x30:west", "fill:31x31:ne",
	"fill:31x17:nw", "fill:17x31:se", "fill:30x30:sw", "fill:30x30:smart", "fill:40x40,linear:yes",
	"crop:51x37", "crop:51x37:se", "crop:1x1:nw", "crop:60x60:smart", "crop:80x50,fit:20x20", "crop:50x50,linear:yes",
	"force:40x80", "force:300x10,enlarge:yes", "force:1x1", "pad:60x60", "pad:60x60:336699", "pad:200x150:fff",
	"trim", "trim:40", "trim,fit:40x40", "rotate:90", "rotate:180,fit:40x40", "fit:40x40,rotate:270", "flip", "flop",
	"flip,rotate:90,fill:30x40:nw", "orient:off,fit:50x50", "sharpen:1", "fit:50x50,sharpen:0.7", "blur:2",
	"fit:50x50,blur:1.3", "fit:50x50,brightness:20", "fit:50x50,contrast:-30", "fit:50x50,saturation:50",
	"fit:50x50,gamma:1.6", "fit:50x50,gray", "gray", "fit:50x50,invert", "fit:50x50,watermark:mark.png:nw:0.6",
	"fit:50x50,gray,sharpen:0.5,rotate:90", "fit:50x50,icc:keep", "fit:50x50,icc:p3", "fit:50x50,background:black",
}

func marks() fstest.MapFS {
	mark := image.NewNRGBA(image.Rect(0, 0, 9, 7))
	for i := range mark.Pix {
		mark.Pix[i] = [4]uint8{255, 200, 0, 180}[i%4]
	}
	return fstest.MapFS{"mark.png": {Data: enginetest.PNG(mark)}}
}

// besideReference returns an Engine and the reference, both with the watermarks of marks.
func besideReference(t *testing.T) (ours, theirs engine.Engine) {
	t.Helper()
	ours, err := New(Config{Assets: marks()})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = reference.New(reference.Config{Assets: marks()})
	if err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

// sources are pictures of w×h pixels in every kind of file.
func sources(w, h int) []enginetest.Source {
	all := enginetest.Sources(w, h)
	img := enginetest.Soft(w, h, false)
	for _, j := range []struct {
		name    string
		options jpegenc.Options
	}{
		{"JPEG, luma 4×1", jpegenc.Options{Sampling: [2]int{4, 1}}},
		{"JPEG, luma 4×2", jpegenc.Options{Sampling: [2]int{4, 2}}},
		{"JPEG, luma 4×1, progressive", jpegenc.Options{Sampling: [2]int{4, 1}, Progressive: true}},
		{"JPEG, CMYK", jpegenc.Options{Space: jpegenc.AdobeCMYK}}, {"JPEG, 12 bits", jpegenc.Options{Precision: 12}},
	} {
		j.options.Quality = 97
		all = append(all, enginetest.Source{Name: j.name, Data: jpegenc.Encode(img, j.options), Picture: img, Near: 33})
	}
	return all
}

// Every kind of file shows its picture, and every operation makes of it what the reference makes of that picture. Each
// kind takes its turn with a third of the operations, so that neighbours, which differ in one thing, have all of them.
func TestEveryKindWithEveryOperation(t *testing.T) {
	ours, theirs := besideReference(t)
	for k, s := range append(sources(121, 87), lentSources(t, 121, 87)...) {
		full := decoded(t, outputs(t, ours, s.Data, "x=format:png")[0])
		if d := enginetest.PSNR(full, s.Picture); d < s.Near {
			t.Errorf("%s: %.1f dB from its picture, at least %.0f wanted", s.Name, d, s.Near)
			continue
		}
		plain := enginetest.PNG(full)
		for i, op := range everyOperation {
			if (i+k)%3 != 0 {
				continue
			}
			variant := fmt.Sprintf("x=%s,format:png", op)
			if strings.HasPrefix(op, "orient:off") && strings.Contains(s.Name, "orientation") {
				continue // the PNG is upright
			}
			got, want := outputs(t, ours, s.Data, variant)[0], outputs(t, theirs, plain, variant)[0]
			if got.Width != want.Width || got.Height != want.Height {
				t.Errorf("%s, %s: %d×%d, want %d×%d", s.Name, op, got.Width, got.Height, want.Width, want.Height)
			} else if d := enginetest.PSNR(decoded(t, got), decoded(t, want)); d < nearReference(op) {
				t.Errorf("%s, %s: %.1f dB from the reference", s.Name, op, d)
			}
		}
	}
}

// nearReference is how near an operation comes to the reference, in decibels.
func nearReference(op string) float64 {
	switch {
	case strings.Contains(op, "smart"):
		return 10 // where two cuts are nearly as good, each engine may choose another
	case strings.Contains(op, "1x1"):
		return 25 // Lanczos weighs the middle of a picture more, the mean of all pixels is no less right
	}
	return 35
}

// Every kind of file is written in every format, as near to the picture as that format comes.
func TestEveryKindInEveryFormat(t *testing.T) {
	ours, theirs := besideReference(t)
	formats := []struct {
		ops  string
		near float64
	}{
		{"jpeg,quality:95", 23}, {"jpeg,quality:95,progressive:yes,chroma:444", 30}, {"webp,quality:95", 23},
		{"webp,lossless:yes", 35}, {"png,colors:128", 24}, {"gif", 24}, {"tiff", 35}, {"avif,quality:90", 23},
		{"png,compression:0", 35},
	}
	for k, s := range append(sources(91, 67), lentSources(t, 91, 67)...) {
		plain := enginetest.PNG(decoded(t, outputs(t, ours, s.Data, "x=format:png")[0]))
		for i, op := range []string{
			"fit:40x40", "crop:51x37:se", "fit:70x70,gray", "fill:30x30,rotate:90", "pad:99x80:navy",
		} {
			f := formats[(k+i)%len(formats)]
			if f.ops == "gif" && !s.Picture.Opaque() {
				continue // pixels of a GIF are opaque or clear
			}
			got := outputs(t, ours, s.Data, fmt.Sprintf("x=%s,format:%s", op, f.ops))[0]
			want := decoded(t, outputs(t, theirs, plain, fmt.Sprintf("x=%s,format:png", op))[0])
			if strings.HasPrefix(f.ops, "jpeg") {
				white := image.NewNRGBA(want.Rect)
				draw.Draw(white, white.Rect, image.White, image.Point{}, draw.Src)
				draw.Draw(white, white.Rect, want, image.Point{}, draw.Over)
				want = white
			}
			if d := enginetest.PSNR(decoded(t, got), want); d < f.near {
				t.Errorf("%s, %s, %s: %.1f dB from the reference", s.Name, op, f.ops, d)
			}
		}
	}
}
