package known

import "math"

// The size of the picture whose gradients are compared: eight steps from left to right in each of eight rows.
const (
	gradientRows    = 8
	gradientColumns = 9
)

// Gradient returns 64 bits that say, for places all over the image, whether it becomes lighter to the right ("dHash").
// Images that look alike differ in few bits. It is read from the ThumbHash; ok is false where there is none, and where
// the image is too even to tell.
func (f *Facts) Gradient() (bits uint64, ok bool) {
	if f == nil || len(f.ThumbHash) < 5 {
		return 0, false
	}
	h := f.ThumbHash
	head := uint(h[0]) | uint(h[1])<<8 | uint(h[2])<<16
	tail := uint(h[3]) | uint(h[4])<<8
	scale, transparent, landscape := head>>18&31, head>>23 == 1, tail>>15 == 1
	long, waves := 7, 5
	if transparent {
		long, waves = 5, 6
	}
	across, down := max(3, int(tail&7)), long
	if landscape {
		across, down = long, max(3, int(tail&7))
	}
	if scale == 0 {
		return 0, false
	}
	var light [gradientRows][gradientColumns]float64
	n := 0
	for cy := range down {
		for cx := 0; cx*down < across*(down-cy); cx++ {
			if cx == 0 && cy == 0 {
				continue
			}
			at := waves + n/2
			if at >= len(h) {
				return 0, false
			}
			wave := float64(h[at]>>(n%2*4)&15)/7.5 - 1
			n++
			var fx [gradientColumns]float64
			for x := range fx {
				fx[x] = math.Cos(math.Pi / gradientColumns * float64(cx) * (float64(x) + 0.5))
			}
			for y := range light {
				fy := math.Cos(math.Pi / gradientRows * float64(cy) * (float64(y) + 0.5))
				for x := range light[y] {
					light[y][x] += wave * fy * fx[x]
				}
			}
		}
	}
	for y := range light {
		for x := range gradientColumns - 1 {
			bits <<= 1
			if light[y][x] < light[y][x+1] {
				bits |= 1
			}
		}
	}
	return bits, true
}
