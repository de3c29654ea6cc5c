package vp8

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// FuzzRead reads frames, both ways, and compares what golang.org/x/image makes of those that it reads too.
func FuzzRead(f *testing.F) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 30 {
		form := randomForm(r)
		form.width, form.height = 1+r.IntN(40), 1+r.IntN(40)
		f.Add(form.frame(r))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		w, h, err := Size(frame)
		if err != nil || w*h == 0 || w*h > 1<<16 {
			return
		}
		before := bytes.Clone(frame)
		_, plainErr := read(frame, Options{Unfiltered: true})
		got, err := read(frame, Options{})
		if (err == nil) != (plainErr == nil) {
			t.Errorf("%v, unfiltered %v", err, plainErr)
		}
		var truncated *raster.TruncatedError
		var corrupt *raster.CorruptError
		var unsupported *raster.UnsupportedError
		if err != nil && !errors.As(err, &truncated) && !errors.As(err, &corrupt) && !errors.As(err, &unsupported) {
			t.Errorf("an error of another type: %v", err)
		}
		if !bytes.Equal(frame, before) {
			t.Error("the frame was changed")
		}
		if want, general := general(frame); general == nil && unsupported == nil {
			if err != nil {
				t.Errorf("%v, and x/image reads it", err)
			} else if tame(frame) {
				same(t, "as x/image", got, want)
			}
		}
	})
}

// tame reports whether no coefficient can exceed 16 bits on its way: the quantizer's steps are small.
func tame(frame []byte) bool {
	r, err := Open(frame, Options{})
	if err != nil {
		return false
	}
	for _, s := range r.steps {
		if max(s.luma[0], s.luma[1], s.second[0], s.second[1], s.color[0], s.color[1]) > 8 {
			return false
		}
	}
	return true
}
