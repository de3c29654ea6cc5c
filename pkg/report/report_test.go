package report

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

var begun = time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)

// shelf is a ledger that makes its entries when they are read.
type shelf struct {
	runs  []wire.Run
	n     int
	entry func(i int) wire.Receipt
	err   error
}

func (s *shelf) Runs(context.Context) ([]wire.Run, error) { return s.runs, s.err }

func (s *shelf) Entries(_ context.Context, args wire.EntriesArgs) (*wire.Entries, error) {
	from, _ := strconv.Atoi(args.After) // 0 when empty
	page := new(wire.Entries)
	for i := from; i < s.n; i++ {
		if len(page.Entries) == wire.MaxBatch {
			page.Next = strconv.Itoa(i)
			break
		}
		if e := s.entry(i); args.Run == "" || e.Run == args.Run {
			page.Entries = append(page.Entries, e)
		}
	}
	return page, s.err
}

// entry is the ith image of run "new", settled i×every after the start: done in 10 to 19 ms, every tenth truncated.
func entry(i int, every time.Duration) wire.Receipt {
	e := wire.Receipt{
		ID: fmt.Sprintf("%032x", i), Run: "new", Filename: fmt.Sprintf("roll/%06d.jpg",
			i), Outcome: outcome.Done, Delivery: 1,
		Worker: fmt.Sprint("w", i%2), Bytes: 1000, At: begun.Add(time.Duration(i) * every),
		Outputs: []wire.OutputInfo{{Name: fmt.Sprintf("roll/%06d_thumbnail64.jpg", i), Size: 100, Width: 64, Height: 48}},
		Timings: wire.Timings{Waited: 500, Decode: 4000, Transform: 2000, Encode: 3000, Write: 500,
			Total: int64(10_000 + 1000*(i%10))},
	}
	if i%10 == 9 {
		e.Outcome, e.Reason, e.Detail = outcome.Rejected, outcome.Truncated, "it ends early"
		e.Outputs, e.Timings = nil, wire.Timings{}
	}
	return e
}

func newShelf(n int, every time.Duration) *shelf {
	run := wire.Run{ID: "new", State: "finished", Started: begun, Ended: begun.Add(time.Duration(n) * every),
		Found: int64(n), Done: int64(n - n/10), Rejected: int64(n / 10), Host: "photos-1", Recipe: "thumbnail64=fit:64x64"}
	old := wire.Run{ID: "old", State: "finished", Started: begun.Add(-time.Hour)}
	return &shelf{runs: []wire.Run{run, old}, n: n, entry: func(i int) wire.Receipt { return entry(i, every) }}
}

func TestSummaryAddsUp(t *testing.T) {
	r, err := Read(t.Context(), newShelf(3000, 10*time.Millisecond), "")
	if err != nil {
		t.Fatal(err)
	}
	s := r.Summary()
	if s.Settled != 3000 || s.Bytes != 3_000_000 || s.Outputs != 2700 || s.OutputBytes != 270_000 || s.Unsettled != 0 ||
		s.Refused["truncated"] != 300 || s.Seconds != 30 || s.ImagesPerSecond != 100 {
		t.Errorf("%+v", s)
	}
	sum := int64(0)
	for i := range s.Throughput.Done {
		sum += s.Throughput.Done[i] + s.Throughput.Refused[i]
	}
	if sum != 3000 || s.Throughput.SliceSeconds != .08 || len(s.Throughput.Done) != 375 {
		t.Errorf("throughput counts %d in %d slices of %g s", sum, len(s.Throughput.Done), s.Throughput.SliceSeconds)
	}
	total := s.Stages[len(s.Stages)-1]
	if total.Name != "total" || total.Count != 2700 || total.Max != 18_000 || total.Mean != 14_000 ||
		total.P50 < 12_600 || total.P50 > 15_400 || total.P99 < 16_200 || total.P99 > 18_000 {
		t.Errorf("total is %+v", total)
	}
	if len(s.Workers) != 2 || s.Workers[0].Images+s.Workers[1].Images != 3000 {
		t.Errorf("workers are %+v", s.Workers)
	}
	slow := r.Slowest()
	if len(slow) != maxSlowest || slow[0].Timings.Total != 18_000 || slow[maxSlowest-1].Timings.Total != 18_000 {
		t.Errorf("%d slowest, first %+v", len(slow), slow[0])
	}
}

func TestRatesAreComputedFromWorkingTime(t *testing.T) {
	b := newShelf(3000, 10*time.Millisecond)
	b.runs[0].WorkUS = 15e6
	r, err := Read(t.Context(), b, "")
	if err != nil {
		t.Fatal(err)
	}
	if s := r.Summary(); s.Seconds != 30 || s.WorkingSeconds != 15 || s.ImagesPerSecond != 200 ||
		s.BytesPerSecond != 200_000 {
		t.Errorf("%+v", s)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "took 30s, 15s working\n") {
		t.Errorf("%v: %s", err, &text)
	}
}

func TestRunWithoutAFinalReportIsNotCalledBalanced(t *testing.T) {
	b := newShelf(10, time.Second)
	b.runs[0].State, b.runs[0].Ended = "interrupted", time.Time{}
	r, err := Read(t.Context(), b, "")
	if err != nil {
		t.Fatal(err)
	}
	var text, page strings.Builder
	err = errors.Join(r.WriteText(&text), r.WritePage(t.Context(), &page, PageConfig{}))
	for _, said := range []string{text.String(), page.String()} {
		if err != nil || strings.Contains(said, "balanced") || !strings.Contains(said, "it ended without a final report") {
			t.Errorf("%v: %s", err, said)
		}
	}
}

func TestRunsAreFoundByNameAndNewestFirst(t *testing.T) {
	b := newShelf(10, time.Second)
	for asked, want := range map[string]string{"": "new", "old": "old"} {
		if run, err := FindRun(t.Context(), b, asked); err != nil || run.ID != want {
			t.Errorf("asked for %q: %q, %v", asked, run.ID, err)
		}
	}
	var unknown *UnknownRunError
	if _, err := FindRun(t.Context(), b, "never"); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "never") {
		t.Errorf("an unknown run: %v", err)
	}
	if _, err := FindRun(t.Context(), &shelf{}, ""); !errors.As(err, &unknown) {
		t.Errorf("no run at all: %v", err)
	}
}

func TestLiveRunsReplaceTheirRecords(t *testing.T) {
	b := WithLive(newShelf(10, time.Second), func(context.Context) ([]wire.Run, error) {
		return []wire.Run{{ID: "new", Found: 77}, {ID: "unrelated"}}, nil
	})
	runs, err := b.Runs(t.Context())
	if err != nil || len(runs) != 2 || runs[0].Found != 77 || runs[1].ID != "old" {
		t.Errorf("%+v, %v", runs, err)
	}
}

// Very many entries over ten days: what is kept does not grow.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("very many entries")
	}
	const n = 200_000
	r := newReport(wire.Run{ID: "new", Started: begun})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range n {
		e := entry(i, 4320*time.Millisecond)
		e.Worker = fmt.Sprint("worker ", i%5000)
		r.add(&e)
	}
	if grown := int64(heap()) - int64(before); grown > 4<<20 {
		t.Errorf("%d bytes are kept", grown)
	}
	if len(r.flow.slices) > maxSlices || len(r.sample.kept) > 4*maxPairs || len(r.workers) != maxWorkers {
		t.Errorf("%d slices, %d samples, %d workers", len(r.flow.slices), len(r.sample.kept), len(r.workers))
	}
	sum := int64(0)
	for _, s := range r.flow.slices {
		sum += s.done + s.refused
	}
	if sum != n || r.others.Images == 0 {
		t.Errorf("the slices count %d; %d by other workers", sum, r.others.Images)
	}
	if got := r.Refused(); len(got) != 1 || got[0].Count != n/10 || len(got[0].Images) != maxListed {
		t.Errorf("refused: %d groups", len(got))
	}
}

func TestSampleIsSpreadOverTheRun(t *testing.T) {
	var s sample
	for i := range 10_000 {
		e := entry(10*i, time.Second)
		s.add(&e)
	}
	if len(s.kept) < 2*maxPairs {
		t.Fatalf("%d are kept", len(s.kept))
	}
	for i := 1; i < len(s.kept); i++ {
		if apart := s.kept[i].At.Sub(s.kept[i-1].At); apart != s.kept[1].At.Sub(s.kept[0].At) {
			t.Errorf("sample %d comes %v after the one before", i, apart)
		}
	}
	if last := s.kept[len(s.kept)-1].At.Sub(begun); last < 80_000*time.Second {
		t.Errorf("the last sample is at %v of 100000s", last)
	}
}

func TestCSVHasALineForEachImageAndNoFormula(t *testing.T) {
	b := newShelf(2500, time.Second)
	b.entry = func(i int) wire.Receipt {
		e := entry(i, time.Second)
		if i == 0 {
			e.Filename = `=HYPERLINK("evil","a, ""b""")`
		}
		return e
	}
	var text bytes.Buffer
	if err := WriteCSV(t.Context(), &text, b, "new"); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&text).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 2501 || lines[0][0] != "filename" || lines[1][0] != `'=HYPERLINK("evil","a, ""b""")` ||
		lines[10][1] != "rejected" || lines[10][2] != "truncated" || lines[2][14] != "11000" {
		t.Errorf("%d lines, %q, %q, %q", len(lines), lines[0], lines[1], lines[10])
	}
}

func TestDroppedMetadataAndWarningsAreReported(t *testing.T) {
	b := newShelf(10, time.Second)
	b.entry = func(i int) wire.Receipt {
		e := entry(i, time.Second)
		e.Dropped = []string{"exif", "icc"}[:i%3]
		if i%3 == 2 && e.Outcome == outcome.Done {
			e.Warnings = outcome.Warnings{"the file ends <early>"}
			e.Refused = []wire.RefusedVariant{{Variant: "hero", Reason: outcome.TooManyPixels, Detail: "it is <wide>"}}
		}
		return e
	}
	const said = "the file ends <early>; variant hero was not made: too-many-pixels: it is <wide>"
	var csvText, jsonText, plain, page bytes.Buffer
	r, err := Read(t.Context(), b, "new")
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(WriteCSV(t.Context(), &csvText, b, "new"), WriteJSON(t.Context(), &jsonText, b, "new"),
		r.WriteText(&plain),
		r.WritePage(t.Context(), &page, PageConfig{}))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&csvText).ReadAll()
	if last := slices.Index(columns, "dropped"); err != nil || lines[1][last] != "" || lines[3][last] != "exif icc" {
		t.Errorf("CSV: %q, %v", lines[:4], err)
	}
	if at := slices.Index(columns, "warnings"); lines[1][at] != "" || lines[3][at] != said {
		t.Errorf("CSV: %q", lines[:4])
	}
	var got struct {
		Images  []wire.Receipt
		Summary Summary
	}
	if err := json.Unmarshal(jsonText.Bytes(), &got); err != nil || len(got.Images[2].Dropped) != 2 ||
		got.Summary.Dropped["exif"] != 6 || got.Summary.Dropped["icc"] != 3 {
		t.Errorf("JSON: %+v, %+v, %v", got.Images, got.Summary.Dropped, err)
	}
	if got.Summary.Warned != 3 || got.Summary.Partly != 3 || len(got.Images[2].Refused) != 1 {
		t.Errorf("JSON: %d warned, %+v", got.Summary.Warned, got.Images[2])
	}
	if !strings.Contains(plain.String(), "DROPPED METADATA  IMAGES\nexif              6\nicc               3\n") {
		t.Errorf("text: %s", &plain)
	}
	if !strings.Contains(page.String(), "exif: 6 images") {
		t.Errorf("the page tells no dropped metadata")
	}
	if !strings.Contains(plain.String(), said+"\n") {
		t.Errorf("text: %s", &plain)
	}
	if !strings.Contains(page.String(), html.EscapeString(said)+"</td>") {
		t.Errorf("the page tells no warnings")
	}
}

func TestJSONIsOneObject(t *testing.T) {
	for _, n := range []int{0, 1, 2100} {
		var text bytes.Buffer
		if err := WriteJSON(t.Context(), &text, newShelf(n, time.Second), ""); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Run     wire.Run
			Images  []wire.Receipt
			Summary Summary
		}
		if err := json.Unmarshal(text.Bytes(), &got); err != nil {
			t.Fatalf("%d images: %v in %.300s", n, err, &text)
		}
		if got.Run.ID != "new" || len(got.Images) != n || got.Summary.Settled != int64(n) {
			t.Errorf("%d images: run %q, %d images, %d settled", n, got.Run.ID, len(got.Images), got.Summary.Settled)
		}
	}
}

func TestTextNamesStagesAndRefusals(t *testing.T) {
	r, err := Read(t.Context(), newShelf(100, 100*time.Millisecond), "")
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"run new finished",
		"100 images found = 90 done + 0 skipped + 10 rejected + 0 dead: balanced",
		"10.0 img/s", "decode", "truncated", "roll/000009.jpg"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, &text)
		}
	}
}

func TestRunWithoutEntriesHasAPage(t *testing.T) {
	for _, run := range []wire.Run{{}, {ID: "empty", State: "finished", Started: begun, Ended: begun, Found: 5,
		Skipped: 5}} {
		var text bytes.Buffer
		r := newReport(run)
		if err := errors.Join(r.WritePage(t.Context(), &text, PageConfig{}), r.WriteText(io.Discard)); err != nil {
			t.Error(err)
		}
		if strings.Contains(text.String(), "<svg") || strings.Contains(text.String(), "NaN") ||
			!strings.HasSuffix(text.String(), "</html>\n") {
			t.Errorf("%.2000s", &text)
		}
	}
}

func TestFailuresOfTheLedgerAreReturned(t *testing.T) {
	b := newShelf(10, time.Second)
	b.err = errors.New("the ledger is damaged")
	if _, err := Read(t.Context(), b, ""); !errors.Is(err, b.err) {
		t.Error(err)
	}
	if err := WriteJSON(t.Context(), io.Discard, b, ""); !errors.Is(err, b.err) {
		t.Error(err)
	}
	if err := WriteCSV(t.Context(), io.Discard, b, ""); !errors.Is(err, b.err) {
		t.Error(err)
	}
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 6))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestHandlerServesThePage(t *testing.T) {
	h := Handler(newShelf(100, time.Second), PageConfig{Version: "v1.2.3"})
	for path, want := range map[string]int{"/report.html": 200, "/report.html?run=old": 200,
		"/report.html?run=no<b>": 404} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want || strings.Contains(w.Body.String(), "no<b>") &&
			w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: %d, %v, %.200s", path, w.Code, w.Header(), w.Body)
		}
		if want == 200 && (!strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") ||
			!strings.Contains(w.Body.String(), "v1.2.3")) {
			t.Errorf("%s: %v", path, w.Header())
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/report.html", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}
