package reference

import (
	"fmt"
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/thumbhash"
	"github.com/imagefarm/imagefarm/pkg/known"
)

// Facts returns what the header tells of the image, with how it looks; nil: nothing. seen may be nil.
func Facts(info header.Info, seen *thumbhash.Look) *known.Facts {
	f := info.Facts()
	if seen != nil {
		f.Color, f.ThumbHash = fmt.Sprintf("%02x%02x%02x", seen.Color[0], seen.Color[1], seen.Color[2]), seen.Hash
	}
	if f.Empty() {
		return nil
	}
	return &f
}

// maxSpots is how many samples in each direction a pixel of a glance is the mean of. Looking at more of a large
// picture would take longer and hardly change a colour.
const maxSpots = 4

// GlanceSize is the size at which a picture of w×h pixels is looked at.
func GlanceSize(w, h int) image.Point {
	if long := max(w, h); long > thumbhash.Side {
		w, h = max(1, (w*thumbhash.Side+long/2)/long), max(1, (h*thumbhash.Side+long/2)/long)
	}
	return image.Pt(w, h)
}

// Spots returns the samples of size that each of n parts is the mean of.
func Spots(size, n int) [][]int {
	all := make([][]int, n)
	for i := range all {
		from, to := i*size/n, max(i*size/n+1, (i+1)*size/n)
		count := min(to-from, maxSpots)
		for k := range count {
			all[i] = append(all[i], from+(2*k+1)*(to-from)/(2*count))
		}
	}
	return all
}

// Glance returns a picture at the size of a glance.
func Glance(img *image.NRGBA) *image.NRGBA {
	size := GlanceSize(img.Rect.Dx(), img.Rect.Dy())
	out := image.NewNRGBA(image.Rectangle{Max: size})
	columns := Spots(img.Rect.Dx(), size.X)
	for y, ys := range Spots(img.Rect.Dy(), size.Y) {
		for x, xs := range columns {
			var sum [3]int
			alpha := 0
			for _, sy := range ys {
				row := img.Pix[sy*img.Stride:]
				for _, sx := range xs {
					p := row[4*sx : 4*sx+4 : 4*sx+4]
					a := int(p[3])
					alpha += a
					sum[0], sum[1], sum[2] = sum[0]+a*int(p[0]), sum[1]+a*int(p[1]), sum[2]+a*int(p[2])
				}
			}
			to := out.Pix[y*out.Stride+4*x:]
			if alpha > 0 {
				to[0], to[1], to[2] = byte(sum[0]/alpha), byte(sum[1]/alpha), byte(sum[2]/alpha)
			}
			to[3] = byte(alpha / (len(xs) * len(ys)))
		}
	}
	return out
}

// look notes how the smallest variant looks, of an animation its first frame.
func (t *transform) look() {
	var smallest *image.NRGBA
	for _, m := range t.made {
		img := m.frames[0]
		if smallest == nil || img.Rect.Dx()*img.Rect.Dy() < smallest.Rect.Dx()*smallest.Rect.Dy() {
			smallest = img
		}
	}
	seen := thumbhash.Of(Glance(smallest))
	t.seen = &seen
}
