package report

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func write(t *testing.T, r *Report, c PageConfig) string {
	t.Helper()
	var text bytes.Buffer
	if err := r.WritePage(t.Context(), &text, c); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestPageShowsTheRun(t *testing.T) {
	r, err := Read(t.Context(), newShelf(3000, 10*time.Millisecond), "")
	if err != nil {
		t.Fatal(err)
	}
	page := write(t, r, PageConfig{Version: "v9"})
	for _, want := range []string{
		"<title>imagefarm: run new</title>", "<b>3,000</b> found", "<b>2,700</b> done", "balanced",
		"<b>100</b><span>images a second",
		"2 January 2026, 15:04:05 UTC", "photos-1", "thumbnail64=fit:64x64", "truncated<span>300</span>", "and 100 more",
		`<td>14.0ms</td>`, "w0", "by imagefarm v9",
	} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.Replace(want, "14.0ms", "14ms", 1)) {
			t.Errorf("%q is not on the page", want)
		}
	}
	for _, never := range []string{"<script", "http://", "https://", "@import", "ZgotmplZ", "NaN", "%!"} {
		if strings.Contains(page, never) {
			t.Errorf("%q is on the page", never)
		}
	}
}

// What a name or a detail says stays text, wherever it stands.
func TestHostileNamesStayText(t *testing.T) {
	hostile := []string{
		`<script>alert(1)</script>.jpg`, `"><img src=x onerror=alert(1)>.jpg`, `'; alert(1); '.jpg`, `javascript:alert(1)`,
		`</style><script>alert(1)</script>`, `{{.Run}}`, `--><b>`, "a\u202egpj.exe",
	}
	b := newShelf(len(hostile)*20, time.Second)
	run := &b.runs[0]
	run.ID, run.Host, run.State, run.Recipe = hostile[0], hostile[1], outcome.RunState(hostile[2]), hostile[4]
	b.runs[0].Inputs = hostile
	b.entry = func(i int) wire.Receipt {
		e := entry(i, time.Second)
		e.Run = hostile[0]
		e.Filename, e.Worker, e.Detail = hostile[i%len(hostile)], hostile[(i+1)%len(hostile)], hostile[(i+2)%len(hostile)]
		for j := range e.Outputs {
			e.Outputs[j].Name = e.Filename
		}
		return e
	}
	r, err := Read(t.Context(), b, "")
	if err != nil {
		t.Fatal(err)
	}
	shown := func(context.Context, string) ([]byte, error) { return picture(t), nil }
	page := write(t, r, PageConfig{Version: hostile[0], Pictures: Pictures{Original: shown, Output: shown}})
	elements := regexp.MustCompile(`<[a-zA-Z/!][^>]*>`).FindAllString(page, -1)
	for _, element := range elements {
		if strings.Contains(element, "alert") || strings.HasPrefix(element, "<script") ||
			strings.Contains(element, "onerror") {
			t.Errorf("an element came out of a name: %s", element)
		}
	}
	if !strings.Contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;.jpg") || strings.Count(page, "</style>") != 1 {
		t.Error("the name is not shown as it is")
	}
	if strings.Count(page, "<figure>") != maxPairs || strings.Count(page, `src="data:image/png;base64,`) != 2*maxPairs {
		t.Errorf("%d figures, %d pictures", strings.Count(page, "<figure>"), strings.Count(page,
			`src="data:image/png;base64,`))
	}
}

func TestPicturesThatAreMissingOrForeignAreLeftOut(t *testing.T) {
	r, err := Read(t.Context(), newShelf(100, time.Second), "")
	if err != nil {
		t.Fatal(err)
	}
	find := func(data []byte, err error) Pictures {
		f := func(context.Context, string) ([]byte, error) { return data, err }
		return Pictures{Original: f, Output: f}
	}
	for what, p := range map[string]Pictures{
		"none": {}, "missing": find(nil,
			fs.ErrNotExist), "svg": find([]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), nil),
		"html": find([]byte("<html>"), nil), "large": find(append(picture(t), make([]byte, MaxPicture)...),
			nil), "empty": find(nil, nil),
	} {
		if page := write(t, r, PageConfig{Pictures: p}); strings.Contains(page, "<img") || strings.Contains(page, "<figure") {
			t.Errorf("%s: there is a picture", what)
		}
	}
	after := find(picture(t), nil)
	after.Original = nil
	if page := write(t, r, PageConfig{Pictures: after}); strings.Count(page, "<img") != maxPairs {
		t.Errorf("without originals there are %d pictures", strings.Count(page, "<img"))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if err := r.WritePage(ctx, io.Discard, PageConfig{Pictures: after}); err == nil || err.Error() != "enough" {
		t.Errorf("after its end: %v", err)
	}
}

// However long a run was, its chart is drawn with some dozens of steps, inside its frame.
func TestChartFitsItsFrame(t *testing.T) {
	for _, every := range []time.Duration{0, time.Microsecond, 3 * time.Millisecond, time.Second, 7 * time.Minute} {
		r, err := Read(t.Context(), newShelf(2000, every), "")
		if err != nil {
			t.Fatal(err)
		}
		c := r.flow.chart(r.Run.Ended)
		var x, y float64
		steps := 0
		for _, step := range regexp.MustCompile(`[ML]([\d.e+-]+) ([\d.e+-]+)H([\d.e+-]+)`).FindAllStringSubmatch(c.Line, -1) {
			steps++
			for i, to := range []*float64{&x, &y, &x} {
				if _, err := fmt.Sscan(step[i+1], to); err != nil {
					t.Fatal(err)
				}
				if x < chartLeft || x > c.Right || y < 0 || y > c.Bottom {
					t.Errorf("every %v: a step leads to %g, %g", every, x, y)
				}
			}
		}
		if steps == 0 || steps > 96 || x != c.Right {
			t.Errorf("every %v: %d steps, the last ends at %g of %g", every, steps, x, c.Right)
		}
		if len(c.Values) < 2 || len(c.Values) > 7 || len(c.Times) == 0 || len(c.Times) > 9 {
			t.Errorf("every %v: %d values, %d times", every, len(c.Values), len(c.Times))
		}
		svg := regexp.MustCompile(`(?s)<svg.*</svg>`).FindString(write(t, r, PageConfig{}))
		if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
			t.Errorf("every %v: the drawing is not well-formed: %v", every, err)
		}
	}
}

func TestNumbersAreWrittenForPeople(t *testing.T) {
	for got, want := range map[string]string{
		micros(45_678): "45.7ms", micros(1_234_567): "1.23s", micros(123_456_789): "2m3s",
		clock(90 * time.Second): "1m30s", clock(90 * time.Minute): "1h30m", clock(2 * time.Hour): "2h",
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
