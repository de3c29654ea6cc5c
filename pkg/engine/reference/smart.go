package reference

import (
	"image"

	"github.com/disintegration/imaging"

	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// smartSide is the side of the copy that is searched for detail, pixels.
const smartSide = 128

// SearchSize returns the size of the small picture in which Busiest searches a picture of w×h pixels.
func SearchSize(w, h int) image.Point {
	w, h, _ = recipe.Op{Word: recipe.Fit, W: smartSide, H: smartSide}.Size(w, h, false)
	return image.Pt(w, h)
}

// busiest returns where to cut w×h out of img so that the cut has most detail.
func busiest(img *image.NRGBA, w, h int) image.Point {
	size := img.Rect.Size()
	search := SearchSize(size.X, size.Y)
	return Busiest(imaging.Resize(img, search.X, search.Y, imaging.Box), size, w, h)
}

// Busiest returns where to cut w×h out of a picture of a size so that the cut has most detail: edges, saturated colours
// and skin tones count, and among equals the cut nearest the middle wins. small is the picture in the size of
// SearchSize.
func Busiest(small *image.NRGBA, size image.Point, w, h int) image.Point {
	sw, sh := small.Rect.Dx(), small.Rect.Dy()
	sums := integral(detail(small), sw, sh)
	cw := min(sw, max(1, (w*sw+size.X/2)/size.X))
	ch := min(sh, max(1, (h*sh+size.Y/2)/size.Y))
	best, at := int64(-1), image.Point{}
	for y := 0; y+ch <= sh; y++ {
		for x := 0; x+cw <= sw; x++ {
			sum := sums[(y+ch)*(sw+1)+x+cw] - sums[y*(sw+1)+x+cw] - sums[(y+ch)*(sw+1)+x] + sums[y*(sw+1)+x]
			score := sum*1000 - int64(abs(2*x+cw-sw)+abs(2*y+ch-sh))
			if best < 0 && (x == 0 && y == 0) || score > best {
				best, at = score, image.Pt(x, y)
			}
		}
	}
	// Scale the position so that a cut at the far end of the small picture is one at the far end of the picture.
	scale := func(n, room, fullRoom int) int {
		if room == 0 {
			return fullRoom / 2
		}
		return (n*fullRoom + room/2) / room
	}
	return image.Pt(scale(at.X, sw-cw, size.X-w), scale(at.Y, sh-ch, size.Y-h))
}

// detail weighs every pixel.
func detail(img *image.NRGBA) []int64 {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	luma := make([]int, w*h)
	for i := range luma {
		p := img.Pix[4*i : 4*i+4 : 4*i+4]
		luma[i] = (299*int(p[0]) + 587*int(p[1]) + 114*int(p[2])) * int(p[3]) / 255000
	}
	out := make([]int64, w*h)
	for y := range h {
		for x := range w {
			i := y*w + x
			edge := 4*luma[i] - luma[y*w+max(x-1, 0)] - luma[y*w+min(x+1, w-1)] -
				luma[max(y-1, 0)*w+x] - luma[min(y+1, h-1)*w+x]
			p := img.Pix[4*i : 4*i+4 : 4*i+4]
			r, g, b := int(p[0]), int(p[1]), int(p[2])
			weight := 4*abs(edge) + (max(r, g, b)-min(r, g, b))/8
			if r > 95 && g > 40 && b > 20 && r > g && r > b && r-min(g, b) > 15 && r-g > 15 && r-g < 80 {
				weight += 48 // skin
			}
			out[i] = int64(weight) * int64(p[3]) / 255
		}
	}
	return out
}

// integral returns the sums over all rectangles from the origin, in w+1 columns.
func integral(v []int64, w, h int) []int64 {
	sums := make([]int64, (w+1)*(h+1))
	for y := range h {
		row := int64(0)
		for x := range w {
			row += v[y*w+x]
			sums[(y+1)*(w+1)+x+1] = sums[y*(w+1)+x+1] + row
		}
	}
	return sums
}

func abs(n int) int { return max(n, -n) }
