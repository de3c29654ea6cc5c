package picture

import "image"

// Alpha multiplies the samples of a row by alpha, the last of each pixel's 2 or 4, where that is asked for. It reports
// whether all of the row is opaque.
func Alpha(row []byte, channels int, multiply bool) (opaque bool) {
	opaque = true
	if channels == 2 {
		for i := 0; i+2 <= len(row); i += 2 {
			if a := row[i+1]; a < 255 {
				if opaque = false; multiply {
					row[i] = times(row[i], a)
				}
			}
		}
		return opaque
	}
	done, opaque := alphaVector(row, multiply)
	for i := 4 * done; i+4 <= len(row); i += 4 {
		p := row[i : i+4 : i+4]
		if a := p[3]; a < 255 {
			if opaque = false; multiply {
				p[0], p[1], p[2] = times(p[0], a), times(p[1], a), times(p[2], a)
			}
		}
	}
	return opaque
}

// OfYCbCr returns an image as a picture of the same planes.
func OfYCbCr(img *image.YCbCr) *Picture {
	b := img.Rect
	across, down := 1, 1
	switch img.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		across = 2
	case image.YCbCrSubsampleRatio420:
		across, down = 2, 2
	case image.YCbCrSubsampleRatio440:
		down = 2
	case image.YCbCrSubsampleRatio411:
		across = 4
	case image.YCbCrSubsampleRatio410:
		across, down = 4, 2
	}
	plane := func(pix []byte, at, stride, across, down int) Plane {
		first, last := b.Min, b.Max.Sub(image.Pt(1, 1))
		w, h := last.X/across-first.X/across+1, last.Y/down-first.Y/down+1
		return Plane{
			Pix: pix[at:], Stride: stride, Width: w, Height: h,
			Across: Span{float64(b.Min.X%across) / float64(across), float64(b.Dx()) / float64(across)},
			Down:   Span{float64(b.Min.Y%down) / float64(down), float64(b.Dy()) / float64(down)},
		}
	}
	c := img.COffset(b.Min.X, b.Min.Y)
	return &Picture{Model: YCbCr, Planes: []Plane{
		plane(img.Y, img.YOffset(b.Min.X, b.Min.Y), img.YStride, 1, 1),
		plane(img.Cb, c, img.CStride, across, down), plane(img.Cr, c, img.CStride, across, down),
	}}
}
