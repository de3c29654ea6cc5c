package cli

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
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

func TestSummaryRatesCountWorkingTime(t *testing.T) {
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

// Found: images in flight at a second Ctrl-C were called unaccounted for, although the next run takes them.
func TestSummarySaysWhatIsLeftAndWhatIsUnaccountedFor(t *testing.T) {
	counts := wire.Run{ID: "r", Total: 200, Found: 146, Done: 132, Missing: []string{"a.jpg", "b.jpg"}}
	for state, want := range map[outcome.RunState]string{
		outcome.Interrupted: "146 images found = 132 done + 0 skipped + 0 rejected + 0 dead + 14 left: balanced\n" +
			"132 worked on in 1s: 132 img/s, 0 B/s in\n" +
			"left for the next run: 68 images, these 14 and 54 that were not reached\n",
		outcome.Stalled: "146 images found = 132 done + 0 skipped + 0 rejected + 0 dead + 14 left: balanced\n" +
			"  not settled: a.jpg\n  not settled: b.jpg\n" +
			"132 worked on in 1s: 132 img/s, 0 B/s in\n" +
			"left for the next run: 68 images, these 14 and 54 that were not reached\n",
		outcome.Finished: "146 images found = 132 done + 0 skipped + 0 rejected + 0 dead: " +
			"NOT BALANCED: 14 unaccounted for\n" +
			"  unaccounted for: a.jpg\n  unaccounted for: b.jpg\n" +
			"132 worked on in 1s: 132 img/s, 0 B/s in\n",
	} {
		run := counts
		run.State, run.Started = state, time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
		run.Ended = run.Started.Add(time.Second)
		var out strings.Builder
		summary{run: &run}.print(&out)
		if out.String() != want {
			t.Errorf("of a run %s it says\n%s\nnot\n%s", state, out.String(), want)
		}
		code := runCode(&run, 0, failOnAny)
		if (code == ExitUnbalanced) != (state == outcome.Finished) {
			t.Errorf("of a run %s the exit code is %d", state, code)
		}
	}
}

func TestSummarySaysHowManyResultsHadNoTicket(t *testing.T) {
	const line = "settled by results without a ticket"
	for n, want := range map[int64]string{0: "", 1: "1 image " + line, 60: "60 images " + line} {
		run := wire.Run{ID: "r", State: outcome.Finished, Total: 60, Found: 60, Done: 60, Unproven: n, Started: time.Now()}
		run.Ended = run.Started.Add(time.Second)
		var out strings.Builder
		summary{run: &run}.print(&out)
		if !strings.Contains(out.String(), want) || n == 0 && strings.Contains(out.String(), line) {
			t.Errorf("of %d it says %q", n, out.String())
		}
	}
}

func TestPrintedCommandsAreThoseThatWereCalled(t *testing.T) {
	for _, c := range []struct{ arg0, want string }{
		{"farm", "farm rejects"},
		{"bin/farm", "bin/farm rejects"},
		{"./farm", "./farm rejects"},
		{"../bin/ventilator", "../bin/farm rejects"},
		{"/usr/local/bin/farm", "/usr/local/bin/farm rejects"},
		{"/tmp/go-build123/b001/exe/farm", "farm rejects"}, // by go run
	} {
		if got := asCalled(c.arg0, "farm rejects"); got != c.want {
			t.Errorf("%s: %q, not %q", c.arg0, got, c.want)
		}
	}
	for text, want := range map[string]string{
		"out": "out", "/a/b-c_1.d": "/a/b-c_1.d", "my photos": "'my photos'", "": "''", "it's": `'it'\''s'`, "a$b": "'a$b'",
	} {
		if got := shellWord(text); got != want {
			t.Errorf("%q: %s, not %s", text, got, want)
		}
	}
}

func TestATakenAddressHasASuggestion(t *testing.T) {
	inUse := fmt.Errorf("cannot serve: %w", syscall.EADDRINUSE)
	if got := notBound("127.0.0.1:8080", inUse); got != "127.0.0.1:8080 is taken; try --http 127.0.0.1:8090" {
		t.Error(got)
	}
	if got := notBound("203.0.113.9:8080", syscall.EADDRNOTAVAIL); !strings.Contains(
		got,
		"choose another address with --http",
	) {
		t.Error(got)
	}
}
