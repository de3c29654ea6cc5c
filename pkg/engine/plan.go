package engine

import (
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// OnlyScales reports whether all that r makes of a JPEG is JPEGs and WebPs scaled to fit: then an engine that never
// leaves the planes of luma and colour can make them, with the same result and faster. The profile must be none, or
// sRGB's, or kept; four colours are never planar.
func OnlyScales(info header.Info, r recipe.Recipe) bool {
	if info.Format != format.JPEG || info.JPEG.Components == 4 || len(r.Variants) == 0 {
		return false
	}
	neutral := info.ICC == nil
	if !neutral {
		p, err := icc.Parse(info.ICC)
		// What is no profile, no engine heeds; one that cannot be converted is carried, which costs no pixel.
		neutral = err != nil || p.IsSRGB()
	}
	for _, v := range r.Variants {
		if to := v.OutputFormat("", info.Format); to != format.JPEG && to != format.WebP {
			return false
		}
		if len(v.Ops) > 1 || !neutral && v.ICC != recipe.ICCKeep {
			return false
		}
		if len(v.Ops) == 1 && v.Ops[0].Word != recipe.Fit {
			return false
		}
	}
	return true
}
