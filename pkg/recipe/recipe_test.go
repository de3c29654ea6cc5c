package recipe

import (
	"strings"
	"testing"
)

func mustParse(t testing.TB, variants ...string) Recipe {
	t.Helper()
	r, err := Parse(variants...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDefaultMakesThreeThumbnails(t *testing.T) {
	r := Default()
	want := "thumbnail64=fit:64x64,orient:auto,enlarge:no,background:ffffff,animate:no,format:same,strip:all,icc:srgb;" +
		"thumbnail128=fit:128x128,orient:auto,enlarge:no,background:ffffff,animate:no,format:same,strip:all,icc:srgb;" +
		"thumbnail256=fit:256x256,orient:auto,enlarge:no,background:ffffff,animate:no,format:same,strip:all,icc:srgb"
	if got := r.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	fromSizes, err := ParseSizes("64,128,256")
	if err != nil || fromSizes.String() != want {
		t.Errorf("ParseSizes: %v, %v", fromSizes, err)
	}
	names := strings.Join(r.OutputNames("2024/Summer/IMG_1.JPG"), " ")
	if names != "2024/Summer/IMG_1_thumbnail64.JPG 2024/Summer/IMG_1_thumbnail128.JPG 2024/Summer/IMG_1_thumbnail256.JPG" {
		t.Errorf("output names %s", names)
	}
}

func TestParseSizesRefusesOtherText(t *testing.T) {
	for _, s := range []string{"", "64,", "0", "-1", "64,64", "1e3", "70000", "64;128", "064", "６４"} {
		if r, err := ParseSizes(s); err == nil {
			t.Errorf("%q became %s", s, r)
		}
	}
}

// settingsText is what canonical text ends with, with the parts that a test gives replaced.
func settingsText(changes ...string) string {
	parts := []string{"orient:auto", "enlarge:no", "background:ffffff", "animate:no", "format:same", "quality:",
		"strip:all", "icc:srgb"}
	for _, c := range changes {
		word, _, _ := strings.Cut(c, ":")
		for i, p := range parts {
			if strings.HasPrefix(p, word+":") {
				parts[i] = c
			}
		}
	}
	s := strings.Join(parts, ",")
	return strings.Replace(s, "quality:,", "", 1)
}

func TestEveryOperationHasCanonicalText(t *testing.T) {
	for in, want := range map[string]string{
		"a=fit:256x256":                         "a=fit:256x256," + settingsText(),
		"A=FIT:256X256":                         "a=fit:256x256," + settingsText(),
		" a = fit : 256x256 , gray ":            "a=fit:256x256,gray," + settingsText(),
		"a=fit:256":                             "a=fit:256x256," + settingsText(),
		"a=fit:256x":                            "a=fit:256x," + settingsText(),
		"a=fit:x256":                            "a=fit:x256," + settingsText(),
		"a=fill:400x300":                        "a=fill:400x300:center," + settingsText(),
		"a=fill:400x300:smart":                  "a=fill:400x300:smart," + settingsText(),
		"a=force:10x20":                         "a=force:10x20," + settingsText(),
		"a=pad:10x20":                           "a=pad:10x20:ffffff," + settingsText(),
		"a=pad:10x20,background:#000":           "a=pad:10x20:000000," + settingsText("background:000000"),
		"a=pad:10x20:white,background:black":    "a=pad:10x20:ffffff," + settingsText("background:000000"),
		"a=pad:10x20:transparent":               "a=pad:10x20:00000000," + settingsText(),
		"a=page:0,fit:9":                        "a=fit:9x9," + settingsText(),
		"a=format:png,depth:8":                  "a=" + settingsText("format:png"),
		"a=depth:keep":                          "a=" + settingsText() + ",depth:keep",
		"a=hdr:keep,format:jpg":                 "a=" + settingsText("format:jpeg", "quality:85") + ",hdr:keep",
		"a=hdr:drop":                            "a=" + settingsText(),
		"a=page:2":                              "a=" + settingsText() + ",page:2",
		"a=crop:10:ne":                          "a=crop:10x10:ne," + settingsText(),
		"a=trim":                                "a=trim:10," + settingsText(),
		"a=Trim:0":                              "a=trim:0," + settingsText(),
		"a=trim:12.50,fit:9x9":                  "a=trim:12.5,fit:9x9," + settingsText(),
		"a=rotate:90,flip,flop":                 "a=rotate:90,flip,flop," + settingsText(),
		"a=blur:1.50,sharpen:0.5":               "a=blur:1.5,sharpen:0.5," + settingsText(),
		"a=brightness:+10,contrast:-10.0":       "a=brightness:10,contrast:-10," + settingsText(),
		"a=saturation:-0":                       "a=saturation:0," + settingsText(),
		"a=gamma:2.20004":                       "a=gamma:2.2," + settingsText(),
		"a=grey,invert":                         "a=gray,invert," + settingsText(),
		"a=watermark:Logo.PNG":                  "a=watermark:Logo.PNG:se:1," + settingsText(),
		"a=watermark:logo.png:center:.5":        "a=watermark:logo.png:center:0.5," + settingsText(),
		"a=orient:off":                          "a=" + settingsText("orient:off"),
		"a=enlarge:yes,fit:9x9":                 "a=fit:9x9," + settingsText("enlarge:yes"),
		"a=format:jpg":                          "a=" + settingsText("format:jpeg", "quality:85"),
		"a=quality:70,format:webp":              "a=" + settingsText("format:webp", "quality:70"),
		"a=format:webp":                         "a=" + settingsText("format:webp", "quality:80"),
		"a=format:avif":                         "a=" + settingsText("format:avif", "quality:60"),
		"a=format:png,quality:70":               "a=" + settingsText("format:png"),
		"a=quality:70":                          "a=" + settingsText("quality:70"),
		"a=strip:copyright,icc:keep":            "a=" + settingsText("strip:copyright", "icc:keep"),
		"a=animate:yes":                         "a=" + settingsText("animate:yes"),
		"a=crop:9x9,fit:5x5,crop:3x3:se,blur:1": "a=crop:9x9:center,fit:5x5,crop:3x3:se,blur:1," + settingsText(),
	} {
		r, err := Parse(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := r.String(); got != want {
			t.Errorf("%s:\n got %s\nwant %s", in, got, want)
		}
		if again, err := ParseCanonical(want); err != nil || again.String() != want {
			t.Errorf("%s: canonical text does not parse: %v", want, err)
		}
	}
}

func TestUnnamedVariantsAreNamedAfterTheirOperations(t *testing.T) {
	r := mustParse(t, "fit:256x256", "fit:256x256,gray", "fit256x256-2=fit:1x1", "fill:400x300:smart", "format:webp",
		"gray")
	var names []string
	for _, v := range r.Variants {
		names = append(names, v.Name)
	}
	if got := strings.Join(names, " "); got != "fit256x256 fit256x256-3 fit256x256-2 fill400x300 webp v6" {
		t.Errorf("names %s", got)
	}
}

func TestSyntaxErrorPointsAtTheWord(t *testing.T) {
	for _, c := range []struct{ text, word, hint string }{
		{"thumb=fti:256x256", "fti", `did you mean "fit"?`},
		{"thumb=fit:256x256,fromat:webp", "fromat", `did you mean "format"?`},
		{"thumb=resize:256x256", "resize", `did you mean "fit"?`},
		{"thumb=cover:1x1", "cover", `did you mean "fill"?`},
		{"thumb=fit:9x9 quality:80", "80", "write fit:WxH; a comma separates operations"},
		{"thumb=fit:256x256,format:wepb", "wepb", `did you mean "webp"?`},
		{"thumb=fill:1x1:smrt", "smrt", `did you mean "smart"?`},
		{"thumb=xyzzy", "xyzzy", "known: fit"},
		{"thumb=fit:256y256", "256y256", "write WxH"},
		{"thumb=fit:x", "x", "write WxH"},
		{"thumb=fit:0x5", "0x5", "write WxH"},
		{"thumb=fit:65536", "65536", "write WxH"},
		{"thumb=fit", "fit", "write fit:WxH"},
		{"thumb=fit:1x1:center", "center", "write fit:WxH"},
		{"thumb=fit:1x1,,gray", "", "for example"},
		{"thumb=", "", "for example"},
		{"a/b=fit:1x1", "a/b", "letters"},
		{"a.b=fit:1x1", "a.b", "letters"},
		{"=fit:1x1", "", "letters"},
		{"thumb=quality:101", "101", ""},
		{"thumb=quality:80,quality:90", "quality", ""},
		{"thumb=orient:yes", "yes", "known: auto, off"},
		{"thumb=orient", "orient", ""},
		{"thumb=trim:256", "256", ""},
		{"thumb=trim:1:2", "2", "write trim or trim:THRESHOLD"},
		{"thumb=autocrop", "autocrop", `did you mean "trim"?`},
		{"thumb=watermark:a:se:1:2", "2",
			"write watermark:ASSET, watermark:ASSET:GRAVITY or watermark:ASSET:GRAVITY:OPACITY"},
		{"thumb=format", "format", "write format:jpeg|png|webp|gif|tiff|avif|same"},
		{"thumb=blur:2,format:png,depth:keep", "depth:keep", "leave it out"},
		{"thumb=linear:yes,depth:keep", "linear:yes", "leave it out"},
		{"thumb=icc:p3,depth:keep", "icc:p3", "leave it out"},
		{"thumb=pad:9x9,hdr:keep", "hdr:keep", "leave it out"},
		{"thumb=icc:p3,hdr:keep", "icc:p3", "leave it out"},
		{"thumb=format:png,hdr:keep", "hdr:keep", "format:jpeg"},
		{"thumb=trim,format:png,depth:keep", "depth:keep", "leave it out"},
		{"thumb=fill:9x9:smart,depth:keep", "depth:keep", "leave it out"},
		{"thumb=format:png,colors:9,depth:keep", "colors:9", "leave it out"},
		{"thumb=format:webp,depth:keep", "depth:keep", "format:png or format:tiff"},
		{"thumb=page:-1", "-1", "the first is page:0"},
		{"thumb=page:1,animate:yes", "thumb=page:1,animate:yes", "leave one"},
		{"thumb=rotate:45", "45", "rotate:90"},
		{"thumb=blur:NaN", "NaN", ""},
		{"thumb=blur:0x1p3", "0x1p3", ""},
		{"thumb=blur:1e1", "1e1", ""},
		{"thumb=gamma:0", "0", ""},
		{"thumb=watermark:../logo.png", "../logo.png", "assets"},
		{"thumb=watermark:logo.png:smart", "smart", "known"},
		{"thumb=watermark:logo.png:se:2", "2", ""},
		{"thumb=pad:1x1:blurple", "blurple", "rrggbb"},
		{"thumb=background:#12", "#12", "rrggbb"},
		{"a=fit:1x1;a=fit:2x2", "a", ""},
		{"", "", "thumb=fit"},
	} {
		_, err := Parse(c.text)
		e, ok := err.(*SyntaxError)
		if !ok {
			t.Errorf("%q: got %v, want a *SyntaxError", c.text, err)
			continue
		}
		if e.Word != c.word || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%q: word %q, hint %q; want %q, %q", c.text, e.Word, e.Hint, c.word, c.hint)
		}
		if e.Text != c.text || !strings.HasPrefix(e.Text[e.Offset:], e.Word) {
			t.Errorf("%q: offset %d does not point at %q", c.text, e.Offset, e.Word)
		}
	}
	_, err := Parse("thumb=fti:256x256")
	if got := err.(*SyntaxError).Pointer(); got != "thumb=fti:256x256\n      ^^^" {
		t.Errorf("pointer\n%s", got)
	}
}

func TestLimitsOfARecipe(t *testing.T) {
	many := make([]string, MaxVariants+1)
	for i := range many {
		many[i] = "fit:1x1"
	}
	if _, err := Parse(many[:MaxVariants]...); err != nil {
		t.Error(err)
	}
	if _, err := Parse(many...); err == nil {
		t.Error("one variant too many passed")
	}
	ops := strings.Repeat("flip,", MaxOps-1) + "flip"
	if _, err := Parse(ops); err != nil {
		t.Error(err)
	}
	if _, err := Parse(ops + ",flip"); err == nil {
		t.Error("one operation too many passed")
	}
	var long []string
	for range MaxVariants {
		long = append(long, strings.Repeat("watermark:"+strings.Repeat("a", 60)+",", 20)+"flip")
	}
	if _, err := Parse(long...); err == nil {
		t.Error("text beyond the limit passed")
	}
	if _, err := ParseCanonical(strings.Repeat("a", MaxText+1)); err == nil {
		t.Error("canonical text beyond the limit passed")
	}
}

func TestOnlyCanonicalTextIsCanonical(t *testing.T) {
	text := mustParse(t, "a=fit:1x1,gray").String()
	if _, err := ParseCanonical(text); err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{
		"", "a=fit:1x1", " " + text, text + ";", text + " ", strings.ToUpper(text),
		strings.Replace(text, "1x1", "1", 1), strings.Replace(text, "no,", "no, ", 1),
		strings.TrimPrefix(text, "a="), strings.Replace(text, "gray,orient:auto", "orient:auto,gray", 1),
	} {
		if _, err := ParseCanonical(other); err == nil {
			t.Errorf("%q passed", other)
		}
	}
}

func TestReadPreset(t *testing.T) {
	lines, err := ReadPreset(strings.NewReader("\ufeff# sizes\r\n" +
		"thumb=fit:64x64  # small\r\n\nhero=fill:9x9,background:#fff\n"))
	if err != nil || len(lines) != 2 || lines[0] != "thumb=fit:64x64" || lines[1] != "hero=fill:9x9,background:#fff" {
		t.Errorf("%q, %v", lines, err)
	}
	mustParse(t, lines...)
	if _, err := ReadPreset(strings.NewReader("# nothing\n")); err == nil {
		t.Error("a preset without variants passed")
	}
	if _, err := ReadPreset(strings.NewReader(strings.Repeat("fit:1x1\n", MaxVariants+1))); err == nil {
		t.Error("a preset with too many variants passed")
	}
}
