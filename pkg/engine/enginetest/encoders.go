package enginetest

import (
	"bytes"
	"image"
	"image/color"
	"strconv"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// Settings of encoders hold for planes that stay as they are (fit) and for pixels (invert).
func testJPEGSettings(t *testing.T, s Suite) {
	photo := JPEG(Photo(203, 151), JPEGOptions{Sampling: [2]int{1, 1}, Quality: 98})
	for _, ops := range []string{"fit:101x101,format:jpeg", "fit:101x101,invert,format:jpeg",
		"fit:101x101,rotate:90,format:jpeg", "gray,format:jpeg"} {
		made := func(settings string) []byte { return s.make(t, photo, "x="+ops+settings).Outputs[0].Data }
		pixels := func(settings string) *image.NRGBA { return s.one(t, photo, ops+settings) }
		usual := made("")
		if !bytes.Equal(usual, made(",progressive:no,adaptive:no,trellis:no,chroma:420")) {
			t.Errorf("%s: settings at their defaults change the output", ops)
		}
		if !bytes.Equal(usual, made(",progressive:auto")) {
			t.Errorf("%s: a small picture is progressive, which makes it larger", ops)
		}
		for _, c := range []struct {
			settings  string
			frame     byte
			smaller   bool
			decibels  float64
			samplings string // of each component
		}{
			{"", 0xc0, false, 100, "\x22\x11\x11"},
			{",progressive:yes", 0xc2, false, 100, "\x22\x11\x11"},
			{",adaptive:yes", 0xc0, true, 34, "\x22\x11\x11"},
			{",trellis:yes", 0xc0, true, 32, "\x22\x11\x11"},
			{",trellis:yes,progressive:yes", 0xc2, true, 32, "\x22\x11\x11"},
			{",chroma:422", 0xc0, false, 26, "\x21\x11\x11"},
			{",chroma:444", 0xc0, false, 26, "\x11\x11\x11"},
			{",chroma:auto", 0xc0, false, 100, "\x22\x11\x11"},
			{",chroma:auto,quality:90", 0xc0, false, 26, "\x11\x11\x11"},
		} {
			if strings.HasPrefix(ops, "gray") {
				c.samplings = "\x11"
			}
			data := made(c.settings)
			if frame, samplings := frameOf(data); frame != c.frame || samplings != c.samplings {
				t.Errorf("%s%s: frame %x with samplings %x, want %x and %x", ops, c.settings, frame, samplings, c.frame,
					c.samplings)
			}
			if c.smaller && len(data) >= len(usual) {
				t.Errorf("%s%s takes %d bytes, without it %d", ops, c.settings, len(data), len(usual))
			}
			near(t, ops+c.settings, pixels(c.settings), pixels(""), c.decibels)
		}
	}
	big := s.make(t, photo, "x=fit:520x520,enlarge:yes,force:520x520,format:jpeg,progressive:auto").Outputs[0].Data
	if frame, _ := frameOf(big); frame != 0xc2 {
		t.Error("a large picture is not progressive with progressive:auto")
	}
	// Lines of one pixel in colours keep them only where there is a sample of colour for each.
	lines := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 {
		c := color.NRGBA{255, 0, 0, 255}
		if i%2 == 1 {
			c = color.NRGBA{0, 0, 255, 255}
		}
		lines.SetNRGBA(i%64, i/64, c)
	}
	full := s.one(t, PNG(lines), "format:jpeg,quality:95,chroma:444")
	half := s.one(t, PNG(lines), "format:jpeg,quality:95")
	if a, b := PSNR(full, lines), PSNR(half, lines); a < 30 || b > 20 {
		t.Errorf("lines of colour are %.1f dB near with chroma:444, and %.1f dB without", a, b)
	}
}

// frameOf returns the marker of a JPEG's frame and the samplings of its components.
func frameOf(data []byte) (marker byte, samplings string) {
	for p := data[2:]; len(p) > 10; p = p[2+int(p[2])<<8+int(p[3]):] {
		if p[1] >= 0xc0 && p[1] <= 0xc2 {
			for i := range int(p[9]) {
				samplings += string(rune(p[11+3*i]))
			}
			return p[1], samplings
		}
	}
	return 0, ""
}

func testWebPSettings(t *testing.T, s Suite) {
	img := Photo(101, 75)
	data := PNG(img)
	for _, settings := range []string{"lossless:yes", "lossless:yes,effort:0",
		"lossless:yes,near-lossless:100,effort:6"} {
		if got := s.one(t, data, "format:webp,"+settings); !bytes.Equal(got.Pix, img.Pix) {
			t.Errorf("%s is %.1f dB from the picture", settings, PSNR(got, img))
		}
	}
	soft := Photo(101, 75)
	for i := range soft.Pix {
		if i%4 == 3 {
			soft.Pix[i] = byte(64 + i%101)
		}
	}
	near(t, "a lossless picture with alpha", s.one(t, PNG(soft), "format:webp,lossless:yes"), soft, 50)
	size := func(settings string) int { return len(s.make(t, data, "x=format:webp"+settings).Outputs[0].Data) }
	if size("") != size(",effort:4,sharp-yuv:no,lossless:no") {
		t.Error("settings of WebP at their defaults change the output")
	}
	if fast, small := size(",effort:0"), size(",effort:6"); small >= fast {
		t.Errorf("effort:6 takes %d bytes, effort:0 takes %d", small, fast)
	}
	s.madeOrRefused(t, data, "format:webp,near-lossless:20", "libwebp", func(got *image.NRGBA) {
		if d := PSNR(got, img); d < 36 || d == 100 || size(",near-lossless:20") >= size(",lossless:yes") {
			t.Errorf("near-lossless:20 is %.1f dB near, and takes %d bytes; lossless %d", d, size(",near-lossless:20"),
				size(",lossless:yes"))
		}
	})
	s.madeOrRefused(t, data, "format:webp,sharp-yuv:yes", "libwebp", func(got *image.NRGBA) {
		near(t, "sharp-yuv:yes", got, img, 28)
	})
}

// madeOrRefused makes a variant that not every codec can make. One that cannot must say so, and name itself.
func (s Suite) madeOrRefused(t *testing.T, data []byte, ops, codec string, made func(*image.NRGBA)) {
	t.Helper()
	_, err := s.try(t, data, "x="+ops)
	if err == nil {
		made(s.one(t, data, ops))
		return
	}
	if reasonOf(err) != outcome.Unsupported || !strings.Contains(err.Error(), codec) ||
		!strings.Contains(err.Error(), "variant x") {
		t.Errorf("%s: %v, want a rejection that names %s and the variant", ops, err, codec)
	}
}

func testAVIFSettings(t *testing.T, s Suite) {
	img := Photo(101, 75)
	data := PNG(img)
	usual := s.one(t, data, "format:avif,effort:1,chroma:420")
	for _, settings := range []string{"effort:4", "chroma:422", "chroma:444"} {
		got := s.one(t, data, "format:avif,"+settings)
		if bytes.Equal(got.Pix, usual.Pix) {
			t.Errorf("%s changes nothing", settings)
		}
		near(t, settings, got, img, 26)
	}
}

func testPaletteSettings(t *testing.T, s Suite) {
	img := Photo(101, 75)
	for _, c := range []struct {
		ops      string
		most     int
		decibels float64
	}{
		{"format:png,colors:256", 256, 26}, {"format:png,colors:16", 16, 18}, {"format:png,colors:2", 2, 8},
		{"format:gif,colors:16", 16, 18}, {"format:gif,colors:256", 256, 26},
	} {
		got := s.one(t, PNG(img), c.ops)
		near(t, c.ops, got, img, c.decibels)
		if n := colorsOf(got); n > c.most || n < c.most/4 {
			t.Errorf("%s has %d colours", c.ops, n)
		}
	}
	soft := NRGBA(img)
	for i := range soft.Pix {
		if i%4 == 3 {
			soft.Pix[i] = byte(i / 4 % 101 * 2)
		}
	}
	near(t, "opacity in a palette", s.one(t, PNG(soft), "format:png,colors:128"), soft, 24)
	size := func(settings string) int { return len(s.make(t, PNG(img), "x=format:png"+settings).Outputs[0].Data) }
	none, fast, usual, best := size(",compression:0"), size(",compression:1"), size(",compression:6"),
		size(",compression:9")
	if none < 3*101*75 || fast >= none || usual > fast || best > usual || usual != size("") {
		t.Errorf("compression:0, 1, 6 and 9 take %d, %d, %d and %d bytes", none, fast, usual, best)
	}
	for _, settings := range []string{"compression:0", "compression:9"} {
		if got := s.one(t, PNG(img), "format:png,"+settings); !bytes.Equal(got.Pix, img.Pix) {
			t.Errorf("%s changes the picture", settings)
		}
	}
}

func colorsOf(img *image.NRGBA) int {
	seen := map[[4]uint8]bool{}
	for i := 0; i < len(img.Pix); i += 4 {
		seen[[4]uint8(img.Pix[i:])] = true
	}
	return len(seen)
}

func testMaxBytes(t *testing.T, s Suite) {
	data := JPEG(Photo(203, 151), JPEGOptions{Quality: 98, Segments: [][]byte{exifSegment(1)}})
	for _, ops := range []string{"format:jpeg", "invert,format:jpeg", "format:jpeg,strip:keep", "format:webp",
		"fit:64x64,format:avif", "format:jpeg,quality:auto"} {
		usual := len(s.make(t, data, "x="+ops).Outputs[0].Data)
		limit := usual * 2 / 3
		out := s.make(t, data, "x="+ops+",max-bytes:"+strconv.Itoa(limit)).Outputs[0]
		if len(out.Data) > limit || len(out.Data) < limit*3/4 {
			t.Errorf("%s: %d bytes, max-bytes allows %d", ops, len(out.Data), limit)
		}
		sameAsTold(t, s, data, ops, out)
		if got := len(s.make(t, data, "x="+ops+",max-bytes:"+strconv.Itoa(usual)).Outputs[0].Data); got != usual {
			t.Errorf("%s: %d bytes where %d are allowed and enough", ops, got, usual)
		}
	}
	for _, ops := range []string{"format:jpeg,max-bytes:300", "format:png,max-bytes:10k",
		"format:webp,lossless:yes,max-bytes:1k"} {
		_, err := s.try(t, data, "x="+ops)
		if reasonOf(err) != outcome.TooLarge || !strings.Contains(err.Error(), "variant x") ||
			!strings.Contains(err.Error(), "max-bytes") {
			t.Errorf("%s: %v, want a rejection as %s that names the variant", ops, err, outcome.TooLarge)
		}
	}
}

// sameAsTold fails the test where an output whose quality was chosen differs from what that quality yields.
func sameAsTold(t *testing.T, s Suite, data []byte, ops string, chosen engine.Output) {
	t.Helper()
	ops = strings.Replace(ops, ",quality:auto", "", 1)
	told := s.make(t, data, "x="+ops+",quality:"+strconv.Itoa(chosen.Quality)).Outputs[0]
	if !bytes.Equal(told.Data, chosen.Data) || told.Quality != 0 {
		t.Errorf("%s: the output is said to have quality %d, and differs from one of that quality", ops, chosen.Quality)
	}
}

func testAutoQuality(t *testing.T, s Suite) {
	photo := Photo(203, 151)
	for _, f := range []string{"format:jpeg", "invert,format:jpeg", "format:webp", "fit:64x64,format:avif"} {
		size := func(quality string) int {
			return len(s.make(t, PNG(photo), "x="+f+",quality:"+quality).Outputs[0].Data)
		}
		sameAsTold(t, s, PNG(photo), f, s.make(t, PNG(photo), "x="+f+",quality:auto").Outputs[0])
		if low, auto, high := size("35"), size("auto"), size("96"); auto <= low || auto >= high {
			t.Errorf("%s: quality:auto takes %d bytes, 35 takes %d and 96 takes %d", f, auto, low, high)
		}
	}
	// Samples of lossy WebP have another range than those of JPEG, and each try must begin with the picture.
	hard := NRGBA(photo) // needs a high quality, so that no early try is the best
	for i := range hard.Pix {
		if i%4 < 3 {
			hard.Pix[i] = byte(min(255, int(hard.Pix[i])+i*i/7%23))
		}
	}
	for _, f := range []string{"jpeg", "webp"} {
		near(t, "quality:auto of a WebP", s.one(t, WebP(hard), "format:"+f+",quality:auto"),
			s.one(t, WebP(hard), "format:"+f+",quality:90"), 32)
	}
	same := s.make(t, PNG(photo), "x=quality:auto,format:png", "y=format:png")
	if !bytes.Equal(same.Outputs[0].Data, same.Outputs[1].Data) || same.Outputs[0].Quality != 0 {
		t.Error("quality:auto changes a format that has no quality")
	}
	s.one(t, PNG(filled(3, 2, color.NRGBA{9, 9, 9, 255})), "format:jpeg,quality:auto")
}
