package engine_test

import (
	"errors"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/outcome"
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
	for _, l := range []engine.Limits{{MaxBytes: -1}, {MaxPixels: -1}, {MaxSide: -1}, {MaxFrames: -1},
		{OnTruncated: "x"}} {
		if l.Validate() == nil {
			t.Errorf("%+v is valid", l)
		}
	}
}

func TestCheckLooksAtTheHeaderAlone(t *testing.T) {
	data := enginetest.JPEG(enginetest.Photo(100, 80), enginetest.JPEGOptions{})
	head := data[:700] // the tables and the first bytes of the scan
	info, err := engine.Limits{}.Check(head, 0, false)
	if err != nil || info.Width != 100 || info.Height != 80 {
		t.Errorf("%+v, %v", info, err)
	}
	_, err = engine.Limits{MaxPixels: 10}.Check(head, 0, false)
	var r *outcome.Rejection
	if !errors.As(err, &r) || r.Reason != outcome.TooManyPixels {
		t.Errorf("%v", err)
	}
}
