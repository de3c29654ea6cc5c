package pipeline

import (
	"io/fs"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/engine/imaging"
)

func TestConformance(t *testing.T) {
	enginetest.Suite{New: func(l engine.Limits, assets fs.FS) (engine.Engine, error) {
		behind, err := imaging.New(imaging.Config{Limits: l, Assets: assets})
		if err != nil {
			return nil, err
		}
		e, err := New(Config{Limits: l, Assets: assets, Behind: behind})
		if err != nil {
			return nil, err
		}
		return e, nil
	}}.Run(t)
}
