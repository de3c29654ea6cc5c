package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestSummaryOfARunWithoutASinkClaimsNothing(t *testing.T) {
	begun := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	run := wire.Run{
		ID:         "r",
		State:      "finished",
		Started:    begun,
		Ended:      begun.Add(time.Second),
		Total:      36,
		Found:      36,
		HandedOut:  35,
		Rejected:   1,
		Deliveries: 35,
		WorkUS:     1e6,
	}
	var out strings.Builder
	summary{run: &run}.print(&out)
	if want := "36 images found: 35 handed out; what became of them is unknown; 1 rejected\n"; !strings.HasPrefix(
		out.String(),
		want,
	) {
		t.Errorf("it says %q, not %q", out.String(), want)
	}
	for _, claim := range []string{"done", "balanced", "img/s"} {
		if strings.Contains(out.String(), claim) {
			t.Errorf("it says %q in %q", claim, out.String())
		}
	}
}

func TestSummaryTellsTheWholeTimeAndRatesByWorkingTime(t *testing.T) {
	begun := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	run := wire.Run{
		ID:      "r",
		State:   "finished",
		Started: begun,
		Ended:   begun.Add(100 * time.Second),
		Found:   60,
		Done:    50,
		Skipped: 10,
		Earlier: 10,
		Bytes:   50e6,
		WorkUS:  25e6,
	}
	for working, want := range map[int64]string{
		25e6: "50 worked on in 1m40s, 25s working: 2.0 img/s, 2.00 MB/s in\n",
		99e6: "50 worked on in 1m40s: 0.5 img/s, 505 kB/s in\n",
	} {
		var out strings.Builder
		run.WorkUS = working
		summary{run: &run}.print(&out)
		if !strings.Contains(out.String(), want) {
			t.Errorf("it says %q, not %q", out.String(), want)
		}
	}
}
