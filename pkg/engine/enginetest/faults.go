package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"compress/zlib"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/recipe/recipetest"
)

func deflated(p []byte) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, err := z.Write(p)
	must(err)
	must(z.Close())
	return b.Bytes()
}

func testGuards(t *testing.T, s Suite) {
	data := JPEG(Photo(100, 80), JPEGOptions{})
	n := int64(len(data))
	for _, c := range []struct {
		what   string
		limits engine.Limits
		ops    string
		want   outcome.Reason
	}{
		{"as many bytes as allowed", engine.Limits{MaxBytes: n}, "fit:8x8", ""},
		{"a byte too many", engine.Limits{MaxBytes: n - 1}, "fit:8x8", outcome.TooLarge},
		{"as many pixels as allowed", engine.Limits{MaxPixels: 8000}, "fit:8x8", ""},
		{"a pixel too many", engine.Limits{MaxPixels: 7999}, "fit:8x8", outcome.TooManyPixels},
		{"as wide as allowed", engine.Limits{MaxSide: 100}, "fit:8x8", ""},
		{"too wide", engine.Limits{MaxSide: 99}, "fit:8x8", outcome.TooManyPixels},
		{"an output as large as allowed", engine.Limits{MaxPixels: 10000}, "pad:100x100", ""},
		{"an output too large", engine.Limits{MaxPixels: 10000}, "pad:100x101", outcome.TooManyPixels},
		{"an enlargement without end", engine.Limits{}, "fit:65535x65535,enlarge:yes", outcome.TooManyPixels},
		{"too large in between", engine.Limits{}, "fit:65535x65535,enlarge:yes,fit:8x8", outcome.TooManyPixels},
		{"scaled up to be cut", engine.Limits{MaxPixels: 20000}, "fill:1x200,enlarge:yes", outcome.TooManyPixels},
		{"wider than WebP can be", engine.Limits{}, "pad:20000x100,format:webp", outcome.TooManyPixels},
	} {
		_, err := s.tryWith(t, c.limits, data, "x="+c.ops)
		if reasonOf(err) != c.want || c.want == "" && err != nil {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

func testDamaged(t *testing.T, s Suite) {
	jpeg := JPEG(Photo(200, 160), JPEGOptions{})
	png := PNG(Photo(64, 64))
	badCRC := bytes.Clone(png)
	badCRC[len(badCRC)-20] ^= 1
	badHuffman := bytes.Clone(jpeg)
	for i := len(jpeg) / 2; i < len(jpeg)/2+40; i += 2 {
		badHuffman[i], badHuffman[i+1] = 0xff, 0x00 // ones without end
	}
	for what, data := range map[string][]byte{"a PNG's checksum": badCRC, "codes that no JPEG has": badHuffman} {
		s.rejects(t, what, engine.Limits{}, data, outcome.Corrupt)
		s.rejects(t, what+", accepting what is cut short", engine.Limits{OnTruncated: "accept"}, data, outcome.Corrupt)
	}
	brokenICC := pngChunk("iCCP", []byte("a profile that nobody can read"))
	brokenICC[len(brokenICC)-1] ^= 1
	const afterIHDR = 8 + 12 + 13
	withICC := append(append(bytes.Clone(png[:afterIHDR]), brokenICC...), png[afterIHDR:]...)
	for what, data := range map[string][]byte{
		"a PNG whose profile has a wrong checksum": withICC, "a PNG without its last chunk": png[:len(png)-12],
	} {
		t.Run(what, func(t *testing.T) { near(t, what, s.one(t, data, "format:png"), Photo(64, 64), 60) })
	}
	text := []byte("It was a dark and stormy night; the rain fell in torrents")
	for what, data := range map[string][]byte{"nothing": nil, "text": text} {
		s.rejects(t, what, engine.Limits{}, data, outcome.NotAnImage)
	}
}

func testTruncated(t *testing.T, s Suite) {
	img := Photo(160, 120)
	whole := map[string][]byte{
		"JPEG": JPEG(img, JPEGOptions{}), "progressive JPEG": JPEG(img, JPEGOptions{Progressive: true}),
		"JPEG with restarts": JPEG(img, JPEGOptions{Restart: 2}), "PNG": PNG(img), "GIF": s.gif(img),
		"WebP": WebP(img), "TIFF": TIFF(img), "BMP": BMP(img),
		"HEIC": File("quadrants.heic"), "AVIF": File("quadrants.avif"),
	}
	for name, data := range whole {
		t.Run(name, func(t *testing.T) {
			for _, part := range []int{3, 2} { // a third and a half of what there is too few of
				cut := data[:len(data)-len(data)/part]
				s.rejects(t, fmt.Sprintf("cut by 1/%d", part), engine.Limits{}, cut, outcome.Truncated)
			}
			s.rejects(t, "the last two samples gone", engine.Limits{}, data[:len(data)-24], outcome.Truncated)
		})
	}
	t.Run("closed after the cut", func(t *testing.T) {
		cut := append(bytes.Clone(whole["JPEG"][:len(whole["JPEG"])/2]), 0xff, 0xd9)
		s.rejects(t, "a JPEG with an end after the cut", engine.Limits{}, cut, outcome.Truncated)
	})
	for _, name := range []string{"JPEG", "progressive JPEG"} {
		t.Run(name+" that lacks only its end marker", func(t *testing.T) {
			data := whole[name]
			near(t, name, s.one(t, data[:len(data)-2], "format:jpeg"), img, 27)
			last := bytes.LastIndex(data, []byte{0xff, 0xda})
			s.rejects(t, "without its last scan", engine.Limits{}, data[:last], outcome.Truncated)
		})
	}
	t.Run("something behind the end", func(t *testing.T) {
		data := append(bytes.Clone(whole["JPEG"]), "and then some"...)
		near(t, "JPEG", s.one(t, data, "format:jpeg"), img, 27)
		s.warns(t, s.make(t, data, "x=format:jpeg"), "")
	})
	for _, name := range []string{"JPEG", "progressive JPEG", "JPEG with restarts", "PNG"} {
		t.Run(name+" accepted", func(t *testing.T) {
			data := whole[name]
			res, err := s.tryWith(t, engine.Limits{OnTruncated: "accept"}, data[:len(data)*2/3], "x=format:png")
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := Decode(res.Outputs[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			s.warns(t, res, "ends")
			top := image.Rect(0, 0, 160, 30) // what was there is there
			near(t, "the upper part", crop(got, top), crop(img, top), 20)
		})
	}
	t.Run("CMYK JPEG accepted", func(t *testing.T) {
		data := File("cmyk.jpg")
		res, err := s.tryWith(t, engine.Limits{OnTruncated: "accept"}, data[:len(data)*2/3], "x=format:png")
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := Decode(res.Outputs[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		s.warns(t, res, "ends")
		want := s.one(t, data, "format:png")
		top := image.Rect(0, 0, want.Rect.Dx(), want.Rect.Dy()/3)
		near(t, "the upper part", crop(got, top), crop(want, top), 30)
	})
	for name, data := range map[string][]byte{
		"BMP": whole["BMP"][:len(whole["BMP"])*2/3], "GIF": animation()[:len(animation())-20],
		"WebP animation": webpAnimation()[:len(webpAnimation())-20],
	} {
		t.Run(name+" accepted", func(t *testing.T) {
			lenient := engine.Limits{OnTruncated: engine.AcceptTruncated}
			res, err := s.tryWith(t, lenient, data, "x=format:webp,animate:yes,quality:95")
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := Decode(res.Outputs[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			s.warns(t, res, "ends")
			if name == "BMP" { // its rows run from below
				low := image.Rect(0, 60, 160, 120)
				near(t, "the lower half", crop(got, low), crop(img, low), 25)
				return
			}
			if frames, _, _ := framesOf(t, res.Outputs[0].Data); len(frames) != 2 {
				t.Errorf("%d frames, want the two that are whole", len(frames))
			}
		})
	}
	for _, v := range []string{"16 bits interlaced", "gray 1 bit"} {
		t.Run(v+" accepted", func(t *testing.T) {
			data := rawPNG(61, 43, 16, 2, true, nil, func(x, y, c int) int { return x * y * 7919 % 65536 })
			if v == "gray 1 bit" {
				data = rawPNG(611, 430, 1, 0, false, nil, func(x, y, c int) int { return x * y * 7919 / 64 % 2 })
			}
			lenient := engine.Limits{OnTruncated: engine.AcceptTruncated}
			res, err := s.tryWith(t, lenient, data[:len(data)*2/3], "x=format:png")
			if err != nil {
				t.Fatal(err)
			}
			s.warns(t, res, "ends")
		})
	}
}

func lenient() engine.Limits { return engine.Limits{OnTruncated: engine.AcceptTruncated} }

// warns fails the test unless the result has one warning, in which a word stands, or none where the word is empty.
func (s Suite) warns(t *testing.T, res *engine.Result, word string) {
	t.Helper()
	if word == "" && len(res.Warnings) == 0 {
		return
	}
	if len(res.Warnings) != 1 || word == "" || !strings.Contains(res.Warnings[0], word) {
		t.Errorf("the warnings are %q, want one that has %q", res.Warnings, word)
	}
}

func (s Suite) gif(img *image.NRGBA) []byte {
	p := image.NewPaletted(img.Rect, websafe())
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			p.Set(x, y, img.NRGBAAt(x, y))
		}
	}
	return GIF(img.Rect.Dx(), img.Rect.Dy(), p)
}

// testHostile transforms testdata/hostile, whose EXPECTED.tsv says what becomes of each file.
func testHostile(t *testing.T, s Suite) {
	_, here, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(here), "../../../testdata/hostile")
	table, err := os.ReadFile(filepath.Join(dir, "EXPECTED.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n") {
		fields := strings.Split(line+"\t\t", "\t")
		if strings.HasPrefix(line, "#") {
			continue
		}
		ran++
		t.Run(fields[0], func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, fields[0]))
			if err != nil {
				t.Fatal(err)
			}
			r := recipe.Default().For(fields[0])
			if s.Takes != nil && !s.Takes(format.Detect(data), data, r) {
				t.Skip("the engine is not meant for it")
			}
			_, err = s.engine(t, engine.Limits{}).Transform(context.Background(), data, r)
			if got := reasonOf(err); string(got) != fields[2] || err != nil && got == "" {
				t.Errorf("%v, want %s %s", err, fields[1], fields[2])
			}
		})
	}
	if ran < 20 {
		t.Errorf("only %d hostile files", ran)
	}
}

// testSmallerFromLarger compares variants that are made together with the same made alone.
func testSmallerFromLarger(t *testing.T, s Suite) {
	data := JPEG(Photo(800, 600), JPEGOptions{Segments: [][]byte{exifSegment(8)}})
	variants := []string{
		"a=fit:64x64", "b=fit:256x256", "c=fit:128x128", "d=fill:90x90:north", "e=fit:64x64,blur:1", "f=crop:64x64:se",
		"g=fit:250x250,orient:off", "h=force:50x20", "i=pad:60x60:red", "j=fit:250x250",
	}
	for i := range variants {
		variants[i] += ",format:jpeg,quality:95"
	}
	together := s.make(t, data, variants...)
	for i, v := range variants {
		alone := s.make(t, data, v).Outputs[0]
		out := together.Outputs[i]
		if out.Variant != v[:1] {
			t.Errorf("output %d is variant %s", i, out.Variant)
		}
		a, _, err := Decode(out.Data)
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := Decode(alone.Data)
		if err != nil {
			t.Fatal(err)
		}
		near(t, v, a, b, 36)
	}
}

func testContext(t *testing.T, s Suite) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	res, err := s.engine(t, engine.Limits{}).Transform(ctx, JPEG(Photo(100, 80), JPEGOptions{}), recipe.Default())
	if !errors.Is(err, cause) || res != nil {
		t.Errorf("%v, %v; want the cause", res, err)
	}
}

func testConcurrency(t *testing.T, s Suite) {
	inputs := [][]byte{
		JPEG(Photo(300, 200), JPEGOptions{}), JPEG(Photo(200, 300), JPEGOptions{Progressive: true}),
		PNG(Photo(120, 90)), File("quadrants.heic"), File("quadrants.avif"),
	}
	e := s.engine(t, engine.Limits{})
	var wg sync.WaitGroup
	for n, data := range inputs {
		r := recipetest.Parse(t, "a=fit:64x64,format:jpeg", "b=fit:40x40,format:jpeg")
		if s.Takes != nil && !s.Takes(format.Detect(data), data, r) {
			continue
		}
		want, err := e.Transform(context.Background(), data, r)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			wg.Go(func() {
				got, err := e.Transform(context.Background(), data, r)
				if err != nil {
					t.Errorf("input %d: %v", n, err)
					return
				}
				for i := range got.Outputs {
					if !bytes.Equal(got.Outputs[i].Data, want.Outputs[i].Data) {
						t.Errorf("input %d: output %d differs from run to run", n, i)
					}
				}
			})
		}
	}
	wg.Wait()
}

// testFarmsFault checks that what the image cannot help is no rejection.
func testFarmsFault(t *testing.T, s Suite) {
	data := JPEG(Photo(100, 80), JPEGOptions{})
	for _, ops := range []string{"watermark:missing.png", "watermark:Broken.png"} {
		if _, err := s.try(t, data, "x="+ops); err == nil || reasonOf(err) != "" {
			t.Errorf("%s: %v, want an error that is no rejection", ops, err)
		}
	}
	if err := (engine.Limits{OnTruncated: "perhaps"}).Validate(); err == nil {
		t.Error("limits that make no sense are valid")
	}
	if _, err := s.New(engine.Limits{MaxSide: -1}, nil); err == nil {
		t.Error("an engine was made with limits that make no sense")
	}
}
