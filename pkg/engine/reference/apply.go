package reference

import (
	"fmt"
	"image"

	"github.com/disintegration/imaging"

	"github.com/imagefarm/imagefarm/pkg/engine/resample"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Apply runs one operation on a picture, which stays as it is. The picture is meant to be small: every pixel is
// worked on, some of them several times. It is scaled in the light of linear, or in its levels where that is nil.
// scaled says that a pad's picture has its size already. mark is a watermark's asset.
func Apply(
	img *image.NRGBA, o recipe.Op, enlarge bool, linear *resample.Curves, scaled bool, mark *image.NRGBA,
) (*image.NRGBA, error) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	switch o.Word {
	case recipe.Fit, recipe.Force:
		w, h, _ = o.Size(w, h, enlarge)
		return resized(img, w, h, linear), nil
	case recipe.Fill:
		w, h = o.Cover(w, h, enlarge)
		return cut(resized(img, w, h, linear), o), nil
	case recipe.Pad:
		if !scaled {
			w, h = o.Inner(w, h, enlarge)
			img = resized(img, w, h, linear)
		}
		return pad(img, o), nil
	case recipe.Crop:
		return cut(img, o), nil
	case recipe.Trim:
		return imaging.Crop(img, Content(img, o.N)), nil
	case recipe.Rotate:
		switch o.N { // the library turns counter-clockwise
		case 90:
			return imaging.Rotate270(img), nil
		case 180:
			return imaging.Rotate180(img), nil
		case 270:
			return imaging.Rotate90(img), nil
		}
		return img, nil
	case recipe.Flip:
		return imaging.FlipV(img), nil
	case recipe.Flop:
		return imaging.FlipH(img), nil
	case recipe.Blur:
		return imaging.Blur(img, o.N), nil
	case recipe.Sharpen:
		return imaging.Sharpen(img, o.N), nil
	case recipe.Brightness:
		return imaging.AdjustBrightness(img, o.N), nil
	case recipe.Contrast:
		return imaging.AdjustContrast(img, o.N), nil
	case recipe.Saturation:
		return imaging.AdjustSaturation(img, o.N), nil
	case recipe.Gamma:
		return imaging.AdjustGamma(img, o.N), nil
	case recipe.Gray:
		return imaging.Grayscale(img), nil
	case recipe.Invert:
		return imaging.Invert(img), nil
	case recipe.Watermark:
		return overlay(img, mark, o.Gravity, o.N), nil
	}
	return nil, fmt.Errorf("operation %q is not known to the engine", o.Word)
}

// resized resamples a picture to w×h pixels, or returns it where it has that size.
func resized(img *image.NRGBA, w, h int, linear *resample.Curves) *image.NRGBA {
	switch {
	case img.Rect.Dx() == w && img.Rect.Dy() == h:
		return img
	case linear != nil:
		return resizedLinear(img, w, h, linear)
	}
	return imaging.Resize(img, w, h, imaging.Lanczos)
}

// cut cuts o's size out of a picture, at o's gravity.
func cut(img *image.NRGBA, o recipe.Op) *image.NRGBA {
	size := img.Rect.Size()
	w, h, _ := recipe.Op{Word: recipe.Crop, W: o.W, H: o.H}.Size(size.X, size.Y, false)
	if w == size.X && h == size.Y {
		return img
	}
	at := Place(size, image.Pt(w, h), o.Gravity)
	if o.Gravity == recipe.Smart {
		at = busiest(img, w, h)
	}
	return imaging.Crop(img, image.Rectangle{Min: at, Max: at.Add(image.Pt(w, h))})
}
