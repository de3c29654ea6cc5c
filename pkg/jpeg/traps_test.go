package jpeg

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// The kinds of file that decoders in wide use get wrong.

// Some decoders accept damaged files without a word: damage_test.go.

// Some decoders make four-component files black or panic.
func TestTrapFourComponents(t *testing.T) {
	everyWay(t, "CMYK", 61, 43, [2]int{1, 1}, [2]int{1, 1}, [2]int{1, 1}, [2]int{1, 1})
	everyWay(t, "YCCK, 4:2:0", 61, 43, [2]int{2, 2}, [2]int{1, 1}, [2]int{1, 1}, [2]int{2, 2})
}

func TestTrapUnusualSubsampling(t *testing.T) {
	for name, sampling := range map[string][3][2]int{
		"4:1:1":                  {{4, 1}, {1, 1}, {1, 1}},
		"4:4:0":                  {{1, 2}, {1, 1}, {1, 1}},
		"4:2:2":                  {{2, 1}, {1, 1}, {1, 1}},
		"4:1:0":                  {{4, 2}, {1, 1}, {1, 1}},
		"three to one":           {{3, 1}, {1, 1}, {1, 1}},
		"three to two":           {{3, 1}, {2, 1}, {1, 1}},
		"all 2x2":                {{2, 2}, {2, 2}, {1, 1}},
		"luma smaller than Cb":   {{1, 1}, {2, 2}, {1, 1}},
		"each a direction":       {{2, 2}, {2, 1}, {1, 2}},
		"4:4:4 of factors 2 × 1": {{2, 1}, {2, 1}, {2, 1}},
	} {
		everyWay(t, name, 61, 43, sampling[0], sampling[1], sampling[2])
	}
}

// The sampling factors of a single component say nothing: its MCU is a block.
func TestTrapGrayWithSamplingFactors(t *testing.T) {
	everyWay(t, "gray 2x2", 61, 43, [2]int{2, 2})
	everyWay(t, "gray 4x3", 61, 43, [2]int{4, 3})
}

func TestTrapRestartIntervalThatDoesNotDivideTheRow(t *testing.T) {
	for _, interval := range []int{1, 3, 7, 1000} {
		p := newPicture(rand.New(rand.NewPCG(1, 2)), 100, 100, [2]int{2, 2}, [2]int{1, 1}, [2]int{1, 1})
		p.restart = interval
		sound(t, fmt.Sprintf("interval %d", interval), p)
	}
}

// Motion JPEG leaves out the tables of annex K.
func TestTrapNoHuffmanTables(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		p := newPicture(r, 40, 40, [2]int{1, 1})
		p.annexK, p.noTables = true, true
		sound(t, "without tables", p)
	}
}

// RGB coded as it is must not be taken for YCbCr.
func TestTrapAdobeRGB(t *testing.T) {
	p := newPicture(rand.New(rand.NewPCG(5, 6)), 30, 30, [2]int{1, 1}, [2]int{1, 1}, [2]int{1, 1})
	for transform, want := range []Color{RGB, YCbCr} {
		p.adobe = transform
		if planes := sound(t, "Adobe", p); planes.Color != want {
			t.Errorf("transform %d is %v, not %v", transform, planes.Color, want)
		}
	}
}

// Data of a scan that is longer than the window, with restart markers and without.
func TestTrapLongScans(t *testing.T) {
	for _, restart := range []int{0, 5000} {
		p := newPicture(rand.New(rand.NewPCG(7, 8)), 1600, 1200, [2]int{2, 2}, [2]int{1, 1}, [2]int{1, 1})
		p.restart = restart
		if n := len(p.encode()); n < 4*windowSize {
			t.Fatalf("only %d bytes", n)
		}
		sound(t, "large", p)
		p.progressive, p.script = true, libjpegScript
		sound(t, "large and progressive", p)
	}
}

// everyWay decodes pictures of a sampling, sequential and progressive, interleaved and not.
func everyWay(t *testing.T, name string, width, height int, sampling ...[2]int) {
	t.Helper()
	r := rand.New(rand.NewPCG(9, 10))
	p := newPicture(r, width, height, sampling...)
	sound(t, name+", interleaved", p)
	p.separate()
	sound(t, name+", not interleaved", p)
	p.progress(r)
	sound(t, name+", progressive", p)
}

// sound decodes a picture at every scale and compares. It returns the planes of the last.
func sound(t *testing.T, what string, p *picture) (planes Planes) {
	t.Helper()
	file := p.encode()
	for _, scale := range scales {
		if err := Decode(&planes, file, Options{Scale: scale}); err != nil {
			t.Fatalf("%s %d/8: %v", what, scale, err)
		}
		compare(t, fmt.Sprintf("%s %d/8", what, scale), &planes, p.planes(scale))
	}
	return planes
}
