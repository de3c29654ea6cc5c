package jpeg

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// libjpegScript is the order of scans that libjpeg makes of a progressive file of three components.
var libjpegScript = [][]passOf{
	{{0, 0, 0, 0, 1}, {1, 0, 0, 0, 1}, {2, 0, 0, 0, 1}},
	{{0, 1, 5, 0, 2}}, {{2, 1, 63, 0, 1}}, {{1, 1, 63, 0, 1}}, {{0, 6, 63, 0, 2}}, {{0, 1, 63, 2, 1}},
	{{0, 0, 0, 1, 0}, {1, 0, 0, 1, 0}, {2, 0, 0, 1, 0}},
	{{2, 1, 63, 1, 0}}, {{1, 1, 63, 1, 0}}, {{0, 1, 63, 1, 0}},
}

func TestScansThatAScaleNeeds(t *testing.T) {
	p := newPicture(rand.New(rand.NewPCG(1, 2)), 100, 50, [2]int{2, 2}, [2]int{1, 1}, [2]int{1, 1})
	p.progressive, p.script = true, libjpegScript
	file := newParser(p.encode())
	if err := file.headers(); err != nil {
		t.Fatal(err)
	}
	if err := file.all(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scale          Scale
		skipRefinement bool
		want           []int
	}{
		{Eighth, false, []int{0, 6}},
		{Eighth, true, []int{0, 6}},
		{Quarter, true, []int{0, 1, 2, 3, 6}},
		{Quarter, false, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}, // 4 for what is zero in it
		{Half, true, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{Full, true, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
	} {
		var got []int
		for _, s := range selectScans(file.scans, c.scale, c.skipRefinement) {
			got = append(got, s.index)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%d/8, refinement skipped %v: scans %v, not %v", c.scale, c.skipRefinement, got, c.want)
		}
	}
}

// SkipRefinement leaves Eighth, Half and Full exact, and Quarter off by no more than the bits left out are worth.
func TestSkippedRefinementIsSeenAtQuarterOnly(t *testing.T) {
	p := newPicture(rand.New(rand.NewPCG(3, 4)), 100, 50, [2]int{2, 2}, [2]int{1, 1}, [2]int{1, 1})
	for i := range p.parts {
		fill(p.parts[i].quant[:], 2)
	}
	p.progressive, p.script = true, libjpegScript
	file := p.encode()
	for _, scale := range scales {
		var planes Planes
		if err := Decode(&planes, file, Options{Scale: scale, SkipRefinement: true}); err != nil {
			t.Fatal(err)
		}
		for i, want := range p.planes(scale) {
			far := farthest(planes.planes(3)[i], want)
			// Two bits of three coefficients are left out: each is short of at most 3 × 2, an eighth of it in a sample.
			if scale != Quarter && far != 0 || scale == Quarter && far > 3 {
				t.Errorf("%d/8: component %d is off by %d", scale, i, far)
			}
		}
	}
}

// A scan that repeats or leaves out a bit of what is known is no progression; it ends what is decoded.
func TestScansThatAreNoProgression(t *testing.T) {
	for _, script := range [][][]passOf{
		{{{0, 0, 0, 0, 0}}, {{0, 0, 0, 0, 0}}},
		{{{0, 0, 0, 0, 1}}, {{0, 0, 0, 1, 0}}, {{0, 0, 0, 1, 0}}},
		{{{0, 0, 0, 0, 0}}, {{0, 1, 63, 1, 0}}},
		{{{0, 0, 0, 0, 0}}, {{0, 1, 63, 0, 3}}, {{0, 1, 63, 2, 1}}},
		{{{0, 0, 0, 0, 0}}, {{0, 1, 10, 0, 0}}, {{0, 10, 63, 0, 0}}},
		{{{0, 0, 0, 0, 0}}, {{0, 1, 63, 0, 3}}, {{0, 1, 63, 3, 1}}},
	} {
		p := newPicture(rand.New(rand.NewPCG(5, 6)), 20, 20, [2]int{1, 1})
		p.progressive, p.script = true, script
		var planes Planes
		if kind := errorKind(t, Decode(&planes, p.encode(), Options{Scale: Eighth})); kind != "corrupt" {
			t.Errorf("%v is %s", script, kind)
		}
		if len(script) > 1 && len(script[0]) == 1 && script[0][0].low == 0 {
			compare(t, "what came before", &planes, p.planes(Eighth))
		}
	}
}
