package ssim

import (
	"math"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// waves is a picture of gentle waves, each sample changed by change.
func waves(w, h int, change func(x, y int, v float64) float64) *picture.Plane {
	p := picture.Whole(make([]byte, w*h), w, h)
	for y := range h {
		for x := range w {
			v := 128 + 60*math.Sin(float64(x)/9)*math.Cos(float64(y)/13)
			p.Pix[y*w+x] = byte(min(max(math.Round(change(x, y, v)), 0), 255))
		}
	}
	return &p
}

func same(_, _ int, v float64) float64 { return v }

func noise(strength float64) func(x, y int, v float64) float64 {
	return func(x, y int, v float64) float64 {
		return v + strength*(float64((x*7919+y*104729+x*y*31)%201)/100-1)
	}
}

func TestDistance(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {3, 9}, {8, 8}, {16, 5}, {31, 47}, {200, 150}, {1, 300}} {
		w, h := size[0], size[1]
		original := waves(w, h, same)
		if d := Distance(original, waves(w, h, same)); d > 1e-6 {
			t.Errorf("%d×%d: %g between equal pictures", w, h, d)
		}
		a, b := waves(w, h, noise(10)), waves(w, h, noise(40))
		near, far := Distance(original, a), Distance(original, b)
		if w*h > 8 && (near <= 0 || far <= near || far > 2) {
			t.Errorf("%d×%d: %g with little noise, %g with much", w, h, near, far)
		}
		if back := Distance(a, original); math.Abs(back-near) > 1e-9 {
			t.Errorf("%d×%d: %g one way, %g the other", w, h, near, back)
		}
	}
}

// A little more light changes no structure; noise of the same error does.
func TestStructureCountsMoreThanLight(t *testing.T) {
	original := waves(200, 150, same)
	light := Distance(original, waves(200, 150, func(_, _ int, v float64) float64 { return v + 10 }))
	noisy := Distance(original, waves(200, 150, noise(17)))
	if light*5 > noisy {
		t.Errorf("light %g, noise %g", light, noisy)
	}
}

// Damage in one place counts more than the same squared error spread evenly.
func TestABadSpotCounts(t *testing.T) {
	original := waves(256, 256, same)
	spot := Distance(original, waves(256, 256, func(x, y int, v float64) float64 {
		if x < 64 && y < 64 {
			return noise(40)(x, y, v)
		}
		return v
	}))
	even := Distance(original, waves(256, 256, noise(10)))
	if spot < even {
		t.Errorf("a spot %g, even noise %g", spot, even)
	}
}

func TestRowsMayHaveGaps(t *testing.T) {
	tight := waves(40, 30, noise(20))
	loose := &picture.Plane{Pix: make([]byte, 30*50), Stride: 50, Width: 40, Height: 30}
	for y := range 30 {
		copy(loose.Pix[50*y:], tight.Pix[40*y:][:40])
	}
	original := waves(40, 30, same)
	if a, b := Distance(original, tight), Distance(original, loose); a != b {
		t.Errorf("%g without gaps, %g with", a, b)
	}
}
