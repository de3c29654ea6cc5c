package reference

import (
	"context"
	"errors"
	"fmt"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// planesJXL decodes a frame of a JPEG XL by libjxl, when its turn comes.
func (e *Engine) planesJXL(ctx context.Context, data []byte, frame int) (*picture.Picture, error) {
	lib, err := native.LibJXL()
	if err != nil {
		return nil, outcome.Reject(outcome.Unsupported, "JPEG XL needs libjxl: %v", err)
	}
	release, err := (&transform{engine: e, ctx: ctx}).acquire()
	if err != nil {
		return nil, err
	}
	defer release()
	p, err := lib.Decode(data, frame, e.limits.MaxPixels)
	if errors.Is(err, native.ErrJXLCut) {
		return nil, outcome.Reject(outcome.Truncated, "the JPEG XL ends before its picture does")
	}
	if err != nil {
		return nil, fmt.Errorf("the JPEG XL is damaged: %w", err)
	}
	return p, nil
}
