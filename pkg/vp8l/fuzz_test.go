package vp8l

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// FuzzRead reads streams, as pictures and as opacity. golang.org/x/image is no help here: it takes codes that libwebp
// refuses, and other ones for others.
func FuzzRead(f *testing.F) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 30 {
		w, h := 1+r.IntN(40), 1+r.IntN(40)
		f.Add(withHeader(randomStream(r, w, h, len(modes)), w, h))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		w, h, err := Size(stream)
		if err != nil || w*h > 1<<16 {
			return
		}
		before := bytes.Clone(stream)
		got, err := decode(stream)
		var truncated *raster.TruncatedError
		var corrupt *raster.CorruptError
		var unsupported *raster.UnsupportedError
		if err != nil && !errors.As(err, &truncated) && !errors.As(err, &corrupt) && !errors.As(err, &unsupported) {
			t.Errorf("an error of another type: %v", err)
		}
		if !bytes.Equal(stream, before) {
			t.Error("the stream was changed")
		}
		alpha, alphaErr := OpenAlpha(stream[headerSize:], w, h, raster.Options{})
		if alphaErr == nil {
			_, alphaErr = read(alpha)
		}
		if (err == nil) != (alphaErr == nil) && unsupported == nil {
			t.Errorf("%v, as opacity %v", err, alphaErr)
		}
		// Assembly and plain Go agree.
		var plain []byte
		var plainErr error
		withoutVectors(func() { plain, plainErr = decode(stream) })
		if (err == nil) != (plainErr == nil) || !bytes.Equal(got, plain) {
			t.Errorf("%v, without assembly %v, equal: %v", err, plainErr, bytes.Equal(got, plain))
		}
	})
}
