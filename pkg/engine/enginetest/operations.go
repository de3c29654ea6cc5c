package enginetest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"testing"
)

func testOutputs(t *testing.T, s Suite) {
	img := Photo(203, 151)
	data := JPEG(img, JPEGOptions{Sampling: [2]int{1, 1}, Quality: 98})
	for f, decibels := range map[string]float64{"jpeg": 28, "png": 30, "webp": 27, "gif": 26, "tiff": 30, "avif": 26} {
		for _, q := range []string{"", ",quality:95"} {
			near(t, f+q, s.one(t, data, "fit:101x101,format:"+f+q), Shrunk(img, 101, 75), decibels)
		}
	}
	s.make(t, data, "x=fit:20x20,ext:keep") // which is about the name alone
	for _, f := range []string{"jpeg", "webp", "avif"} {
		res := s.make(t, data, "low=format:"+f+",quality:20", "high=format:"+f+",quality:95")
		if low, high := len(res.Outputs[0].Data), len(res.Outputs[1].Data); low*3/2 > high {
			t.Errorf("%s: quality 20 takes %d bytes, 95 takes %d", f, low, high)
		}
	}
	for in, data := range map[string][]byte{"png": PNG(img), "bmp": BMP(img), "tiff": TIFF(img), "webp": WebP(img)} {
		want := in
		if in == "bmp" {
			want = "jpeg"
		}
		if out := s.make(t, data, "x=fit:20x20").Outputs[0]; out.Format != want {
			t.Errorf("%s with format:same becomes %s, want %s", in, out.Format, want)
		}
	}
	// Engines see no names of files, so that a word about names changes no output.
	plain, named := s.make(t, data, "x=fit:20x20"), s.make(t, data, "x=fit:20x20,ext:keep")
	if !bytes.Equal(plain.Outputs[0].Data, named.Outputs[0].Data) {
		t.Error("ext:keep changed an output")
	}
}

func testTransparency(t *testing.T, s Suite) {
	clear := filled(64, 64, color.NRGBA{255, 0, 0, 0})
	half := filled(64, 64, color.NRGBA{0, 0, 255, 128})
	for _, c := range []struct {
		img  *image.NRGBA
		ops  string
		want color.NRGBA
	}{
		{clear, "format:jpeg", color.NRGBA{255, 255, 255, 255}},
		{clear, "format:jpeg,background:black", color.NRGBA{0, 0, 0, 255}},
		{clear, "fit:20x20,format:jpeg,background:00ff00", color.NRGBA{0, 255, 0, 255}},
		{half, "fit:20x20,format:jpeg", color.NRGBA{127, 127, 255, 255}},
		{half, "fit:20x20,format:png", color.NRGBA{0, 0, 255, 128}},
		{half, "fit:20x20,format:webp", color.NRGBA{0, 0, 255, 128}},
		{half, "fit:20x20,format:tiff", color.NRGBA{0, 0, 255, 128}},
		{half, "fit:20x20,format:avif", color.NRGBA{0, 0, 255, 128}},
		{half, "pad:100x100:lime,format:jpeg", color.NRGBA{127, 127, 255, 255}},
	} {
		img := s.one(t, PNG(c.img), c.ops)
		if got := img.NRGBAAt(img.Rect.Dx()/2, img.Rect.Dy()/2); far(got, c.want, 4) {
			t.Errorf("%v, %s: %v, want %v", c.img.NRGBAAt(0, 0), c.ops, got, c.want)
		}
	}
	if got := s.one(t, PNG(clear), "format:gif").NRGBAAt(5, 5); got.A != 0 {
		t.Errorf("transparent to GIF: %v", got)
	}
	// Transparent pixels have a colour too, and it must not bleed into their neighbours: no dark seams.
	edge := filled(64, 64, color.NRGBA{0, 0, 0, 0})
	for y := range 64 {
		for x := range 31 {
			edge.SetNRGBA(x, y, color.NRGBA{255, 255, 0, 255})
		}
	}
	for _, ops := range []string{"fit:9x9,format:png", "blur:3,format:png", "fit:99x99,enlarge:yes,format:png"} {
		img := s.one(t, PNG(edge), ops)
		for x := range img.Rect.Dx() {
			if c := img.NRGBAAt(x, 4); c.A > 20 && (c.R < 240 || c.G < 240) {
				t.Errorf("%s: %v at the seam", ops, c)
			}
		}
	}
}

func testOperations(t *testing.T, s Suite) {
	data := PNG(Quadrants(160, 120))
	for ops, order := range map[string][4]int{
		"fit:80x80":                    {0, 1, 2, 3},
		"flip":                         {3, 2, 1, 0},
		"flop":                         {1, 0, 3, 2},
		"rotate:90":                    {3, 0, 1, 2},
		"rotate:180":                   {2, 3, 0, 1},
		"rotate:270":                   {1, 2, 3, 0},
		"rotate:90,flip":               {2, 1, 0, 3},
		"flip,rotate:90":               {0, 3, 2, 1},
		"fit:80x80,rotate:90,crop:40x": {3, 0, 1, 2},
		"invert,invert":                {0, 1, 2, 3},
		"brightness:0,contrast:0":      {0, 1, 2, 3},
	} {
		shows(t, ops, s.one(t, data, ops+",format:png"), order)
	}
	gray := func(v uint8) color.NRGBA { return color.NRGBA{v, v, v, 255} }
	c := color.NRGBA{200, 100, 50, 255}
	for ops, want := range map[string]color.NRGBA{
		"gray":            gray(124),
		"invert":          {55, 155, 205, 255},
		"brightness:10":   {226, 126, 76, 255},
		"brightness:-100": {0, 0, 0, 255},
		"brightness:100":  {255, 255, 255, 255},
		"contrast:-100":   gray(128),
		"contrast:50":     {255, 73, 0, 255},
		"saturation:-100": gray(125),
		"gamma:2":         {226, 160, 113, 255},
		"gamma:0.5":       {157, 39, 10, 255},
		"blur:3":          c,
		"sharpen:3":       c,
	} {
		if got := s.one(t, PNG(filled(20, 20, c)), ops+",format:png").NRGBAAt(10, 10); far(got, want, 2) {
			t.Errorf("%s of %v: %v, want %v", ops, c, got, want)
		}
	}
	// A blur softens an edge and a sharpening steepens it.
	step := filled(40, 10, gray(80))
	for y := range 10 {
		for x := 20; x < 40; x++ {
			step.SetNRGBA(x, y, gray(160))
		}
	}
	soft := s.one(t, PNG(step), "blur:2,format:png")
	if l, r := soft.NRGBAAt(18, 5).R, soft.NRGBAAt(21, 5).R; l < 85 || l > 119 || r > 155 || r < 121 {
		t.Errorf("blur: %d and %d beside the edge of 80 and 160", l, r)
	}
	hard := s.one(t, PNG(step), "sharpen:2,format:png")
	if l, r := hard.NRGBAAt(19, 5).R, hard.NRGBAAt(20, 5).R; l > 70 || r < 170 {
		t.Errorf("sharpen: %d and %d beside the edge of 80 and 160", l, r)
	}
	for color, want := range map[string]string{"": "ffffff", ":red": "ff0000", ":0000ff": "0000ff"} {
		img := s.one(t, data, "pad:100x200"+color+",format:png")
		p := img.NRGBAAt(50, 10)
		if got := fmt.Sprintf("%02x%02x%02x", p.R, p.G, p.B); got != want || img.Rect.Size() != image.Pt(100, 200) {
			t.Errorf("pad%s: %s, %v", color, got, img.Rect)
		}
		shows(t, "pad", crop(img, image.Rect(0, 63, 100, 137)), [4]int{0, 1, 2, 3})
	}
}

func crop(img *image.NRGBA, r image.Rectangle) *image.NRGBA { return NRGBA(img.SubImage(r)) }

func testWatermark(t *testing.T, s Suite) {
	data := PNG(filled(100, 60, color.NRGBA{255, 255, 255, 255}))
	for ops, c := range map[string]struct {
		x, y int
		want color.NRGBA
	}{
		"watermark:mark.png":               {95, 55, red},
		"watermark:mark.png:nw":            {5, 5, red},
		"watermark:mark.png:center":        {50, 30, red},
		"watermark:mark.png:north:0.5":     {50, 5, color.NRGBA{255, 128, 128, 255}},
		"watermark:mark.png:se:0":          {95, 55, color.NRGBA{255, 255, 255, 255}},
		"fit:20x20,watermark:mark.png:se":  {15, 8, red},
		"fit:5x5,watermark:mark.png:nw":    {2, 1, red},
		"watermark:mark.png:nw,rotate:90":  {55, 5, red},
		"watermark:mark.png:nw,crop:50:se": {25, 25, color.NRGBA{255, 255, 255, 255}},
	} {
		img := s.one(t, data, ops+",format:png")
		if got := img.NRGBAAt(c.x, c.y); far(got, c.want, 2) {
			t.Errorf("%s: %v at %d, %d, want %v", ops, got, c.x, c.y, c.want)
		}
	}
	// On a transparent picture it shows in its own colours.
	img := s.one(t, PNG(filled(30, 30, color.NRGBA{})), "watermark:mark.png:se:0.5,format:png")
	if got := img.NRGBAAt(25, 25); far(got, color.NRGBA{255, 0, 0, 128}, 2) || img.NRGBAAt(2, 2).A != 0 {
		t.Errorf("on nothing: %v and %v", got, img.NRGBAAt(2, 2))
	}
}
