package jpeg

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// scales are all of them.
var scales = []Scale{
	Full, SevenEighths, ThreeQuarters, FiveEighths, Half, ThreeEighths, Quarter, Eighth,
}

// randomPicture makes a picture of random size, sampling, restart interval and scans.
func randomPicture(r *rand.Rand) *picture {
	width, height := 1+r.IntN(90), 1+r.IntN(60)
	var p *picture
	if r.IntN(5) == 0 {
		p = newPicture(r, width, height, [2]int{1 + r.IntN(4), 1 + r.IntN(4)})
	} else {
		var sampling [][2]int
		blocks := 0
		components := 3 + r.IntN(4)/3
		for len(sampling) < components {
			s := [2]int{1 + r.IntN(4), 1 + r.IntN(4)}
			if len(sampling) > 0 && r.IntN(2) == 0 {
				s = [2]int{1, 1}
			}
			if blocks+s[0]*s[1]+components-1-len(sampling) > 10 {
				continue
			}
			blocks += s[0] * s[1]
			sampling = append(sampling, s)
		}
		p = newPicture(r, width, height, sampling...)
	}
	switch r.IntN(4) {
	case 0:
		p.progress(r)
	case 1:
		p.progress(r)
		p.progress(r)
	case 2:
		p.separate()
	}
	if r.IntN(2) == 0 {
		p.restart = 1 + r.IntN(30)
	}
	p.annexK = r.IntN(3) == 0
	return p
}

// compare fails the test unless planes are those wanted.
func compare(t *testing.T, what string, got *Planes, want []graymap) {
	t.Helper()
	for i, g := range want {
		plane := got.planes(4)[i]
		if far := farthest(plane, g); far != 0 {
			t.Fatalf("%s: component %d is off by %d (%d×%d, wanted %d×%d)",
				what, i, far, plane.Width, plane.Height, g.width, g.height)
		}
	}
}

func (p *picture) String() string {
	s := fmt.Sprintf("%d×%d", p.width, p.height)
	for _, c := range p.parts {
		s += fmt.Sprintf(" %dx%d", c.h, c.v)
	}
	return s + fmt.Sprintf(", restart %d, progressive %v, scans %v", p.restart, p.progressive, p.script)
}

// Thousands of pictures of every sampling, size, scan script and restart interval come out as their coefficients say.
func TestPicturesOfEveryKind(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var d Decoder
	var planes Planes
	count := 4000
	if testing.Short() {
		count = 400
	}
	for i := range count {
		p := randomPicture(r)
		data := p.encode()
		for _, scale := range scales {
			if err := d.Decode(&planes, data, Options{Scale: scale}); err != nil {
				t.Fatalf("picture %d, %v, %d/8: %v", i, p, scale, err)
			}
			compare(t, fmt.Sprintf("picture %d, %v, %d/8", i, p, scale), &planes, p.planes(scale))
			if planes.Width != scale.of(p.width) || planes.Height != scale.of(p.height) {
				t.Fatalf("picture %d, %v, %d/8: %d×%d", i, p, scale, planes.Width, planes.Height)
			}
		}
	}
}

// The first 40×40 sizes, where blocks, MCUs and scaled samples are cut in every way.
func TestOddSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var d Decoder
	var planes Planes
	for width := 1; width <= 40; width++ {
		for height := 1; height <= 40; height++ {
			p := newPicture(r, width, height, [2]int{2, 2}, [2]int{1, 1}, [2]int{1, 1})
			if (width+height)%2 == 0 {
				p.progress(r)
			}
			data := p.encode()
			for _, scale := range scales {
				if err := d.Decode(&planes, data, Options{Scale: scale}); err != nil {
					t.Fatalf("%v %d/8: %v", p, scale, err)
				}
				compare(t, fmt.Sprintf("%v %d/8", p, scale), &planes, p.planes(scale))
			}
		}
	}
}
