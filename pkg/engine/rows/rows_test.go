package rows_test

import (
	"errors"
	"io"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/engine/rows"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/raster"
)

var _ engine.RowSource = (*rows.Source)(nil)

func TestFaultsAreRejections(t *testing.T) {
	img := enginetest.Photo(40, 30)
	for name, data := range map[string][]byte{format.PNG: enginetest.PNG(img), format.TIFF: enginetest.TIFF(img),
		format.BMP: enginetest.BMP(img)} {
		for why, c := range map[outcome.Reason]struct {
			data []byte
			opt  raster.Options
		}{
			outcome.Truncated:     {data[:len(data)/2], raster.Options{}},
			outcome.TooManyPixels: {data, raster.Options{MaxPixels: 1199}},
			outcome.Corrupt:       {append([]byte("something else"), data...), raster.Options{}},
			"":                    {data, raster.Options{MaxPixels: 1200}},
		} {
			s, err := rows.Open(name, c.data, c.opt)
			for err == nil {
				err = s.ReadRow(make([]byte, raster.RowSize(s)))
			}
			var rejection *outcome.Rejection
			if errors.As(err, &rejection); why == "" && !errors.Is(err, io.EOF) || why != "" &&
				(rejection == nil || rejection.Reason != why) {
				t.Errorf("%s: %v, want %q", name, err, why)
			}
		}
	}
	if _, err := rows.Open(format.GIF, nil, raster.Options{}); err == nil {
		t.Error("GIF was opened")
	}
}
