package report

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// twoRuns is a ledger of two runs. The second skipped everything but an image that had been truncated and was mended.
func twoRuns() *shelf {
	s := newShelf(20, time.Second)
	s.runs[1].ID = "old"
	s.runs[0].Found, s.runs[0].Done, s.runs[0].Skipped, s.runs[0].Rejected = 20, 1, 18, 1
	s.runs[0].LeftOut = map[string]int64{"hidden": 3, "NEF": 12}
	older := s.entry
	s.n = 22
	s.entry = func(i int) wire.Receipt {
		e := older(i)
		e.Run, e.Source = "old", "/photos"
		switch i {
		case 3: // another recipe has replaced its outputs
			e.Outputs[0].Superseded = true
		case 20: // was refused as image 9
			e.Filename, e.Run = "roll/000009.jpg", "new"
		case 21:
			e.Filename, e.Run, e.Outputs = "roll/000003.jpg", "new", older(3).Outputs
		}
		return e
	}
	return s
}

func TestReportWithoutARunCoversAllImages(t *testing.T) {
	r, err := Read(t.Context(), twoRuns(), "")
	if err != nil {
		t.Fatal(err)
	}
	s := r.Summary()
	if s.Settled != 20 || s.SettledByRun != 2 || s.Runs != 2 || s.Superseded != 2 || s.Outputs != 19 || s.Bytes != 20_000 {
		t.Errorf("the summary is %+v", s)
	}
	if s.Refused["truncated"] != 1 {
		t.Errorf("refused are %v: image 9 was done since", s.Refused)
	}
	var text, page strings.Builder
	if err := errors.Join(r.WriteText(&text), r.WritePage(t.Context(), &page, PageConfig{})); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"covers 20 entries of the ledger by 2 runs: 19 done, 1 refused; 19 outputs",
		"superseded since: 2",
		"12 NEF, 3 hidden", "roll/000019.jpg"} {
		if !strings.Contains(text.String(), want) || !strings.Contains(page.String(), want) {
			t.Errorf("text or page lack %q: %s", want, &text)
		}
	}
	if !strings.Contains(text.String(), "2 settled by this run") || strings.Contains(text.String(), "roll/000009.jpg  ") {
		t.Errorf("the text is %s", &text)
	}
}

func TestReportAfterARunThatSkippedEverythingNamesImagesOfEarlierRuns(t *testing.T) {
	b := twoRuns()
	b.n = 20
	r, err := Read(t.Context(), b, "")
	if err != nil {
		t.Fatal(err)
	}
	var text, page, csv, all strings.Builder
	err = errors.Join(r.WriteText(&text), r.WritePage(t.Context(), &page, PageConfig{}),
		WriteCSV(t.Context(), &csv, b, ""),
		WriteJSON(t.Context(), &all, b, ""))
	if err != nil {
		t.Fatal(err)
	}
	if said := text.String(); !strings.Contains(said, "STAGE") || !strings.Contains(said, "roll/000009.jpg") ||
		strings.Contains(said, "settled by this run") {
		t.Errorf("the text is %s", said)
	}
	if strings.Contains(page.String(), "Throughput") || !strings.Contains(page.String(), "roll/000009.jpg") {
		t.Error("the page has a chart of nothing, or does not name the rejected image")
	}
	if lines := strings.Count(csv.String(), "\n"); lines != 20 || !strings.Contains(csv.String(), ",old,,") {
		t.Errorf("%d lines: %s", lines, &csv)
	}
	var parsed struct {
		Run     wire.Run
		Images  []wire.Receipt
		Summary Summary
	}
	if err := json.Unmarshal([]byte(all.String()), &parsed); err != nil || parsed.Run.ID != "new" ||
		len(parsed.Images) != 19 || parsed.Summary.Superseded != 1 || parsed.Images[0].Outcome != outcome.Done {
		t.Errorf("%v: %s", err, &all)
	}
	if one, err := Read(t.Context(), b, "new"); err != nil || one.Entries != 0 {
		t.Errorf("the run that skipped everything has %d entries, %v", one.Entries, err)
	}
}
