package progress_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/progress"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func reporter(t *testing.T, mode string) (progress.Reporter, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	r, err := progress.New(mode, progress.NewScreen(&out), &out)
	if err != nil {
		t.Fatal(err)
	}
	return r, &out
}

func TestWatchingIsShown(t *testing.T) {
	for _, mode := range []string{"plain", "bar"} {
		r, out := reporter(t, mode)
		run := wire.Run{State: outcome.Watching, Started: time.Now(), Total: 7, Found: 7, Done: 6, Rejected: 1, New: 5}
		r.Show(run)
		if got := out.String(); !strings.Contains(got, "watching, 5 new, 1 rejected") {
			t.Errorf("%s shows %q", mode, got)
		}
	}
}

func TestCountsAreWrittenAsInTheSummary(t *testing.T) {
	for _, mode := range []string{"plain", "bar"} {
		r, out := reporter(t, mode)
		r.Show(wire.Run{Started: time.Now(), Total: 1_234_567, Found: 12_345, Done: 12_345})
		if got := out.String(); !strings.Contains(got, "12,345/1,234,567") || strings.Contains(got, "12345") {
			t.Errorf("%s shows %q", mode, got)
		}
	}
}

func TestLinesFollowChangesAndComeAtLeastEachMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, out := reporter(t, "auto") // which is no bar, since this is no terminal
		run := wire.Run{Started: time.Now(), Total: 100, Peers: 1}
		pass := func(d time.Duration) int {
			out.Reset()
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
				r.Show(run)
			}
			return strings.Count(out.String(), "\n")
		}
		if n := pass(59 * time.Second); n != 1 {
			t.Errorf("%d lines in a minute without change", n)
		}
		run.Done = 50
		if n := pass(time.Second); n != 1 ||
			!strings.Contains(out.String(), "50/100 images (50%), 0.8 img/s, 1 worker, 1m0s left") &&
				!strings.Contains(out.String(), "59s left") {
			t.Errorf("a change is told in %d lines: %s", n, out)
		}
		if n := pass(10 * time.Minute); n != 10 {
			t.Errorf("%d lines in ten minutes without change", n)
		}
		run.Waiting, run.Rejected, run.Ended = "waiting for workers", 2, time.Now()
		out.Reset()
		r.Show(run)
		r.End(run)
		if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "waiting for workers, 2 rejected") ||
			strings.Contains(got, "left") {
			t.Errorf("the end is %q", got)
		}
	})
}

func TestJSONLinesHoldProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, out := reporter(t, "json")
		run := wire.Run{ID: "r", Started: time.Now(), Total: 8, Found: 8, Skipped: 2, Earlier: 2}
		line := func() (m map[string]any) {
			t.Helper()
			if err := json.Unmarshal(out.Bytes(), &m); err != nil {
				t.Fatalf("%s: %v", out, err)
			}
			out.Reset()
			return m
		}
		time.Sleep(10 * time.Second)
		r.Show(run)
		if m := line(); m["seconds_remaining"] != nil || m["percent_done"] != 25.0 || m["message_type"] != "status" {
			t.Errorf("before the first is done: %v", m)
		}
		time.Sleep(10 * time.Second)
		run.Done = 2
		r.Show(run)
		if m := line(); m["seconds_remaining"] != 40.0 || m["settled"] != 4.0 || m["images_per_second"] != 0.1 ||
			m["balanced"] != false {
			t.Errorf("in the middle: %v", m)
		}
		run.WorkUS, run.Waiting = 5e6, "paused by an operator"
		time.Sleep(10 * time.Second)
		r.Show(run)
		if m := line(); m["seconds_remaining"] != nil || m["images_per_second"] != 0.4 {
			t.Errorf("while it is paused: %v", m)
		}
		run.Done, run.Ended = 6, time.Now()
		r.End(run)
		if m := line(); m["message_type"] != "summary" || m["total"] != 8.0 || m["balanced"] != true || m["id"] != "r" {
			t.Errorf("at the end: %v", m)
		}
	})
}

func TestBarEndsItsLine(t *testing.T) {
	r, out := reporter(t, "bar")
	run := wire.Run{Started: time.Now(), Total: 2, Done: 1, Peers: 3}
	r.Show(run)
	run.Done = 2
	r.End(run)
	if got := out.String(); !strings.HasSuffix(got, "\n") || !strings.Contains(got, "3 workers") {
		t.Errorf("%q", got)
	}
}

func TestNothingLeftToDoIsNotATime(t *testing.T) {
	r, out := reporter(t, "plain")
	r.Show(wire.Run{Started: time.Now().Add(-time.Minute), State: "watching", Total: 35, Found: 35, Done: 35, WorkUS: 1e6})
	if got := out.String(); !strings.Contains(got, "35/35") || strings.Contains(got, "left") {
		t.Errorf("%q", got)
	}
}

func TestUnknownModeIsRefusedByName(t *testing.T) {
	if _, err := progress.New("loud", progress.NewScreen(nil), nil); err == nil ||
		!strings.Contains(err.Error(), `"loud"`) {
		t.Errorf("error %v", err)
	}
	if r, out := reporter(t, "none"); r != nil {
		r.Show(wire.Run{Total: 1})
		r.End(wire.Run{Total: 1})
		if out.Len() > 0 {
			t.Errorf("none says %q", out)
		}
	}
}

// A line wider than the terminal would wrap and scroll.
func TestBarIsShortenedInsteadOfWrapped(t *testing.T) {
	r, out := reporter(t, "bar")
	r.Show(
		wire.Run{
			ID:       "r",
			State:    "running",
			Started:  time.Now().Add(-time.Hour),
			Total:    250_000,
			Found:    250_000,
			Skipped:  120_000,
			Rejected: 17,
			Dead:     2,
			Peers:    3,
			Waiting:  "waiting for the sink at tcp://photographs.example.org:5555: no answer",
		},
	)
	line, _, _ := strings.Cut(strings.TrimPrefix(out.String(), "\r"), "\x1b")
	if n := utf8.RuneCountInString(line); n > 80 || !strings.Contains(line, "…") {
		t.Errorf("%d columns: %q", n, line)
	}
}

// A log line that is written while a bar is drawn clears the bar first.
func TestBarAndLogLinesShareNoLine(t *testing.T) {
	var out bytes.Buffer
	screen := progress.NewScreen(&out)
	r, err := progress.New("bar", screen, nil)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(screen, "before")
	run := wire.Run{Started: time.Now(), Total: 2, Done: 1, Peers: 1}
	r.Show(run)
	fmt.Fprintln(screen, "a warning")
	r.Show(run)
	r.End(run)
	fmt.Fprintln(screen, "after")
	for i, line := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
		if at := strings.LastIndex(line, "\x1b[2K"); at >= 0 {
			line = line[at+len("\x1b[2K"):] // what the terminal shows of it
		}
		bar := strings.Contains(line, "img/s")
		text := strings.Contains(line, "a warning") || line == "before" || line == "after"
		if bar == text {
			t.Errorf("line %d: %q of %q", i, line, out.String())
		}
	}
	if !strings.Contains(out.String(), "\x1b[2Ka warning\n") {
		t.Errorf("the bar was not cleared: %q", out.String())
	}
}

func TestJSONGoesToStandardOutput(t *testing.T) {
	var errs, out bytes.Buffer
	r, err := progress.New("json", progress.NewScreen(&errs), &out)
	if err != nil {
		t.Fatal(err)
	}
	r.End(wire.Run{ID: "r", Ended: time.Now()})
	if errs.Len() > 0 || !json.Valid(out.Bytes()) {
		t.Errorf("standard error %q, standard output %q", errs.String(), out.String())
	}
}

// Found: "24/25 images (96%), 10.9 img/s, 1 worker, 0s left" for five seconds.
func TestARunThatGoesOnHasAtLeastASecondLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, out := reporter(t, "plain")
		now := time.Now()
		r.Show(wire.Run{Started: now.Add(-time.Second), Total: 100, Found: 100, Done: 99, WorkUS: 1e6, Peers: 1})
		if got := out.String(); !strings.HasSuffix(got, ", 1s left\n") {
			t.Errorf("it says %q", got)
		}
	})
}
