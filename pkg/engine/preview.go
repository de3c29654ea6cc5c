package engine

import (
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// enough is the part of the full width that a preview must have to be the picture itself: sensors have a few rows and
// columns more than the pictures that cameras make of them.
const enough = 0.9

// CheckPreview rejects a camera's raw file whose preview is smaller than what a variant asks for. It compares what
// comes of the preview, now w×h pixels, with what would come of the whole picture. Operations that count pixels need
// the whole picture's. A variant that may be enlarged takes what there is. Like CheckVariant it stops where a size
// depends on the pixels.
func CheckPreview(info header.Info, v recipe.Variant, w, h int, ops []recipe.Op) error {
	times := larger(info)
	if times*enough <= 1 || v.Enlarge {
		return nil
	}
	has := func(w, h, needW, needH int) bool {
		return float64(w) >= enough*float64(needW)-1 && float64(h) >= enough*float64(needH)-1
	}
	fullW, fullH := int(float64(w)*times), int(float64(h)*times)
	for _, o := range ops {
		suffices := true
		switch o.Word {
		case recipe.Crop, recipe.Blur, recipe.Sharpen, recipe.Watermark:
			suffices = has(w, h, fullW, fullH)
		case recipe.Pad:
			w, h = o.Inner(w, h, false)
			fullW, fullH = o.Inner(fullW, fullH, false)
			suffices = has(w, h, fullW, fullH)
		case recipe.Fill:
			w, h = o.Cover(w, h, false)
			fullW, fullH = o.Cover(fullW, fullH, false)
			suffices = has(w, h, fullW, fullH)
		}
		if !suffices {
			return previewTooSmall(info, v, fullW, fullH)
		}
		var exact bool
		if w, h, exact = o.Size(w, h, false); !exact {
			return nil
		}
		fullW, fullH, _ = o.Size(fullW, fullH, false)
	}
	if !has(w, h, fullW, fullH) {
		return previewTooSmall(info, v, fullW, fullH)
	}
	return nil
}

// larger returns how many times the width of a raw file's preview the picture has, 1 for every other image. Where
// nothing tells the size of the picture, every preview is much smaller. Cameras may cut a preview to another shape.
func larger(info header.Info) float64 {
	if info.Format != format.RAW {
		return 1
	}
	const unknown = 100
	if info.FullWidth == 0 || info.FullHeight == 0 {
		return unknown
	}
	long := float64(max(info.FullWidth, info.FullHeight)) / float64(max(info.Width, info.Height))
	short := float64(min(info.FullWidth, info.FullHeight)) / float64(min(info.Width, info.Height))
	return min(long, short)
}

func previewTooSmall(info header.Info, v recipe.Variant, w, h int) error {
	pw, ph := info.Displayed()
	return outcome.RejectVariant(v.Name, outcome.PreviewTooSmall,
		"the largest preview in the camera's raw file has %d×%d pixels, and "+
			"variant %s needs the picture at %d×%d: make it smaller, or let it grow with enlarge:yes", pw, ph, v.Name, w, h)
}
