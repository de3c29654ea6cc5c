package reference

import (
	"io/fs"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
)

func TestConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("pkg/engine/pipeline runs the same suite, on the engine of the programs")
	}
	enginetest.Suite{Plain: true, New: func(l engine.Limits, assets fs.FS) (engine.Engine, error) {
		e, err := New(Config{Limits: l, Assets: assets})
		if err != nil {
			return nil, err
		}
		return e, nil
	}}.Run(t)
}
