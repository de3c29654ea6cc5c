package engine_test

import (
	"errors"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

func TestLimitsHaveDefaults(t *testing.T) {
	want := engine.Limits{MaxBytes: 64 << 20, MaxPixels: 250e6, MaxSide: 65535, MaxFrames: 1000, OnTruncated: "reject"}
	if got := (engine.Limits{}).WithDefaults(); got != want {
		t.Errorf("%+v", got)
	}
	own := engine.Limits{MaxBytes: 1, MaxPixels: 2, MaxSide: 3, MaxFrames: 4, OnTruncated: "accept"}
	if got := own.WithDefaults(); got != own || own.Validate() != nil {
		t.Errorf("%+v, %v", got, own.Validate())
	}
	for _, l := range []engine.Limits{{MaxBytes: -1}, {MaxPixels: -1}, {MaxSide: -1}, {MaxFrames: -1}, {OnTruncated: "x"}} {
		if l.Validate() == nil {
			t.Errorf("%+v is valid", l)
		}
	}
}

func TestCheckLooksAtTheHeaderAlone(t *testing.T) {
	data := enginetest.JPEG(enginetest.Photo(100, 80), enginetest.JPEGOptions{})
	head := data[:700] // the tables and the first bytes of the scan
	info, err := engine.Limits{}.Check(head, false)
	if err != nil || info.Width != 100 || info.Height != 80 {
		t.Errorf("%+v, %v", info, err)
	}
	_, err = engine.Limits{MaxPixels: 10}.Check(head, false)
	var r *outcome.Rejection
	if !errors.As(err, &r) || r.Reason != outcome.TooManyPixels {
		t.Errorf("%v", err)
	}
}

func TestOnlyScales(t *testing.T) {
	img := enginetest.Photo(40, 30)
	adobe := enginetest.Segment(0xe2, []byte("ICC_PROFILE\x00\x01\x01"), enginetest.AdobeRGB())
	jpeg := enginetest.JPEG(img, enginetest.JPEGOptions{})
	profiled := enginetest.JPEG(img, enginetest.JPEGOptions{Segments: [][]byte{adobe}})
	for _, c := range []struct {
		what string
		data []byte
		ops  string
		want bool
	}{
		{"the default", jpeg, "fit:64x64;fit:128x128", true},
		{"with settings", jpeg, "fit:64x64,format:jpeg,quality:50,orient:off,strip:keep,enlarge:yes", true},
		{"nothing but another quality", jpeg, "quality:50", true},
		{"WebP", jpeg, "fit:64x64,format:webp", true},
		{"another format", jpeg, "fit:64x64,format:png", false},
		{"one variant of another kind", jpeg, "fit:64x64;fill:64x64", false},
		{"two operations", jpeg, "fit:64x64,gray", false},
		{"a profile to convert", profiled, "fit:64x64", false},
		{"a profile to keep", profiled, "fit:64x64,icc:keep", true},
		{"four colours", enginetest.File("cmyk.jpg"), "fit:64x64", false},
		{"a PNG", enginetest.PNG(img), "fit:64x64,format:jpeg", false},
	} {
		info, err := engine.Limits{}.Check(c.data, false)
		if err != nil {
			t.Fatal(err)
		}
		r, err := recipe.Parse(c.ops)
		if err != nil {
			t.Fatal(err)
		}
		if got := engine.OnlyScales(info, r); got != c.want {
			t.Errorf("%s: %v", c.what, got)
		}
	}
}
