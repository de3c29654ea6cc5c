package recipe

import (
	"strings"
	"testing"
)

func TestSettingsOfEncodersHaveCanonicalText(t *testing.T) {
	jpeg, webp := settingsText("format:jpeg", "quality:85"), settingsText("format:webp", "quality:80")
	lossless := settingsText("format:webp")
	avif, png := settingsText("format:avif", "quality:60"), settingsText("format:png")
	for in, want := range map[string]string{
		"format:jpeg,progressive:no,adaptive:no,chroma:420":  jpeg,
		"format:jpeg,progressive:YES":                        jpeg + ",progressive:yes",
		"progressive:auto,format:jpeg,chroma:auto":           jpeg + ",progressive:auto,chroma:auto",
		"adaptive:yes,chroma:444,format:jpeg":                jpeg + ",adaptive:yes,chroma:444",
		"format:jpeg,trellis:no":                             jpeg,
		"trellis:yes,chroma:444,format:jpeg":                 jpeg + ",trellis:yes,chroma:444",
		"adaptive:yes,trellis:yes":                           settingsText() + ",trellis:yes",
		"format:jpeg,quality:auto":                           settingsText("format:jpeg", "quality:auto"),
		"quality:auto":                                       settingsText("quality:auto"),
		"format:png,quality:auto":                            png,
		"format:webp,lossless:no,effort:4,near-lossless:100": webp,
		"format:webp,effort:0,sharp-yuv:yes":                 webp + ",sharp-yuv:yes,effort:0",
		"format:webp,lossless:yes":                           lossless + ",lossless:yes",
		"format:webp,near-lossless:60":                       lossless + ",lossless:yes,near-lossless:60",
		"lossless:yes,quality:70":                            settingsText("quality:70") + ",lossless:yes",
		"format:avif,effort:1,chroma:420":                    avif,
		"format:avif,effort:9,chroma:422":                    avif + ",chroma:422,effort:9",
		"format:gif,colors:256":                              settingsText("format:gif"),
		"format:png,colors:256,compression:6":                png + ",colors:256",
		"format:png,compression:0":                           png + ",compression:0",
		"format:jpeg,max-bytes:20k":                          jpeg + ",max-bytes:20000",
		"format:png,max-bytes:1MiB":                          png + ",max-bytes:1048576",
		"effort:4":                                           settingsText() + ",effort:4",
	} {
		r, err := Parse("a=" + in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := r.String(); got != "a="+want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, "a="+want)
		}
		if again, err := ParseCanonical("a=" + want); err != nil || again.String() != "a="+want {
			t.Errorf("%s: canonical text does not parse: %v", want, err)
		}
	}
}

// What a worker is sent for an image has canonical text, too, whatever the image's format makes of the settings.
func TestSettingsOfAnInputsFormat(t *testing.T) {
	all := "a=quality:auto,progressive:yes,adaptive:yes,chroma:444,effort:4,colors:256,compression:9," +
		"max-bytes:20k"
	lossless := "a=quality:70,near-lossless:60,effort:6"
	for _, c := range []struct{ recipe, file, want string }{
		{all, "x.jpg", settingsText("format:jpeg", "quality:auto") +
			",progressive:yes,adaptive:yes,chroma:444,max-bytes:20000"},
		{all, "x.png", settingsText("format:png") + ",colors:256,compression:9,max-bytes:20000"},
		{all, "x.gif", settingsText("format:gif") + ",max-bytes:20000"},
		{all, "x.webp", settingsText("format:webp", "quality:auto") + ",max-bytes:20000"},
		{all, "x.avif", settingsText("format:avif", "quality:auto") + ",chroma:444,effort:4,max-bytes:20000"},
		{all, "x.tif", settingsText("format:tiff") + ",max-bytes:20000"},
		{all, "x.heic", settingsText("format:jpeg", "quality:auto") +
			",progressive:yes,adaptive:yes,chroma:444,max-bytes:20000"},
		{lossless, "x.webp", settingsText("format:webp") + ",lossless:yes,near-lossless:60,effort:6"},
		{lossless, "x.jpg", settingsText("format:jpeg", "quality:70")},
		{"a=trellis:yes", "x.jpg", settingsText("format:jpeg", "quality:85") + ",trellis:yes"},
		{"a=trellis:yes", "x.png", settingsText("format:png")},
		{"a=format:webp,near-lossless:60", "x.jpg", settingsText("format:webp") + ",lossless:yes,near-lossless:60"},
		{all, "unknown", settingsText("quality:auto") +
			",progressive:yes,adaptive:yes,chroma:444,effort:4,colors:256,compression:9,max-bytes:20000"},
	} {
		got := mustParse(t, c.recipe).For(c.file)
		if got.String() != "a="+c.want {
			t.Errorf("%s for %s:\n got %s\nwant a=%s", c.recipe, c.file, got, c.want)
		}
		if _, err := ParseCanonical(got.String()); err != nil {
			t.Errorf("%s for %s: %v", c.recipe, c.file, err)
		}
	}
}

func TestContradictingSettingsAreRefused(t *testing.T) {
	for _, c := range []struct{ text, word, problem, hint string }{
		{"format:avif,depth:keep", "depth:keep",
			"AVIF is written with 8 bits a sample: the encoder that comes with imagefarm takes no more",
			"write format:png or format:tiff, or leave depth out"},
		{"format:png,progressive:yes", "progressive:yes", "progressive is a setting of jpeg, and the format is png",
			"write format:jpeg, or leave progressive out"},
		{"chroma:444,format:webp", "chroma:444", "setting of jpeg and avif", "format:jpeg or format:avif"},
		{"format:jpeg,lossless:yes", "lossless:yes", "setting of webp", "format:webp"},
		{"format:jpeg,colors:16", "colors:16", "setting of png and gif", ""},
		{"format:tiff,compression:9", "compression:9", "setting of png", ""},
		{"format:webp,effort:7", "effort:7", "more than 6", ""},
		{"effort:7", "effort:7", "more than 6", ""},
		{"format:avif,effort:10", "10", "from 0 to 9", ""},
		{"format:webp,lossless:yes,quality:80", "quality:80", "lossless picture has no quality", "effort"},
		{"format:webp,near-lossless:50,quality:auto", "quality:auto", "no quality", ""},
		{"format:webp,lossless:no,near-lossless:50", "lossless:no", "kind of lossless", "leave lossless:no out"},
		{"format:webp,lossless:yes,sharp-yuv:yes", "sharp-yuv:yes", "lossless", ""},
		{"lossless:yes,sharp-yuv:yes", "sharp-yuv:yes", "lossless", ""},
		{"quality:best", "best", "or auto", ""},
		{"max-bytes:0", "0", "amount", "20k"},
		{"max-bytes:2GiB", "2GiB", "amount", ""},
		{"max-bytes:9999999999999m", "9999999999999m", "amount", ""},
		{"max-bytes:", "", "amount", ""},
		{"colors:1", "1", "2 to 256", ""},
		{"chroma:411", "411", "unknown value", `did you mean "420"?`},
		{"format:webp,trellis:yes", "trellis:yes", "setting of jpeg", "format:jpeg"},
		{"mozjpeg:yes", "mozjpeg", "unknown operation", `did you mean "trellis"?`},
		{"method:6", "method", "unknown operation", `did you mean "effort"?`},
		{"progressiv:yes", "progressiv", "unknown operation", `did you mean "progressive"?`},
	} {
		_, err := Parse(c.text)
		e, ok := err.(*SyntaxError)
		if !ok {
			t.Errorf("%q: got %v, want a *SyntaxError", c.text, err)
			continue
		}
		if e.Word != c.word || !strings.Contains(e.Problem, c.problem) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%q: word %q, problem %q, hint %q; want %q, %q, %q", c.text, e.Word, e.Problem, e.Hint, c.word,
				c.problem, c.hint)
		}
		if !strings.HasPrefix(e.Text[e.Offset:], e.Word) {
			t.Errorf("%q: offset %d does not point at %q", c.text, e.Offset, e.Word)
		}
	}
}
