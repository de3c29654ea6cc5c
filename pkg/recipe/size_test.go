package recipe

import "testing"

func TestSizesAreRightToThePixel(t *testing.T) {
	for _, c := range []struct {
		ops        string
		w, h       int
		outW, outH int
	}{
		{"fit:256x256", 4000, 3000, 256, 192},
		{"fit:256x256", 3000, 4000, 192, 256},
		{"fit:256x256", 256, 256, 256, 256},
		{"fit:256x256", 100, 50, 100, 50},
		{"fit:256x256,enlarge:yes", 100, 50, 256, 128},
		{"fit:64x64", 1000, 1, 64, 1},
		{"fit:64x64", 3, 100000, 1, 64},
		{"fit:64x64", 1001, 333, 64, 21},
		{"fit:100x", 3, 2, 3, 2},
		{"fit:100x", 1000, 3333, 100, 333},
		{"fit:x100", 3333, 1000, 333, 100},
		{"fit:256x256", 512, 385, 256, 193}, // half a pixel rounds up
		{"fill:100x100", 400, 300, 100, 100},
		{"fill:100x100", 90, 300, 90, 100},
		{"fill:100x100", 50, 60, 50, 60},
		{"fill:100x100,enlarge:yes", 50, 60, 100, 100},
		{"fill:100x", 400, 300, 100, 75},
		{"fill:33x47", 1000, 999, 33, 47},
		{"force:100x200", 400, 300, 100, 200},
		{"force:100x500", 400, 300, 100, 300},
		{"force:100x500,enlarge:yes", 400, 300, 100, 500},
		{"force:100x", 400, 300, 100, 75},
		{"pad:100x100", 400, 300, 100, 100},
		{"pad:100x", 400, 300, 100, 75},
		{"pad:500x500", 400, 300, 500, 500},
		{"crop:100x200", 400, 300, 100, 200},
		{"crop:500x200", 400, 300, 400, 200},
		{"crop:x200", 400, 300, 400, 200},
		{"rotate:90", 400, 300, 300, 400},
		{"rotate:180", 400, 300, 400, 300},
		{"rotate:270,fit:100x100", 400, 300, 75, 100},
		{"fit:100x100,crop:50x50,pad:60x60", 400, 300, 60, 60},
		{"flip,flop,gray,invert,blur:1", 400, 300, 400, 300},
		{"fit:x65535,enlarge:yes", 65535, 1, 65535, 65535}, // a free side ends at the limit too
	} {
		v := mustParse(t, c.ops).Variants[0]
		if w, h, exact := v.Size(c.w, c.h); w != c.outW || h != c.outH || !exact {
			t.Errorf("%s of %d×%d gives %d×%d, want exactly %d×%d", c.ops, c.w, c.h, w, h, c.outW, c.outH)
		}
	}
}

func TestSizeAfterATrimIsABound(t *testing.T) {
	for ops, want := range map[string][2]int{"trim": {400, 300}, "trim,fit:100x100": {100, 75},
		"fit:100x100,trim": {100, 75}} {
		w, h, exact := mustParse(t, ops).Variants[0].Size(400, 300)
		if w != want[0] || h != want[1] || exact {
			t.Errorf("%s: %d×%d, exact %v; want at most %v", ops, w, h, exact, want)
		}
	}
}

func FuzzSizeStaysInItsBox(f *testing.F) {
	f.Add(uint16(400), uint16(300), uint16(100), uint16(100), false)
	f.Add(uint16(1), uint16(65535), uint16(0), uint16(1), true)
	f.Fuzz(func(t *testing.T, w, h, bw, bh uint16, enlarge bool) {
		if w == 0 || h == 0 || bw == 0 && bh == 0 {
			return
		}
		for _, word := range []Word{Fit, Fill, Force, Crop} {
			o := Op{Word: word, W: int(bw), H: int(bh)}
			ow, oh, _ := o.Size(int(w), int(h), enlarge)
			if ow < 1 || oh < 1 {
				t.Errorf("%v of %d×%d: %d×%d", o, w, h, ow, oh)
			}
			if bw > 0 && ow > int(bw) || bh > 0 && oh > int(bh) {
				t.Errorf("%v of %d×%d: %d×%d leaves the box", o, w, h, ow, oh)
			}
			if !enlarge && (ow > int(w) || oh > int(h)) {
				t.Errorf("%v of %d×%d: %d×%d is larger", o, w, h, ow, oh)
			}
			cw, ch := o.Cover(int(w), int(h), enlarge)
			if word == Fill && (cw < ow || ch < oh) {
				t.Errorf("%v of %d×%d: %d×%d does not cover %d×%d", o, w, h, cw, ch, ow, oh)
			}
		}
	})
}
